"""PostgreSQL's errors in Redshift's words; what is the same in both is left as it is."""

from __future__ import annotations

import re

import psycopg

_LENGTH_CHECK = re.compile(r"bytes_\d+_(.+)")
_INTEGER = re.compile(r'invalid input syntax for type (?:smallint|integer|bigint): (".*")', re.DOTALL)
_DEPENDENT_COLUMN = re.compile(r"cannot drop column (.+) of table (.+) because other objects depend on it", re.DOTALL)
_CONFLICTS = ("tuple concurrently updated", "tuple concurrently deleted")


def redshift_message(error: psycopg.Error) -> str:
    """Return what Redshift says in place of an error of PostgreSQL, without "ERROR: ".

    The error of a conflict carries its detail, which PostgreSQL does not give; the table and the
    transactions in it are zero.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
    """
    message = error.diag.message_primary or str(error)
    match error.sqlstate:
        case "23502":
            return f"Cannot insert a NULL value into column {error.diag.column_name}"
        case "23514":
            check = _LENGTH_CHECK.fullmatch(error.diag.constraint_name or "")
            return f"value too long for type {check[1]}" if check else message
        case "22P02":
            return _INTEGER.sub(r"invalid input syntax for integer: \1", message)
        case "2BP01":
            return _DEPENDENT_COLUMN.sub(r"cannot drop table \2 column \1 because other objects depend on it", message)
        case "40001":
            return (
                "1023\n  Detail: Serializable isolation violation on table - 0, "
                "transactions forming the cycle are: 0, 0 (pid:0)"
            )
        case "XX000" if message in _CONFLICTS:
            return "could not complete because of conflict with concurrent transaction"
        case _:
            return message
