"""The definitions of views: Jinja texts with one name, `target`, or texts with three placeholders."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from framework.model.names import TableName, identifier
from framework.spec.checks.names import table_name_findings
from framework.spec.document import Finding, Path
from framework.spec.fields import mapping_list, text_at, text_field
from framework.spec.query_text import find_mistake, place_of_name
from framework.spec.query_verbs import find_statement

if TYPE_CHECKING:
    from jinja2.nodes import Node
    from jinja2.sandbox import ImmutableSandboxedEnvironment

_ALLOWED_NODES = frozenset({"Output", "TemplateData", "Name", "Const"})
"""The parts of a template that a definition may have: text, `{{ target }}`, and `{{ "{{" }}` for braces."""


_HEAD = re.compile(r"\s*create\s+(?:or\s+replace\s+)?view\s+\{schema_name\}\s*\.\s*\{view_name\}\s+as\b", re.IGNORECASE)
_TEMPLATE_PART = re.compile(r"\{\{.*?\}\}|\{#.*?#\}|\{(?:source_table|schema_name|view_name)\}", re.DOTALL)
_PLACEHOLDER = re.compile(r"(?<!\{)(?:\{schema_name\}\s*\.\s*)?\{(source_table|schema_name|view_name)\}(?!\})")


class UnrenderedDefinition(ValueError):
    """A definition is no template, or holds something else than `target`: in `line` of it, from 1, as far as known."""

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(f"the definition cannot be rendered: {'' if line is None else f'line {line}: '}{reason}")
        self.line = line


def render_view(definition: str, view: TableName, target: TableName) -> str:
    """Return a view's query for a target.

    Definitions may be written for older tools: with `{source_table}` for the target, `{schema_name}`
    and `{view_name}` for the view's own, and with the `create view … as` that Feedway writes itself.

    Raises:
        UnrenderedDefinition: the definition is no template, or holds something else than `target`.
    """
    head = _HEAD.search(definition)
    query = _rendered(_HEAD.sub("", definition, count=1), target.sql, 0 if head is None else head[0].count("\n"))
    own = {"source_table": target.sql, "schema_name": identifier(view.schema), "view_name": identifier(view.name)}
    return _PLACEHOLDER.sub(lambda found: _value(found, own), query)


def _value(found: re.Match[str], own: Mapping[str, str]) -> str:
    """Return the value of a placeholder; `{schema_name}.{source_table}` is the target in its own schema."""
    value = own[found[1]]
    is_qualified = found[0].startswith("{schema_name}") and found[1] == "view_name"
    return f"{own['schema_name']}.{value}" if is_qualified else value


def _rendered(definition: str, target_sql: str, lines_above: int) -> str:
    from jinja2 import TemplateError
    from jinja2.nodes import Node

    environment = _environment()
    try:
        # Checked before rendering: expressions could reach into Python, or never end.
        for node in environment.parse(definition).find_all(Node):
            if type(node).__name__ not in _ALLOWED_NODES or getattr(node, "name", "target") != "target":
                raise UnrenderedDefinition(f"it holds {_described(node)}", lines_above + node.lineno)
        return environment.from_string(definition).render(target=target_sql)
    except (TemplateError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        reason = str(error).rstrip(".")
        raise UnrenderedDefinition(reason, None if line is None else lines_above + line) from error


def _described(node: Node) -> str:
    """Return a readable name of a part of a template."""
    kind = type(node).__name__.lower()
    name = getattr(node, "attr", None) or getattr(node, "name", None)
    words = {"getattr": "the attribute", "filter": "the filter", "name": "the name"}
    return f"{words.get(kind, f'a Jinja {kind}')} {name!r}" if isinstance(name, str) else f"a Jinja {kind}"


def view_findings(document: object) -> Iterator[Finding]:
    """Yield the problems of a spec's views."""
    target = _table(document, "target", "schema", "table")
    taken = {target: "the target"}
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
        if definition and table is not None and target is not None:
            yield from _definition_findings((*path, "definition"), definition, table, target)


def _table(document: object, *fields: str) -> TableName | None:
    """Return the table that two fields name, as Redshift folds it."""
    *folder, schema_field, name_field = fields
    schema = text_at(document, *folder, schema_field) or "public"
    name = text_at(document, *folder, name_field)
    return TableName(schema.lower(), name.lower()) if name else None


def _definition_findings(path: Path, definition: str, view: TableName, target: TableName) -> Iterator[Finding]:
    try:
        query = render_view(definition, view, target).strip()
    except UnrenderedDefinition as error:
        fix = "Use only {{ target }} as a placeholder; everything else is SQL."
        place = None if error.line is None else (error.line - 1, 0)
        yield Finding(path, "spec/view-definition", f"views.definition: {error}", fix, within=place)
        return
    mistake = find_mistake(query) or find_statement(query)
    if not query:
        yield Finding(path, "spec/view-definition", "views.definition is empty", "Write a select.")
    elif mistake is not None:
        place = _place(definition)
        position = f"line {place[0] + 1}, column {place[1] + 1}: " if place else ""
        message = f"views.definition: {position}the query {mistake.words}"
        yield Finding(path, "spec/view-definition", message, "Write one select, without `;`.", within=place)


def place_in_definition(definition: str, name: str) -> tuple[int, int] | None:
    """Return the line and column, from 0, of a name in a definition; None where it is not in it."""
    masked = _masked(definition)
    return _line_and_column(masked, place_of_name(masked, name))


def _place(definition: str) -> tuple[int, int] | None:
    """Return the line and column, from 0, of the mistake in a definition."""
    masked = _masked(definition)
    mistake = find_mistake(masked) or find_statement(masked)
    return _line_and_column(masked, None if mistake is None else mistake.position)


def _line_and_column(text: str, position: int | None) -> tuple[int, int] | None:
    if position is None:
        return None
    before = text[:position]
    return before.count("\n"), len(before) - (before.rfind("\n") + 1)


def _masked(definition: str) -> str:
    """Return a definition with each part of its template replaced by a name of the same length."""
    return _TEMPLATE_PART.sub(_as_long, _HEAD.sub(_blank, definition, count=1))


def _as_long(found: re.Match[str]) -> str:
    """Return a replacement of the same length: blanks for a comment, a name for any other part."""
    return _blank(found) if found[0].startswith("{#") else "x" + _blank(found)[1:]


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


@functools.cache
def _environment() -> ImmutableSandboxedEnvironment:
    # Importing Jinja takes as long as checking twenty specs, and most have no view.
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.globals.clear()
    return environment
