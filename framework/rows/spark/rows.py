"""Rows of source files with the values of the staging columns, marked as good or bad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from framework.model.column_type import Kind
from framework.model.csv_options import CsvOptions
from framework.model.staging import FILE_COLUMN, ROW_COLUMN, Constant, FileName, FromFile, RunDate, StagingColumn
from framework.rows.spark.faults import SUSPECT
from framework.rows.spark.files import OpenedFile
from framework.rows.spark.read import field_text, parse_fields
from framework.rows.spark.source import SparkSource
from framework.rows.spark.sql import converted, named, quoted, spark_type

_DAY_KINDS = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)


@dataclass(frozen=True)
class CheckedColumn:
    """A staging column as rows hold it: `text` and `value` are names of DataFrame columns.

    `text` is None where the value is made and not read, and so is never a misfit.
    """

    column: StagingColumn
    text: str | None
    value: str

    @property
    def misfit(self) -> str:
        """The condition that the text is no value of the type."""
        return "false" if self.text is None else f"({self.text} is not null and {self.value} is null)"

    @property
    def null_key(self) -> str:
        """The condition that a required value is missing."""
        return f"({self.text or self.value} is null)" if self.column.required else "false"


def name_columns(columns: Sequence[StagingColumn]) -> tuple[CheckedColumn, ...]:
    """Return the staging columns with the names their texts and values have in rows."""
    return tuple(
        CheckedColumn(column, None if isinstance(column.value, RunDate) else f"t{index}", f"v{index}")
        for index, column in enumerate(columns)
    )


def read_texts(source: SparkSource, opened: OpenedFile, columns: Sequence[CheckedColumn]) -> DataFrame:
    """Return one row per record of a file, with the columns' texts.

    Columns: feedway_file, feedway_row, `record`, `fault`, `has_wrong_count`, the texts. They are
    the same for every file, so that the files' rows can be put together.
    """
    parsed = parse_fields(source.read_records(opened), opened, source.options)
    place = [f"{opened.layout.ordinal} as {FILE_COLUMN}", ROW_COLUMN, "record", "fault", "has_wrong_count"]
    texts = [f"{_text(opened, checked, source.options)} as {checked.text}" for checked in columns if checked.text]
    return parsed.selectExpr(*place, *texts)


def check_rows(texts: DataFrame, columns: Sequence[CheckedColumn]) -> DataFrame:
    """Return the rows with the columns' values, and `is_bad`."""
    values = [f"{_value(checked)} as {checked.value}" for checked in columns]
    faults = [checked.misfit for checked in columns if checked.text]
    faults += [checked.null_key for checked in columns if checked.column.required]
    is_bad = " or ".join(["has_wrong_count", *faults])
    return texts.selectExpr("*", *values).selectExpr("*", f"({is_bad}) as is_bad")


def good_rows(checked: DataFrame, columns: Sequence[CheckedColumn]) -> DataFrame:
    """Return the staging rows: the columns in their order, then feedway_file and feedway_row."""
    values = [f"{_written(column)} as {named(column.column.name)}" for column in columns]
    good = checked.where(f"not is_bad and fault <= {SUSPECT}")
    return good.selectExpr(*values, FILE_COLUMN, ROW_COLUMN)


def _written(checked: CheckedColumn) -> str:
    """Return the value as staging files hold it: a time with an offset as the time in UTC, the session's zone."""
    is_zoned = checked.column.type.kind is Kind.TIMESTAMPTZ
    return f"cast({checked.value} as timestamp_ntz)" if is_zoned else checked.value


def _text(opened: OpenedFile, checked: CheckedColumn, options: CsvOptions) -> str:
    column = checked.column
    if isinstance(column.value, FileName):
        return _for_every_row(quoted(opened.layout.name))
    if isinstance(column.value, Constant):
        return _for_every_row(_literal(column.value.text))
    assert isinstance(column.value, FromFile)
    return field_text(opened, column.name, options) or _for_every_row(_literal(column.value.fill))


def _literal(text: str | None) -> str:
    return "cast(null as string)" if text is None else quoted(text)


def _for_every_row(text: str) -> str:
    # Spark would fold a constant into the filter, find that no row passes, and drop the
    # observation with the plan; whoever reads it then waits for ever.
    return f"case when fault >= 0 then {text} end"


def _value(checked: CheckedColumn) -> str:
    column = checked.column
    if isinstance(column.value, RunDate):
        micros = int(column.value.at.timestamp()) * 1_000_000 + column.value.at.microsecond
        type_sql = spark_type(column.type) if column.type.kind in _DAY_KINDS else "string"
        return f"cast(timestamp_micros({micros}L) as {type_sql})"
    assert checked.text is not None
    return converted(column, checked.text)
