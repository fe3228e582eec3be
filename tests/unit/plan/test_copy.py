"""The staging table and its COPY."""

from __future__ import annotations

from framework.model.column_type import parse_type
from framework.model.names import TableName
from framework.model.staging import FromFile, StagingColumn
from framework.plan.columns import PlannedColumn, UnloadableColumn
from framework.plan.copy import CopyInput, plan_copy
from framework.plan.missing import Fill
from framework.plan.steps import Statement


def copy_of(columns: dict[str, str], kept: dict[str, str] | None = None) -> tuple[Statement, ...]:
    planned = [
        PlannedColumn(StagingColumn(name, parse_type("varchar(65535)"), FromFile()), parse_type(text))
        for name, text in columns.items()
    ]
    unloadable = [
        UnloadableColumn(name, text, Fill(name, None, keeps_stored=True, files=(0,)))
        for name, text in (kept or {}).items()
    ]
    copy = CopyInput(planned, unloadable, None, "s3://lake/manifest.json", "default")
    return plan_copy(copy, TableName("feedway", "staging"))


def test_the_staging_table_has_the_types_of_the_target() -> None:
    create = copy_of({"a": "varchar(20)", "b": "integer"})[0]

    assert create.values["columns"] == (("a", "varchar(20)"), ("b", "integer"))


def test_a_time_is_copied_into_a_column_whose_name_is_free_and_converted() -> None:
    columns = {"feedway_utc_0": "integer", "at": "timestamptz", "opens": "time"}
    create, copy, convert = copy_of(columns, kept={"feedway_text_3": "geometry"})

    assert create.values["columns"] == (
        ("feedway_utc_0", "integer"),
        ("at", "timestamptz"),
        ("opens", "time"),
        ("feedway_text_3", "geometry"),
        ("feedway_utc_0_", "timestamp"),
        ("feedway_text_3_", "varchar(15)"),
    )
    assert copy.values["columns"] == ("feedway_utc_0", "feedway_utc_0_", "feedway_text_3_")
    assert convert.values["utc"] == [("at", "feedway_utc_0_")]
    assert convert.values["texts"] == [("opens", "feedway_text_3_", parse_type("time"))]


def test_nothing_is_converted_where_copy_fills_all_columns() -> None:
    assert [statement.template for statement in copy_of({"a": "integer"})] == [
        *("create_staging_table", "copy_staging")
    ]


def test_copy_reads_json_only_where_it_fills_a_super() -> None:
    assert copy_of({"a": "integer", "b": "super"})[1].values["has_super"] is True
    assert copy_of({"a": "integer"}, kept={"b": "geometry"})[1].values["has_super"] is False
