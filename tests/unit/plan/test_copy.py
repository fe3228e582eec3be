"""The staging table and its COPY."""

from __future__ import annotations

from framework.model.column_type import parse_type
from framework.model.names import TableName
from framework.model.staging import FromFile, StagingColumn
from framework.plan.columns import PlannedColumn
from framework.plan.copy import plan_copy
from framework.plan.steps import Transaction


def copy_of(columns: dict[str, str]) -> Transaction:
    planned = [
        PlannedColumn(StagingColumn(name, parse_type("varchar(65535)"), FromFile()), parse_type(text))
        for name, text in columns.items()
    ]
    return plan_copy(TableName("feedway", "staging"), planned, "s3://lake/manifest.json", "default")


def test_the_staging_table_has_the_types_of_the_target() -> None:
    create = copy_of({"a": "varchar(20)", "b": "integer"}).statements[1]

    assert create.values["columns"] == (("a", parse_type("varchar(20)")), ("b", parse_type("integer")))


def test_a_time_with_an_offset_is_copied_into_a_column_whose_name_is_free() -> None:
    _, create, copy, set_time_zone = copy_of({"feedway_utc_0": "integer", "at": "timestamptz"}).statements

    assert create.values["columns"] == (
        ("feedway_utc_0", parse_type("integer")),
        ("at", parse_type("timestamptz")),
        ("feedway_utc_0_", parse_type("timestamp")),
    )
    assert copy.values["columns"] == ("feedway_utc_0", "feedway_utc_0_")
    assert set_time_zone.values["columns"] == [("at", "feedway_utc_0_")]
