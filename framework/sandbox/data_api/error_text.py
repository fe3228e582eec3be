"""What DescribeStatement says in Error: the driver's text, as the statement's caller reads it.

Source: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html (`ERROR: ...`, then indented lines)
"""

from __future__ import annotations

import psycopg

from framework.sandbox import redshift_sql
from framework.sandbox.data_api.cancellation import Cancelled
from framework.sandbox.data_api.results import ResultTooLarge

STATEMENT_ERRORS = (redshift_sql.Refused, psycopg.Error, ResultTooLarge, Cancelled)
"""What a statement may end in; anything else is a bug of the sandbox."""


def error_text(error: Exception) -> str:
    """Return the text of Error for what a statement ended in."""
    match error:
        case redshift_sql.Refused():
            return _text("ERROR", error.message, error.detail, error.position)
        case psycopg.Error():
            return _postgres_text(error)
        case Cancelled():
            return "ERROR: Query cancelled on user's request"
        case _:
            return f"ERROR: {error}"


def _postgres_text(error: psycopg.Error) -> str:
    diagnosis = error.diag
    if diagnosis.message_primary is None:
        # PostgreSQL went away in mid-sentence.
        return f"FATAL: {str(error).strip()}"
    severity = diagnosis.severity_nonlocalized or "ERROR"
    return _text(severity, redshift_sql.redshift_message(error))


def _text(severity: str, message: str, detail: str | None = None, position: int | None = None) -> str:
    lines = [f"{severity}: {message}"]
    if detail:
        lines.append(f"Detail: {detail}")
    if position:
        lines.append(f"Position: {position}")
    return "\n  ".join(lines)
