"""Queries and what changes rows: checked when they are parsed, written for PostgreSQL when they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from framework.sandbox.redshift_sql.catalogs import (
    check_leader_node,
    find_system_relations,
    is_system,
    schema_of,
    tables_of,
)
from framework.sandbox.redshift_sql.comparisons import ignore_trailing_blanks
from framework.sandbox.redshift_sql.dialect import generate, parse_tree, tokenize
from framework.sandbox.redshift_sql.functions import rewrite_functions
from framework.sandbox.redshift_sql.long_names import lowered
from framework.sandbox.redshift_sql.parsed import Parsed, Query
from framework.sandbox.redshift_sql.permitted import check_permitted
from framework.sandbox.redshift_sql.postgres_text import fold
from framework.sandbox.redshift_sql.refusal import Refused, not_supported, syntax_error

FindView = Callable[[str, str], str | None]
_MAX_NESTED_VIEWS = 32
_QUERIES = (exp.Select, exp.Union, exp.Except, exp.Intersect, exp.Subquery)


def parse_query(tokens: Sequence[Token], sql: str, into_table: bool = False) -> exp.Expr:
    """Return the checked tree of a SELECT; `into_table` says that its rows make a user's table.

    Raises:
        Refused: the syntax is wrong, or it holds what is not supported.
    """
    tree = parse_tree(tokens, sql)
    if not isinstance(tree, _QUERIES):
        raise syntax_error(tokens[0].text if tokens else "")
    check_permitted(tree)
    check_leader_node(tree, into_table)
    return rewrite_functions(tree)


def parse_rows_statement(tokens: Sequence[Token], sql: str) -> Parsed:
    """Parse SELECT, INSERT, DELETE or UPDATE."""
    tree = parse_tree(tokens, sql)
    check_permitted(tree)
    match tree:
        case exp.Insert() | exp.Delete() | exp.Update():
            _check_change(tree)
        case exp.Select() | exp.SetOperation() | exp.Subquery():
            pass
        case _:
            raise syntax_error(tokens[0].text)
    check_leader_node(tree)
    kind = type(tree).__name__.upper() if isinstance(tree, (exp.Insert, exp.Delete, exp.Update)) else "SELECT"
    return Parsed(kind, kind == "SELECT", None, False, None, None, Query(rewrite_functions(tree)))


def _check_change(tree: exp.Insert | exp.Delete | exp.Update) -> None:
    if tree.args.get("with_"):
        raise not_supported(f"WITH before {type(tree).__name__.upper()}")
    if isinstance(tree, exp.Insert) and not isinstance(tree.expression, (*_QUERIES, exp.Values)):
        raise syntax_error("")
    if isinstance(tree, exp.Insert) and isinstance(tree.expression, exp.Values) and tree.expression.find(exp.Select):
        raise not_supported("A subquery in VALUES")
    if isinstance(tree, exp.Delete) and tree.this.alias:
        # The grammar gives the target of DELETE no alias.
        raise syntax_error(tree.this.alias)


def query_text(tree: exp.Expr, find_view: FindView) -> str:
    """Return the PostgreSQL text of a checked tree, late-binding views written out in it."""
    tree = _expand_views(tree.copy(), find_view, _MAX_NESTED_VIEWS)
    find_system_relations(tree)
    _fold_names(tree)
    return generate(ignore_trailing_blanks(tree))


def late_binding_views(tree: exp.Expr, find_view: FindView) -> list[str]:
    """Return the names of the late-binding views that a tree reads."""
    return [f"{table.db}.{table.name}" for table in tables_of(tree) if _definition(table, find_view) is not None]


def _definition(table: exp.Table, find_view: FindView) -> str | None:
    if is_system(table) or _is_target(table):
        return None
    return find_view(fold(schema_of(table) or "public"), fold(table.name))


def _is_target(table: exp.Table) -> bool:
    above = table.parent.parent if isinstance(table.parent, exp.Schema) else table.parent
    changes = isinstance(above, (exp.Insert, exp.Delete, exp.Update))
    return changes and (table.parent is not above or table.arg_key == "this")


def _expand_views(tree: exp.Expr, find_view: FindView, depth: int) -> exp.Expr:
    """Write a subquery in place of every late-binding view; its names mean what they mean now."""
    if depth == 0:
        raise Refused("infinite recursion detected in a late-binding view", "42P17")
    for table in list(tables_of(tree)):
        definition = _definition(table, find_view)
        if definition is None:
            continue
        query = _expand_views(parse_query(tokenize(definition), definition), find_view, depth - 1)
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name))
        _unqualify(tree, schema_of(table), table.name)
        table.replace(exp.Subquery(this=query, alias=alias, joins=table.args.get("joins")))
    return tree


def _unqualify(tree: exp.Expr, schema: str, name: str) -> None:
    for column in tree.find_all(exp.Column):
        if schema and lowered(str(column.db)) == schema and lowered(column.table) == lowered(name):
            column.set("db", None)


def _fold_names(tree: exp.Expr) -> None:
    for name in tree.find_all(exp.Identifier):
        name.set("this", fold(name.name))
        name.set("quoted", True)
