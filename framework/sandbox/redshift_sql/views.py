"""CREATE VIEW, bound and late-binding."""

from __future__ import annotations

from sqlglot import exp

from framework.sandbox.redshift_sql.catalogs import is_system, schema_of, tables_of
from framework.sandbox.redshift_sql.parsed import CreateView, Parsed
from framework.sandbox.redshift_sql.postgres_text import fold
from framework.sandbox.redshift_sql.query import parse_query
from framework.sandbox.redshift_sql.reader import Reader, is_word
from framework.sandbox.redshift_sql.refusal import Refused, not_supported

_NO_BINDING = ["with", "no", "schema", "binding"]


def parse_create_view(reader: Reader, replace: bool) -> Parsed:
    """Parse what follows CREATE [OR REPLACE] VIEW."""
    view = reader.relation().for_creation()
    if view.is_temporary:
        raise not_supported("A temporary view")
    columns: tuple[str, ...] = ()
    if reader.accept_mark("("):
        reader.place -= 1
        columns = reader.names()
    reader.expect("as")
    tokens = reader.rest()
    late_binding = [token.text.lower() for token in tokens[-4:] if is_word(token)] == _NO_BINDING
    tokens = tokens[:-4] if late_binding else tokens
    query = parse_query(tokens, reader.sql)
    if late_binding and columns:
        raise not_supported("A late-binding view with a column list")
    if late_binding:
        _check_qualified(query)
    text = reader.sql[tokens[0].start : tokens[-1].end + 1]
    statement = reader.sql[reader.tokens[0].start : reader.tokens[-1].end + 1]
    created = CreateView(view, query, columns, replace, late_binding, text, statement)
    return Parsed("CREATE VIEW", False, None, False, None, None, created)


def _check_qualified(query: exp.Expr) -> None:
    for table in tables_of(query):
        if not schema_of(table) and not is_system(table):
            raise Refused(
                "All the relation names inside should be qualified when creating views with no schema binding."
            )


def referenced_schemas(created: CreateView) -> list[str]:
    """Return the schemas a view's query names, each once."""
    return sorted({fold(schema_of(table)) for table in tables_of(created.query) if schema_of(table)})
