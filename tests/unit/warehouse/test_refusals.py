"""Which refusals are met with another attempt."""

import pytest

from framework.errors import AtFault
from framework.warehouse.refusals import at_fault_in, is_outage_text, is_transient_response, is_transient_text


@pytest.mark.parametrize(
    "text",
    [
        "ERROR: 1023\n  Detail: Serializable isolation violation on table - 1",
        "Query #4 failed with ERROR: deadlock detected",
        "ERROR: could not complete because of conflict with concurrent transaction",
        "ERROR: could not open relation with OID 12345",
        "FATAL: the database system is starting up",
        "ERROR: S3 Query Exception (Fetch)",
        "ERROR: Query (168) cancelled on user's request",
        "Query #2 failed with ERROR: Query (150) canceled on user's request",
        "ERROR: Query cancelled on user's request",
    ],
)
def test_a_condition_that_passes_is_transient(text: str) -> None:
    assert is_transient_text(text)


@pytest.mark.parametrize(
    "text",
    [
        'ERROR: syntax error at or near "FROM"\n  Position: 12',
        'ERROR: relation "x" does not exist',
        "ERROR: permission denied for relation orders",
        "ERROR: Load into table 'listing' failed.  Check 'stl_load_errors' system table for details.",
        "ERROR: Query (1) cancelled on user's request: statement timeout",
        "ERROR: Disk Full",
        "some text nobody has seen before",
    ],
)
def test_everything_else_is_permanent(text: str) -> None:
    assert not is_transient_text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FATAL: the database system is starting up", True),
        ("ERROR: connection reset by peer", True),
        ("terminating connection due to administrator command", True),
        ("ERROR: S3 Query Exception (Fetch)", True),
        ("SlowDown: Please reduce your request rate.", True),
        ("ERROR: 1023\n  Detail: Serializable isolation violation on table - 1", False),
        ("Query #4 failed with ERROR: deadlock detected", False),
        ("ERROR: Query cancelled by WLM abort action", False),
    ],
)
def test_an_outage_is_distinguished_from_a_conflict_with_others(text: str, expected: bool) -> None:
    assert is_transient_text(text)
    assert is_outage_text(text) is expected


@pytest.mark.parametrize(
    ("code", "status", "message", "expected"),
    [
        ("ThrottlingException", 400, "Rate exceeded", True),
        ("ValidationException", 400, "Throttling: too many requests", True),
        ("ValidationException", 400, "Sql is too long", False),
        ("InternalServerException", 500, "", True),
        ("AccessDeniedException", 400, "no", False),
        ("ActiveStatementsExceededException", 400, "", True),
    ],
)
def test_an_api_answer_is_judged_by_its_code(code: str, status: int, message: str, expected: bool) -> None:
    assert is_transient_response(code, status, message) is expected


STAGED = "rows-00002-000001-1-0a1b2c3d.parquet"
URL = f"https://s3.eu-west-1.amazonaws.com/lake/staging/f/i/r/plan-1/{STAGED}"
LENGTH = (
    "context:   The length of the data column name is longer than the length defined in the table. "
    f"Table: 256, Data: 262, File name: {URL}\n  query: 26301369"
)
SCHEMA = (
    f"context:   File '{URL}' has an incompatible Parquet schema for column 's3://lake/a b/{STAGED}.it's'. "
    "Column type: INT, Parquet schema:\n optional byte_array it's [i:0 d:1 r:0]"
)
COUNT = (
    "context:   Unmatched number of columns between table and file. Table columns: 20, Data columns: 16, "
    f"File name: {URL}"
)


@pytest.mark.parametrize(
    ("text", "column", "file"),
    [
        ("ERROR: Cannot insert a NULL value into column made at\n  Detail: \n  error:  Cannot insert", "made at", None),
        ("ERROR: Cannot insert a NULL value into column made at [ErrorId: 1-65f0]", "made at", None),
        (LENGTH, "name", STAGED),
        (SCHEMA, "it's", STAGED),
        # A driver has cut off the text, and the name may go on.
        (SCHEMA.partition("'. Column type")[0], None, STAGED),
        (COUNT, None, STAGED),
        ("ERROR: Spectrum Scan Error\n  context:   File not found", None, None),
        ("ERROR: value too long for type character varying(3)", None, None),
        ("ERROR: Numeric data overflow (result precision)", None, None),
        ("", None, None),
    ],
)
def test_a_column_and_a_staging_file_are_read_where_a_text_names_them(
    text: str, column: str | None, file: str | None
) -> None:
    assert at_fault_in(text) == AtFault(column, file)
