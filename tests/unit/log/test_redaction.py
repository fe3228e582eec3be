"""Error texts of others keep the names in them and lose the values."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given

from framework.errors import SourceFileError
from framework.log.redaction import safe_message, trace, without_values
from framework.rows.sql.database import database_failures
from tests.hostile import TEXTS


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ('ERROR: invalid input syntax for integer: "4711"', 'ERROR: invalid input syntax for integer: "…"'),
        (
            "ERROR: Invalid digit, Value '4711', Pos 0, Type: Integer",
            "ERROR: Invalid digit, Value '…', Pos 0, Type: Integer",
        ),
        ('ERROR: value "4711" is out of range for type smallint', 'ERROR: value "…" is out of range for type smallint'),
        ("Failing row contains (1, 4711, (x)).", "Failing row contains (…)."),
        ("Key (id)=(4711) already exists.", "Key (id)=(…) already exists."),
        (
            'date/time field value out of range: "4711" of column "a"',
            'date/time field value out of range: "…" of column "a"',
        ),
        ('invalid input syntax for integer: "4711', 'invalid input syntax for integer: "…"'),
        ('relation "s"."t" has no column "a"', 'relation "s"."t" has no column "a"'),
        ('syntax error at or near "frm"', 'syntax error at or near "frm"'),
        ('column name "oid" conflicts with a system column name', None),
        ("ERROR: Query cancelled on user's request", "ERROR: Query cancelled on user's request"),
        ("1023\n  Detail: Serializable isolation violation on table - 0", None),
    ],
)
def test_values_go_and_names_stay(message: str, kept: str | None) -> None:
    assert without_values(message) == (message if kept is None else kept)
    assert "4711" not in without_values(message)


@pytest.mark.parametrize(
    "message",
    [
        'invalid input syntax: "{}"',
        "Value '{}', Pos 0",
        "Failing row contains ({}).",
        "[MALFORMED_CSV_RECORD] Malformed CSV record: {} SQLSTATE: KD000",
    ],
)
@given(value=TEXTS)
def test_no_value_is_left_whatever_quotes_it_holds(message: str, value: str) -> None:
    hidden = without_values(message.format(f"4711{value}4712"))

    assert "4711" not in hidden
    assert "4712" not in hidden


def test_an_error_of_ours_is_reported_as_it_is_and_others_without_values() -> None:
    assert safe_message(SourceFileError("row 1: '4711' is no date")) == "row 1: '4711' is no date"
    assert (
        safe_message(ValueError("could not convert string to float: '4711'"))
        == "could not convert string to float: '…'"
    )


def test_a_trace_has_the_places_and_classes_of_all_causes() -> None:
    def fails() -> None:
        try:
            int("4711x")
        except ValueError as error:
            raise KeyError("4711") from error

    with pytest.raises(KeyError) as caught:
        fails()
    text = trace(caught.value)
    assert text.index("ValueError: invalid literal for int() with base 10: '…'") < text.index("KeyError: '…'")
    assert 'in fails\n    raise KeyError("4711") from error' in text


def test_duckdb_shows_no_row() -> None:
    with pytest.raises(Exception, match="DuckDB failed: Conversion Error") as caught, database_failures():
        duckdb.execute("select cast('4711' || 'x' as integer)").fetchall()
    assert "4711" not in str(caught.value)
    assert caught.value.__cause__ is None
