"""What `plan` reports of a load's columns: one test for each way in which a type comes about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from framework.model.column_type import parse_type
from framework.model.files import FieldType, FileIdentity, FileLayout, RowsStart, SourceBatch, SourceFile
from framework.model.measurements import ColumnMeasurement, ColumnProfile, FileMeasurement, Measurements
from framework.model.names import TableName
from framework.model.observation import ObservedTable, TableColumn
from framework.plan.columns import plan_columns
from framework.plan.load_input import Staged
from framework.plan.load_report import ColumnReport, report_columns, rows_rewritten
from framework.plan.measured import apply_measurements
from framework.plan.schema_changes import RewriteColumn
from framework.plan.type_reason import METADATA, OF_FILE, OF_TABLE, TypeReason
from framework.spec.load import load_pipeline_text

NOON = datetime(2026, 1, 2, tzinfo=UTC)
WHOLES = ColumnProfile(4, 4, 4, 0, 0, 0, 6, 6, 0, -5, 123_456)
TEXTS = ColumnProfile(4, 0, 0, 0, 0, 0, 12, 0, 0, None, None)
OUT_OF_RANGE = ColumnMeasurement(misfits=1, wider=1, integer_digits=10, smallest=3_000_000_000, largest=3_000_000_000)
SPEC = """\
pipeline: p
source: {prefix: data/in/p/}
target: {table: t}
load: {mode: append}
types:
  columns: {declared: varchar(16), widened: bigint}
  rules: [{name: '*_code', type: varchar(64)}]
bad_rows: {log_samples: LOG}
"""
HEADERS = {
    "known": "Known",
    "grown": "Grown",
    "widened": "Widened",
    "declared": "Declared",
    "new_code": "New Code",
    "number": "Number",
    "text": "Text",
    "typed": "Typed",
}
TABLE = ObservedTable(
    TableName("public", "t"),
    tuple(
        TableColumn(name, parse_type("integer"), "integer", nullable=True)
        for name in ("known", "grown", "widened", "absent")
    ),
)


def report(*, with_samples: bool = True, rows: int = 4) -> dict[str, ColumnReport]:
    """Return the report of a load that has each kind of column, by column."""
    spec = load_pipeline_text(SPEC.replace("LOG", str(with_samples).lower()), "p.yml", "p")
    identity = FileIdentity("lake", "data/in/p/1.csv", "e", 1)
    file = SourceFile("lake", identity.key, "e", 1, NOON, identity, NOON)
    types = tuple(FieldType("BIGINT" if name == "typed" else "VARCHAR", None) for name in HEADERS)
    types = (*types[:-1], replace(types[-1], type=parse_type("bigint")))
    layout = FileLayout(
        file,
        0,
        "1.csv",
        tuple(HEADERS),
        spec.source.csv,
        RowsStart(0, 1, "\n", True),
        header=tuple(HEADERS.values()),
        types=types,
    )
    batch = SourceBatch((layout,))
    profiles = {"new_code": WHOLES, "number": WHOLES, "text": TEXTS}
    columns = plan_columns(spec, TABLE, batch, profiles, NOON)
    measured = {column.name: ColumnMeasurement() for column in columns.columns} | {"grown": OUT_OF_RANGE}
    seen = Measurements((FileMeasurement(0, rows, rows, 0),), measured, 0, samples={"known": "7", "text": "x"})
    staged = Staged(batch, apply_measurements(spec, columns, seen), seen)
    return {each.column: each for each in report_columns(staged, with_samples)}


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ("known", OF_TABLE),
        ("absent", OF_TABLE),
        ("grown", TypeReason("values", "the value 3000000000")),
        ("widened", TypeReason("spec", "declared in the spec")),
        ("declared", TypeReason("spec", "declared in the spec")),
        ("new_code", TypeReason("rule", "rule for the name *_code", "whole numbers, from -5 to 123456")),
        ("number", TypeReason("values", "all values are whole numbers", "from -5 to 123456")),
        ("text", TypeReason("values", "all values are text", "the longest has 12 bytes")),
        ("typed", OF_FILE),
        ("run_date", METADATA),
    ],
)
def test_a_type_has_a_reason(column: str, reason: TypeReason) -> None:
    assert report()[column].reason == reason


def test_columns_stand_in_the_order_of_the_file_before_others() -> None:
    assert list(report()) == [*HEADERS, "absent", "run_date", "file_name"]


def test_a_column_has_its_header_its_change_and_a_sample() -> None:
    found = report()

    assert {name: column.header for name, column in found.items()} == {
        **HEADERS,
        **dict.fromkeys(("absent", "run_date", "file_name")),
    }
    assert [name for name, column in found.items() if column.change == "wider"] == ["grown", "widened"]
    assert (found["grown"].type_before, found["grown"].type) == ("integer", "bigint")
    assert [name for name, column in found.items() if column.change is None] == ["known", "absent"]
    assert {name: column.sample for name, column in found.items() if column.sample} == {"known": "7", "text": "x"}


def test_without_samples_there_is_no_value() -> None:
    found = report(with_samples=False)

    assert {column.sample for column in found.values()} == {None}
    assert "3000000000" not in str(found["grown"].reason)
    assert str(found["number"].reason) == "all values are whole numbers: up to 6 digits"


def test_a_load_without_rows_reports_no_column() -> None:
    assert report(rows=0) == {}


def test_rewrites_count_once_for_a_copy_of_the_table() -> None:
    integer, bigint = parse_type("integer"), parse_type("bigint")
    one = RewriteColumn("a", integer, bigint, OF_TABLE, None, None, rows=3)

    assert rows_rewritten([]) == 0
    assert rows_rewritten([one, one]) == 6
    assert rows_rewritten([one, replace(one, needs_new_table="it is a key")]) == 3
    assert rows_rewritten([one, replace(one, rows=None)]) is None
