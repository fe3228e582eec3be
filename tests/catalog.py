"""What the catalog knows of a table, to be compared before and after a change."""

from __future__ import annotations

from typing import Any

from tests.harness import FeedHarness


def catalog(feed: FeedHarness) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that the catalog knows of the target, but for the types of its columns."""
    table = f"schema_name = 'public' and table_name = '{feed.name}'"
    return {
        "columns": feed.sql(
            "select column_name, column_default, is_nullable, encoding, distkey, sortkey, remarks "
            f"from svv_redshift_columns where {table} order by 1"
        ),
        "design": feed.sql(
            "select reldiststyle, tableowner from pg_class_info inner join pg_tables on tablename = relname "
            f"where relname = '{feed.name}' and schemaname = 'public'"
        ),
        "keys": feed.sql(
            "select constraint_type, column_name from information_schema.table_constraints as t "
            "inner join information_schema.key_column_usage as k on k.constraint_name = t.constraint_name "
            f"where t.table_name = '{feed.name}' order by 1, 2"
        ),
        "grants": feed.sql(
            "select identity_name, identity_type, privilege_type, admin_option from svv_relation_privileges "
            f"where relation_name = '{feed.name}' and identity_name like '%{feed.name}' order by 1, 3"
        ),
        "comments": feed.sql(
            "select objsubid = 0, description from pg_description inner join pg_class on pg_class.oid = objoid "
            f"where relname = '{feed.name}' order by 1, 2"
        ),
        "remains": feed.sql(f"select table_name from svv_tables where table_name like '{feed.name}\\\\_\\\\_%'"),
    }
