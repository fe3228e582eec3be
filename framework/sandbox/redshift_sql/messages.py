"""PostgreSQL's errors in Redshift's words; what is the same in both is left as it is."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg

_LENGTH_CHECK = re.compile(r"bytes_\d+_(.+)")
_ROLE = r'role "(?:(group|role):)?(.*)"'


def _name_identity(found: re.Match[str]) -> str:
    """Name a user, group or role by what Redshift calls it."""
    return f'{found[1] or "user"} "{found[2]}"'


_SAME_STATE: dict[str, tuple[str, str | Callable[[re.Match[str]], str]]] = {
    "22P02": (
        r'invalid input syntax for type (?:smallint|integer|bigint): (".*")',
        r"invalid input syntax for integer: \1",
    ),
    "2BP01": (
        r"cannot drop column (.+) of table (.+) because other objects depend on it",
        r"cannot drop table \2 column \1 because other objects depend on it",
    ),
    "42P16": (r"(cannot change data type of view column .+) from .+ to .+", r"\1"),
    "42501": (r"permission denied for (?:table|view) (.+)", r"permission denied for relation \1"),
    "42704": (_ROLE, _name_identity),
    "42710": (_ROLE, _name_identity),
    "55000": (r"cannot (insert into|update|delete from) view .+", r"cannot \1 a view"),
}
"""By SQLSTATE: PostgreSQL's text and Redshift's."""

_CONFLICT_TEXT = re.compile(r'tuple concurrently |type ".*" already exists')
_CONFLICT = "could not complete because of conflict with concurrent transaction"
_VIOLATION = (
    "1023\n  Detail: Serializable isolation violation on table - 0, transactions forming the cycle are: 0, 0 (pid:0)"
)


def redshift_message(error: psycopg.Error) -> str:
    """Return what Redshift says in place of an error of PostgreSQL, without "ERROR: ".

    A serializable isolation violation carries its detail, which PostgreSQL does not give; the table
    and the transactions in it are zero.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
    """
    message = error.diag.message_primary or str(error)
    match error.sqlstate:
        case "23502":
            return f"Cannot insert a NULL value into column {error.diag.column_name}"
        case "23514":
            check = _LENGTH_CHECK.fullmatch(error.diag.constraint_name or "")
            return f"value too long for type {check[1]}" if check else message
        case "40001":
            return _VIOLATION
        case "23505" | "42710" | "XX000" if _is_conflict(error, message):
            return _CONFLICT
        case state if state in _SAME_STATE:
            found, said = _SAME_STATE[state]
            return re.sub(found, said, message, flags=re.DOTALL)
        case _:
            return message


def _is_conflict(error: psycopg.Error, message: str) -> bool:
    """Say whether two transactions changed one object: created a name, or altered it.

    A table's own type is only met where another transaction has created the table since it was looked for.
    """
    in_catalog = error.diag.schema_name in ("pg_catalog", "pg_sandbox")
    return in_catalog or _CONFLICT_TEXT.match(message) is not None
