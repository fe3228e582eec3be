"""Rows of a source file with the values of the staging columns, good and bad ones told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from framework.column_type import Kind
from framework.frames.spark.faults import SUSPECT
from framework.frames.spark.files import OpenedFile
from framework.frames.spark.read import field_text, parse_fields, read_records
from framework.frames.spark.sql import converted, named, quoted, spark_type
from framework.schema.values import FILE_COLUMN, ROW_COLUMN, FileName, FromFile, RunDate, StagingColumn
from framework.spec.pipeline import CsvOptions


@dataclass(frozen=True)
class CheckedColumn:
    """A staging column as a file's rows hold it: `text` and `value` are names of DataFrame columns.

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


@dataclass(frozen=True)
class CheckedRows:
    """Rows of one file: `record`, `feedway_row`, `fault`, `has_wrong_count`, `is_bad`, and the columns'."""

    opened: OpenedFile
    frame: DataFrame
    columns: tuple[CheckedColumn, ...]

    def good(self, frame: DataFrame) -> DataFrame:
        """Return the staging rows of `frame`, which is this one or this one observed."""
        values = [f"{column.value} as {named(column.column.name)}" for column in self.columns]
        place = [f"{self.opened.layout.ordinal} as {FILE_COLUMN}", ROW_COLUMN]
        return frame.where(f"not is_bad and fault <= {SUSPECT}").selectExpr(*values, *place)


def check_rows(
    spark: SparkSession,
    opened: OpenedFile,
    columns: Sequence[StagingColumn],
    options: CsvOptions,
    by_lines: bool,
) -> CheckedRows:
    """Return a file's rows with the staging columns' texts and values; nothing is read yet."""
    parsed = parse_fields(read_records(spark, opened, options, by_lines), opened, options)
    texts = [_text(opened, column, options) for column in columns]
    checked = tuple(
        CheckedColumn(column, None if text is None else f"t{index}", f"v{index}")
        for index, (column, text) in enumerate(zip(columns, texts, strict=True))
    )
    kept = ["record", ROW_COLUMN, "fault", "has_wrong_count"]
    named_texts = [f"{text} as {c.text}" for c, text in zip(checked, texts, strict=True) if text is not None]
    values = [f"{_value(column)} as {column.value}" for column in checked]
    frame = parsed.selectExpr(*kept, *named_texts).selectExpr("*", *values)
    faults = [c.misfit for c in checked if c.text] + [c.null_key for c in checked if c.column.required]
    return CheckedRows(opened, _flag(frame, ["has_wrong_count", *faults]), checked)


def _flag(frame: DataFrame, conditions: Sequence[str]) -> DataFrame:
    return frame.selectExpr("*", f"({' or '.join(conditions)}) as is_bad")


def _text(opened: OpenedFile, column: StagingColumn, options: CsvOptions) -> str | None:
    match column.value:
        case FromFile(fill=fill):
            text = field_text(opened, column.name, options)
            return text or _for_every_row("cast(null as string)" if fill is None else quoted(fill))
        case FileName():
            return _for_every_row(quoted(opened.layout.name))
        case RunDate():
            return None


def _for_every_row(text: str) -> str:
    # Spark would fold a constant into the filter, find that no row passes, and drop the
    # observation with the plan; whoever reads it then waits for ever.
    return f"case when fault >= 0 then {text} end"


def _value(checked: CheckedColumn) -> str:
    column = checked.column
    if isinstance(column.value, RunDate):
        micros = int(column.value.at.timestamp()) * 1_000_000 + column.value.at.microsecond
        moment = f"timestamp_micros({micros}L)"
        is_day = column.type.kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
        return f"cast({moment} as {spark_type(column.type)})" if is_day else f"cast({moment} as string)"
    assert checked.text is not None
    return converted(column, checked.text)
