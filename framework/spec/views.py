"""The definitions of views: Jinja texts that know one name, `target`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from framework.names import TableName
from framework.spec.check_names import table_name_findings
from framework.spec.document import Finding, Path
from framework.spec.fields import mapping_list, text_at, text_field

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment


def render_view(definition: str, target_sql: str) -> str:
    """Return a view's query for a target, given as quoted SQL.

    Raises:
        ValueError: the definition is no template, or names something else than `target`.
    """
    try:
        return _environment().from_string(definition).render(target=target_sql)
    except Exception as error:  # a template can raise whatever its expressions do
        raise ValueError(f"the definition cannot be rendered: {error}") from error


def view_findings(document: object) -> Iterator[Finding]:
    """Yield what is wrong with the views of a spec."""
    taken = {_table(document, "target", "schema", "table"): "the target"}
    for path, view in mapping_list(document, "views"):
        for field in ("schema", "name"):
            for _, name in text_field(view, field):
                yield from table_name_findings((*path, field), name)
        table = _table(view, "schema", "name")
        if table is not None and table in taken:
            message = f"views: {table} is {taken[table]} already"
            yield Finding((*path, "name"), "spec/duplicate-view", message, "Give the view another name.")
        elif table is not None:
            taken[table] = "another view"
        definition = text_at(view, "definition")
        if definition:
            yield from _definition_findings((*path, "definition"), definition)


def _table(document: object, *fields: str) -> TableName | None:
    """Return the table that two fields name, as Redshift folds it."""
    *folder, schema_field, name_field = fields
    schema = text_at(document, *folder, schema_field)
    name = text_at(document, *folder, name_field)
    return TableName(schema.lower(), name.lower()) if schema and name else None


def _definition_findings(path: Path, definition: str) -> Iterator[Finding]:
    try:
        query = render_view(definition, TableName("a", "b").sql).strip()
    except ValueError as error:
        fix = "Only {{ target }} stands for something; everything else is SQL."
        yield Finding(path, "spec/view-definition", f"views.definition: {error}", fix)
        return
    if not query:
        yield Finding(path, "spec/view-definition", "views.definition is empty", "Write a select.")
    elif query.endswith(";"):
        yield Finding(path, "spec/view-definition", "views.definition ends in `;`", "Leave the semicolon out.")


@functools.cache
def _environment() -> ImmutableSandboxedEnvironment:
    # Its import takes as long as checking twenty specs, and most have no view.
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.globals.clear()
    # The same spec always gives the same view.
    del environment.filters["random"]
    return environment
