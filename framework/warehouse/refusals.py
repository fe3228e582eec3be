"""The cause of a refusal by the warehouse, and whether a retry may succeed. Texts that are not listed are permanent.

The Data API gives no SQLSTATE, so this module, and no other, classifies a failed statement by its text.

Sources: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-troubleshooting.html;
dbt-redshift's connections.py; https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
"""

from __future__ import annotations

import re

from framework.errors import AtFault, Cause

TRANSIENT_API_CODES = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "InternalServerException",
        "InternalError",
        "ServiceUnavailable",
        "ExecuteStatementException",
        "BatchExecuteStatementException",
        "DatabaseConnectionException",
        "ActiveStatementsExceededException",
        "ActiveSessionsExceededException",
        "QueryTimeoutException",
    }
)
TRANSIENT_HTTP_STATUSES = frozenset({429, 500, 502, 503, 504, 509})

_CANCELLED = r"query (\(\d+\) )?cancell?ed"
"""`Query (168) cancelled on user's request`; with one l in the pages on statement_timeout."""
_TRANSIENT_TEXTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b1023\b",
        r"serializable isolation violation",
        r"\b1018\b.*relation does not exist",
        r"could not complete because of conflict with concurrent transaction",
        r"could not open relation with oid",
        r"deadlock detected",
        _CANCELLED,
        r"connection (or an prior query failed|refused|reset|timed? ?out|lost|was closed)",
        r"terminating connection",
        r"server closed the connection",
        r"the database system is (starting up|shutting down|in recovery mode)",
        r"s3 query exception",
        r"awsclientexception.*timeout",
        r"slowdown|please reduce your request rate",
        r"throttling",
        # Two runs that create the control schema concurrently.
        r"tuple concurrently (updated|deleted)|pg_(class|type|namespace)_\w*_index",
    )
)
_OUTAGE_TEXTS = re.compile(
    r"\bconnection|the database system is|s3 query exception|awsclientexception"
    r"|slowdown|please reduce your request rate|throttling",
    re.IGNORECASE,
)
"""The transient texts of a service that is down or overloaded; the others name a conflict with another session."""
_CAUSES = tuple(
    (re.compile(pattern, re.IGNORECASE), cause)
    for pattern, cause in (
        (r"permission denied|not authorized|subquery pattern is not supported", Cause.NOT_PERMITTED),
        (r"\bcolumn \S+ .*already exists", Cause.COLUMN_EXISTS),
        (r"\bcolumn\b.* does not exist", Cause.MISSING_COLUMN),
        (r"\b(?:relation|schema|table)\b.* does not exist", Cause.MISSING_RELATION),
        (r"\bdatabase\b.* does not exist", Cause.MISSING_DATABASE),
        (r"\b(?:user|group|role)\b.* does not exist", Cause.MISSING_GRANTEE),
        (r"value too long", Cause.VALUE_TOO_LONG),
        (r"\bnull value\b", Cause.NULL_NOT_ALLOWED),
    )
)
"""The first match counts. A column's message may name its relation too."""
_NAME = re.compile(r'\b(?:column|relation|function|schema|type|entry for table|near) "?([^\s"(]+)')
_COLUMNS_AT_FAULT = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?m)Cannot insert a NULL value into column (?P<column>.+?)(?: \[ErrorId: \S+\])?\s*$",
        r"The length of the data column (?P<column>.+?) is longer than the length defined in the table\.",
        r"has an incompatible Parquet schema for column '[^'\n]*?\.parquet\.(?P<column>.+?)'\. Column type: ",
    )
)
"""Sources: https://github.com/aws/aws-sdk-pandas/issues/280;
https://github.com/aws/amazon-redshift-python-driver/issues/107; NULL has error code 8007. A text that a driver has cut
off inside a name matches none of them."""
_FILE_AT_FAULT = re.compile(r"[^\s/']+?\.parquet\b")
_KNOWN_WORDS = (
    "permission denied",
    "access denied",
    "not authorized",
    "must be owner",
    "does not exist",
    "already exists",
    "depend on it",
    "invalid input syntax",
    "invalid digit",
    "out of range",
    "overflow",
    "division by zero",
    "value too long",
    "null value",
    "cannot cast",
    "syntax error",
    "disk full",
    "out of memory",
    "statement timeout",
    "cancelled on user's request",
    "serializable isolation violation",
    "conflict with concurrent transaction",
    "deadlock detected",
    "incompatible parquet schema",
    "spectrum scan error",
    "connection",
)
_PERMANENT_TEXTS = re.compile(r"statement timeout|disk full|access ?denied|permission denied", re.IGNORECASE)


def cause_of(message: str) -> Cause:
    """Return why a statement was refused, from its error text."""
    return next((cause for pattern, cause in _CAUSES if pattern.search(message)), Cause.OTHER)


def known_words(message: str) -> str:
    """Return the words of an error text that are the warehouse's own, without names and values."""
    found = [words for words in _KNOWN_WORDS if words in message.lower()]
    return ", ".join(found) or "the log has the warehouse's message"


def name_at_fault(message: str) -> str | None:
    """Return the name that an error text gives as its cause, without its schema; None where it gives none."""
    named = _NAME.search(message)
    return None if named is None else named[1].rpartition(".")[2] or None


def at_fault_in(message: str) -> AtFault:
    """Return the column and the staging file that an error text of COPY or INSERT names, before it is redacted."""
    column = next((found["column"] for each in _COLUMNS_AT_FAULT if (found := each.search(message))), None)
    file = _FILE_AT_FAULT.search(message)
    return AtFault(column, None if file is None else file[0])


def is_transient_text(message: str) -> bool:
    """Return whether a failed statement's error text names a transient condition."""
    if _PERMANENT_TEXTS.search(message):
        return False
    return any(pattern.search(message) for pattern in _TRANSIENT_TEXTS)


def is_cancelled_text(message: str) -> bool:
    """Return whether a failed statement's error text says that it was cancelled."""
    return re.search(_CANCELLED, message, re.IGNORECASE) is not None


def is_outage_text(message: str) -> bool:
    """Return whether a transient error's text means that a service is down or overloaded, for every load alike."""
    return _OUTAGE_TEXTS.search(message) is not None


def is_transient_response(code: str, status: int, message: str) -> bool:
    """Return whether a retry of a refused API call may succeed.

    Throttling is sometimes a ValidationException that says so.
    """
    if code in TRANSIENT_API_CODES or status in TRANSIENT_HTTP_STATUSES:
        return True
    return code == "ValidationException" and "throttl" in message.lower()
