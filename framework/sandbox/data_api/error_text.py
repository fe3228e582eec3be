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

_REWORDED = frozenset({"23502", "23514", "40001"})
"""Errors of which Redshift says something else; PostgreSQL's detail would not go with it."""


def error_text(error: Exception, query_id: int | None = None) -> str:
    """Return the text of Error for what a statement ended in; `query_id` is None before it runs.

    Whoever cancelled it, and where it reached its statement_timeout, the words are the same. Sources:
    https://docs.aws.amazon.com/redshift/latest/dg/cancel_query.html and r_statement_timeout.html
    """
    match error:
        case Cancelled() | psycopg.errors.QueryCanceled():
            return f"ERROR: Query{'' if query_id is None else f' ({query_id})'} cancelled on user's request"
        case redshift_sql.Refused():
            return _text("ERROR", error.message, Detail=error.detail, Position=error.position)
        case psycopg.Error():
            return _postgres_text(error)
        case _:
            return f"ERROR: {error}"


def _postgres_text(error: psycopg.Error) -> str:
    diagnosis = error.diag
    if diagnosis.message_primary is None:
        # PostgreSQL went away in mid-sentence.
        return f"FATAL: {str(error).strip()}"
    detail, hint = diagnosis.message_detail, diagnosis.message_hint
    if error.sqlstate in _REWORDED:
        detail = hint = None
    # No position: it would be one in the translated text.
    severity = diagnosis.severity_nonlocalized or "ERROR"
    return _text(severity, redshift_sql.redshift_message(error), Detail=detail, Hint=hint)


def _text(severity: str, message: str, **notes: str | int | None) -> str:
    lines = [f"{severity}: {message}"]
    lines += [f"{name}: {note}" for name, note in notes.items() if note]
    return "\n  ".join(lines)
