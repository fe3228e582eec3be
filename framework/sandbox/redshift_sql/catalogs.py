"""Which relations of a query are the system's, where they are found, and what may not be mixed."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from framework.sandbox.redshift_sql.function_names import LEADER_ONLY
from framework.sandbox.redshift_sql.long_names import lowered
from framework.sandbox.redshift_sql.refusal import Refused, not_supported
from framework.sandbox.redshift_sql.word_set import word_set

_INFORMATION_SCHEMA = ("columns", "key_column_usage", "schemata", "table_constraints", "tables", "views")
_SYSTEM_VIEWS = (
    *(
        "pg_class_info",
        "pg_table_def",
        "pg_views",
        "pg_group",
        "stv_db_isolation_level",
        "svv_columns",
        "svv_redshift_columns",
    ),
    *("svv_relation_privileges", "svv_table_info", "svv_tables", "sys_load_error_detail"),
)
_CATALOGS = word_set(
    """
    pg_attrdef pg_constraint pg_database pg_depend pg_description pg_index pg_proc pg_rewrite pg_type pg_user
    """
)
"""PostgreSQL's own catalogs that Redshift has too."""
_CATALOGS_OF_NAMES = ("pg_attribute", "pg_class", "pg_namespace", "pg_tables")
"""Those of them that have names of more bytes than PostgreSQL takes."""
_DENIED_ON_SERVERLESS = ("stl_load_errors", "stv_slices")
"""Regular users of a Serverless workgroup may not read them."""

NOT_ON_TABLES = "Specified types or functions (one per INFO message) not supported on Amazon Redshift tables."
SYSTEM_PREFIXES = ("pg_", "svv_", "svl_", "stl_", "stv_", "sys_")


def schema_of(table: exp.Table) -> str:
    """Return the schema a table is named with, its ASCII letters in lower case; empty where there is none."""
    return lowered(str(table.db))


def is_system(table: exp.Table) -> bool:
    """Say whether a table of a query is a catalog or a system view, by its name."""
    schema, name = schema_of(table), table.name.lower()
    if schema:
        return schema in ("pg_catalog", "information_schema", "pg_internal", "pg_sandbox")
    return name.startswith(SYSTEM_PREFIXES)


def tables_of(tree: exp.Expr) -> Iterator[exp.Table]:
    """Yield the tables a tree names, without the names its WITH clauses give."""
    for table in tree.find_all(exp.Table):
        if schema_of(table) or lowered(table.name) not in _given_names(table):
            yield table


def _given_names(table: exp.Table) -> set[str]:
    names: set[str] = set()
    node: exp.Expr | None = table
    while node is not None:
        given = node.args.get("with_")
        names |= {lowered(cte.alias) for cte in given.expressions} if given else set()
        node = node.parent
    return names


def check_leader_node(tree: exp.Expr, into_table: bool = False) -> None:
    """Refuse a catalog, or a function of the leader node, together with a user's table.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/c_sql-functions-leader-node.html
    """
    tables = list(tables_of(tree))
    if not into_table and all(is_system(table) for table in tables):
        return
    if any(is_system(table) and not table.name.lower().startswith("stv_") for table in tables) or any(
        call.name.lower() in LEADER_ONLY for call in tree.find_all(exp.Anonymous)
    ):
        raise Refused(NOT_ON_TABLES)


def find_system_relations(tree: exp.Expr) -> None:
    """Point the tree's catalogs and system views at what stands for them here.

    Raises:
        Refused: the sandbox has no such view.
    """
    system = [table for table in tables_of(tree) if is_system(table)]
    for table in system:
        schema, name = _stand_in(table)
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name.lower())))
        table.set("db", exp.to_identifier(schema))
        table.set("this", exp.to_identifier(name))
    for column in tree.find_all(exp.Column) if system else ():
        if str(column.db).lower() in ("pg_catalog", "information_schema"):
            column.set("db", None)


def _stand_in(table: exp.Table) -> tuple[str, str]:
    schema, name = schema_of(table), table.name.lower()
    if schema == "information_schema" and name in _INFORMATION_SCHEMA:
        return "pg_sandbox", f"information_schema_{name}"
    if schema in ("", "pg_catalog") and name in _SYSTEM_VIEWS:
        return "pg_internal", name
    if schema in ("", "pg_catalog") and name in _CATALOGS_OF_NAMES:
        return "pg_sandbox", name
    if schema in ("", "pg_catalog") and name in _CATALOGS:
        return "pg_catalog", name
    if schema in ("", "pg_catalog") and name in _DENIED_ON_SERVERLESS:
        raise Refused(f"permission denied for relation {name}", "42501")
    raise not_supported(f"{schema}.{name}" if schema else name)
