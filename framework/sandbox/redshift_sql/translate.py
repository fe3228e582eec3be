"""Parsed statements as the PostgreSQL statements that do the same."""

from __future__ import annotations

from typing import assert_never

from framework.sandbox.redshift_sql.parsed import (
    CopyParquet,
    CreateTableAs,
    CreateView,
    Fixed,
    Parsed,
    Query,
    Rendered,
)
from framework.sandbox.redshift_sql.postgres_text import quote_array, quote_literal, quote_names
from framework.sandbox.redshift_sql.query import FindView, late_binding_views, query_text
from framework.sandbox.redshift_sql.refusal import not_supported
from framework.sandbox.redshift_sql.statements import parse_text
from framework.sandbox.redshift_sql.views import referenced_schemas

FIND_LATE_BINDING_VIEW = "select pg_internal.late_binding_view(%s, %s)"
"""With a schema's and a view's name as parameters: the SELECT of a late-binding view, or null."""

_NAMING = ("CREATE ", "ALTER TABLE")
"""How the kinds of statements begin that give names. Others take no snapshot before they are to."""


def to_postgres(parsed: Parsed, find_late_binding_view: FindView) -> tuple[str, ...]:
    """Return the statements to run in order in one transaction; the last one's result is the statement's.

    `find_late_binding_view(schema, name)` returns the SELECT text of a late-binding view, or None.
    No statements where there is nothing to do.

    Raises:
        Refused: a bound view would stand on a late-binding one, or a late-binding view has an error.
    """
    statements = _statements(parsed, find_late_binding_view)
    if parsed.long_names and parsed.kind.startswith(_NAMING):
        shorts, names = quote_array(list(parsed.long_names)), quote_array(list(parsed.long_names.values()))
        return (f"call pg_internal.remember_names({shorts}, {names})", *statements)
    return statements


def _statements(parsed: Parsed, find_late_binding_view: FindView) -> tuple[str, ...]:
    match parsed.statement:
        case Fixed(postgres):
            return postgres
        case CopyParquet():
            return ()
        case Query(tree):
            return (query_text(tree, find_late_binding_view),)
        case CreateTableAs(head, query, after):
            return (head + query_text(query, find_late_binding_view), *after)
        case Rendered(postgres, relations, text):
            is_as_rendered = all(find_late_binding_view(schema, name) is None for schema, name in relations)
            return postgres if is_as_rendered else _statements(parse_text(text), find_late_binding_view)
        case CreateView() as created if created.late_binding:
            return (_create_late_binding(created),)
        case CreateView() as created:
            return _create_bound(created, find_late_binding_view)
        case _ as unknown:
            assert_never(unknown)


def _create_late_binding(created: CreateView) -> str:
    view = created.view
    return (
        f"call pg_internal.create_late_binding_view({quote_literal(view.schema)}, {quote_literal(view.name)}, "
        f"{str(created.replace).lower()}, {quote_array(referenced_schemas(created))}, "
        f"{quote_literal(created.text)}, {quote_literal(created.statement)})"
    )


def _create_bound(created: CreateView, find_view: FindView) -> tuple[str, ...]:
    below = late_binding_views(created.query, find_view)
    if below:
        raise not_supported(f"A bound view on the late-binding view {below[0]}")
    view = created.view
    columns = f" ({quote_names(created.columns)})" if created.columns else ""
    verb = "create or replace" if created.replace else "create"
    names = f"{quote_literal(view.schema)}, {quote_literal(view.name)}"
    return (
        *((f"call pg_internal.before_replacing_view({names})",) if created.replace else ()),
        f"{verb} view {view.sql}{columns} as {query_text(created.query, find_view)}",
        f"call pg_internal.view_created({view.regclass}, {quote_literal(created.text)})",
    )
