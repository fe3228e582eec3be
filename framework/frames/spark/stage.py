"""The pass that stages: good rows to Parquet, and what was seen of all rows on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, Observation, SparkSession

from framework.column_type import Kind
from framework.frames.spark.failures import raise_faults, spark_failures
from framework.frames.spark.faults import FAULT_NUMBERS, OPEN_QUOTE, first_rows
from framework.frames.spark.files import OpenedFile, open_files
from framework.frames.spark.observe import observe, read_observation, union
from framework.frames.spark.read import can_split
from framework.frames.spark.rows import CheckedColumn, CheckedRows, check_rows
from framework.frames.spark.sql import (
    digits_after_point,
    digits_before_point,
    is_integer,
    is_number,
    is_timestamp,
)
from framework.schema.values import (
    ColumnMeasurement,
    FileMeasurement,
    Measurements,
    SourceBatch,
    StagingColumn,
)

MAX_RECORDS_PER_FILE = 1_000_000
"""COPY reads files side by side and wants none of them much larger than the others."""


@dataclass(frozen=True)
class _Seen:
    """The observed numbers of one file."""

    opened: OpenedFile
    numbers: Mapping[str, Any]

    def fault_rows(self) -> Mapping[int, int]:
        """Return by fault the first row that has it."""
        return first_rows(self.numbers.__getitem__)


def stage(
    spark: SparkSession, batch: SourceBatch, columns: Sequence[StagingColumn], destination: str | None
) -> Measurements:
    """Write the batch's good rows below `destination` and return what was seen, in one Spark job.

    A file that is read by lines and turns out to hold fields over several lines makes it two:
    what the first wrote is overwritten.
    """
    opened = open_files(spark, batch)
    by_lines = {file.layout.ordinal for file in opened if can_split(file, batch.options)}
    seen = _run(spark, batch, opened, columns, destination, by_lines)
    multiline = {
        file.opened.layout.ordinal for file in seen if batch.options.multiline and OPEN_QUOTE in file.fault_rows()
    }
    if multiline & by_lines:
        seen = _run(spark, batch, opened, columns, destination, by_lines - multiline)
        by_lines -= multiline
    raise_faults(spark, batch.options, {file.opened: file.fault_rows() for file in seen}, by_lines)
    return _measurements(seen, columns)


def _run(
    spark: SparkSession,
    batch: SourceBatch,
    opened: Sequence[OpenedFile],
    columns: Sequence[StagingColumn],
    destination: str | None,
    by_lines: set[int],
) -> list[_Seen]:
    good: list[DataFrame] = []
    observations: list[Observation] = []
    with spark_failures(batch):
        for file in opened:
            rows = check_rows(spark, file, columns, batch.options, file.layout.ordinal in by_lines)
            observed, observation = observe(rows.frame, _numbers(rows))
            good.append(rows.good(observed))
            observations.append(observation)
        _write(union(good), destination)
    return [_Seen(file, read_observation(seen)) for file, seen in zip(opened, observations, strict=True)]


def _write(rows: DataFrame, destination: str | None) -> None:
    if destination is None:
        rows.write.format("noop").mode("overwrite").save()
        return
    writer = rows.write.mode("overwrite").option("maxRecordsPerFile", MAX_RECORDS_PER_FILE)
    writer.option("compression", "snappy").parquet(destination)


def _numbers(rows: CheckedRows) -> dict[str, str]:
    numbers = {
        "rows": "count(1)",
        "bad": "count(case when is_bad then 1 end)",
        "wrong_count": "count(case when has_wrong_count then 1 end)",
        **FAULT_NUMBERS,
    }
    for index, column in enumerate(rows.columns):
        for name, expression in _column_numbers(column).items():
            numbers[f"{name}{index}"] = expression
    return numbers


def _column_numbers(checked: CheckedColumn) -> dict[str, str]:
    column, text = checked.column, checked.text
    numbers: dict[str, str] = {}
    if column.required:
        numbers["nulls"] = f"count(case when not has_wrong_count and {checked.null_key} then 1 end)"
    if text is None:
        return numbers
    if column.measure_length:
        numbers["length"] = f"max(case when not has_wrong_count then octet_length({checked.value}) end)"
    misfit = f"is_bad and not has_wrong_count and {checked.misfit}"
    numbers["misfits"] = f"count(case when {misfit} then 1 end)"
    if column.type.is_exact_number:
        numbers |= _wider_numbers(f"{misfit} and {is_number(text)}", text)
    elif column.type.kind is Kind.DATE and column.format is None:
        numbers["wider"] = f"count(case when {misfit} and {is_timestamp(text)} then 1 end)"
    return numbers


def _wider_numbers(condition: str, text: str) -> dict[str, str]:
    integer = f"{condition} and {is_integer(text)}"
    value = f"case when {integer} then try_cast({text} as decimal(38,0)) end"
    return {
        "wider": f"count(case when {condition} then 1 end)",
        "digits": f"max(case when {condition} then {digits_before_point(text)} end)",
        "scale": f"max(case when {condition} then {digits_after_point(text)} end)",
        "longest_integer": f"max(case when {integer} then {digits_before_point(text)} end)",
        "low": f"min({value})",
        "high": f"max({value})",
    }


def _measurements(seen: Sequence[_Seen], columns: Sequence[StagingColumn]) -> Measurements:
    files = tuple(
        FileMeasurement(
            ordinal=file.opened.layout.ordinal,
            rows_read=file.numbers["rows"],
            rows_staged=file.numbers["rows"] - file.numbers["bad"],
            rows_bad=file.numbers["bad"],
        )
        for file in seen
    )
    return Measurements(
        files=files,
        columns={column.name: _measured(seen, index) for index, column in enumerate(columns)},
        wrong_field_count=sum(file.numbers["wrong_count"] for file in seen),
    )


def _measured(seen: Sequence[_Seen], index: int) -> ColumnMeasurement:
    def values(name: str) -> list[Any]:
        found = (file.numbers.get(f"{name}{index}") for file in seen)
        return [value for value in found if value is not None]

    fits = max(values("longest_integer"), default=0) <= 38
    return ColumnMeasurement(
        longest_bytes=max(values("length"), default=0),
        misfits=sum(values("misfits")),
        wider=sum(values("wider")),
        integer_digits=max(values("digits"), default=0),
        scale=max(values("scale"), default=0),
        smallest=int(min(values("low"))) if fits and values("low") else None,
        largest=int(max(values("high"))) if fits and values("high") else None,
        null_keys=sum(values("nulls")),
    )
