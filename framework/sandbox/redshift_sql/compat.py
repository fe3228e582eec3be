"""The sandbox's database: what must be in it, and how sessions are set, so that it can stand for Redshift."""

from __future__ import annotations

from pathlib import Path

SESSION_SETTINGS: tuple[str, ...] = (
    'set search_path to pg_internal, pg_catalog, "$user", public',
    "set standard_conforming_strings to on",
    "set time zone 'UTC'",
    "set datestyle to 'ISO, MDY'",
    "set client_min_messages to warning",
)
"""Statements for each new connection. Redshift's sessions are in UTC."""

_DDL = Path(__file__).parent / "ddl"


def compat_sql() -> str:
    """Return the statements that prepare a database, for a superuser; they may be run again.

    Schema `pg_internal` comes first in the search path and holds functions, procedures and system
    views; `pg_sandbox` holds what PostgreSQL cannot remember of a table.
    """
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(_DDL.glob("*.sql")))
