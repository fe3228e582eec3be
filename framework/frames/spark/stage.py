"""The pass that stages: good rows to Parquet, and what was seen of all rows on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession

from framework.column_type import Kind
from framework.frames.spark.failures import raise_faults, spark_failures
from framework.frames.spark.faults import FAULT_NUMBERS, OPEN_QUOTE, first_rows
from framework.frames.spark.files import OpenedFile, open_files
from framework.frames.spark.observe import observe, read_observation, union
from framework.frames.spark.read import can_split
from framework.frames.spark.rows import CheckedColumn, check_rows, good_rows, name_columns, read_texts
from framework.frames.spark.texts import profile_of, summarize
from framework.schema.values import (
    ColumnMeasurement,
    FileMeasurement,
    Measurements,
    SourceBatch,
    StagingColumn,
)

MAX_RECORDS_PER_FILE = 1_000_000
"""COPY reads files side by side and wants none of them much larger than the others."""
_FILE_NUMBERS = {
    "rows": "count(1)",
    "wrong_count": "count(case when has_wrong_count then 1 end)",
    **FAULT_NUMBERS,
}


@dataclass(frozen=True)
class _Seen:
    """The observed numbers: of each file before the casts, and of all rows after them.

    `checked` are the rows themselves, not read yet.
    """

    files: Mapping[OpenedFile, Mapping[str, Any]]
    rows: Mapping[str, Any]
    checked: DataFrame

    def faults(self) -> dict[OpenedFile, dict[int, int]]:
        """Return by file and fault the first row that has it."""
        return {opened: first_rows(numbers.__getitem__) for opened, numbers in self.files.items()}


def stage(
    spark: SparkSession, batch: SourceBatch, columns: Sequence[StagingColumn], destination: str | None
) -> Measurements:
    """Write the batch's good rows below `destination` and return what was seen, in one Spark job.

    A file that is read by lines and turns out to hold fields over several lines makes it two:
    what the first wrote is overwritten. Bad rows cost one more, which says what is wrong in them.
    """
    opened = open_files(spark, batch)
    by_lines = {file.layout.ordinal for file in opened if can_split(file, batch.options)}
    checked = name_columns(columns)
    with spark_failures(spark, batch):
        seen = _run(spark, batch, opened, checked, destination, by_lines)
        multiline = {file.layout.ordinal for file, faults in seen.faults().items() if OPEN_QUOTE in faults}
        if batch.options.multiline and multiline & by_lines:
            by_lines -= multiline
            seen = _run(spark, batch, opened, checked, destination, by_lines)
        raise_faults(spark, batch.options, seen.faults(), by_lines)
        misfits = _summarize_bad(seen, checked) if seen.rows["bad"] else {}
    return Measurements(
        files=tuple(_file_measurement(file, seen.files[file], misfits) for file in opened),
        columns={column.name: _measured(column, index, seen.rows, misfits) for index, column in enumerate(columns)},
        wrong_field_count=sum(numbers["wrong_count"] for numbers in seen.files.values()),
    )


def _run(
    spark: SparkSession,
    batch: SourceBatch,
    opened: Sequence[OpenedFile],
    columns: Sequence[CheckedColumn],
    destination: str | None,
    by_lines: set[int],
) -> _Seen:
    texts = [read_texts(spark, file, columns, batch.options, file.layout.ordinal in by_lines) for file in opened]
    numbers = {"bad": "count(case when is_bad then 1 end)"}
    for index, column in enumerate(columns):
        numbers |= {f"{name}{index}": expression for name, expression in _column_numbers(column).items()}
    if len(opened) == 1:
        # One file's numbers ride along: rows cost something at every place they are observed.
        checked = check_rows(texts[0], columns)
        observed, observation = observe(checked, {**numbers, **_FILE_NUMBERS})
        _write(good_rows(observed, columns), destination)
        rows = read_observation(observation)
        return _Seen({opened[0]: rows}, rows, checked)
    by_file = [observe(frame, _FILE_NUMBERS) for frame in texts]
    checked = check_rows(union([frame for frame, _ in by_file]), columns)
    observed, observation = observe(checked, numbers)
    _write(good_rows(observed, columns), destination)
    files = {file: read_observation(seen) for file, (_, seen) in zip(opened, by_file, strict=True)}
    return _Seen(files, read_observation(observation), check_rows(union(texts), columns))


def _write(rows: DataFrame, destination: str | None) -> None:
    if destination is None:
        rows.write.format("noop").mode("overwrite").save()
        return
    writer = rows.write.mode("overwrite").option("maxRecordsPerFile", MAX_RECORDS_PER_FILE)
    writer.option("compression", "snappy").parquet(destination)


def _column_numbers(checked: CheckedColumn) -> dict[str, str]:
    column = checked.column
    numbers: dict[str, str] = {}
    if column.required:
        numbers["nulls"] = f"count(case when not has_wrong_count and {checked.null_key} then 1 end)"
    if checked.text is not None and column.measure_length:
        numbers["length"] = f"max(case when not has_wrong_count then octet_length({checked.value}) end)"
    return numbers


def _summarize_bad(seen: _Seen, columns: Sequence[CheckedColumn]) -> Mapping[tuple[int, int], Row]:
    """Return by file and position the numbers of bad rows (0) and of each column's misfits (from 1)."""
    # Observed, so that the filter stays above the parsing.
    observed, _ = observe(seen.checked, {"rows": "count(1)"})
    misfits = [
        f"case when not has_wrong_count and {column.misfit} then {column.text or 'null'} end" for column in columns
    ]
    return summarize(observed.where("is_bad"), ["''", *misfits])


def _file_measurement(
    opened: OpenedFile, numbers: Mapping[str, Any], misfits: Mapping[tuple[int, int], Row]
) -> FileMeasurement:
    ordinal, rows = opened.layout.ordinal, numbers["rows"]
    bad = misfits[ordinal, 0]["texts"] if (ordinal, 0) in misfits else 0
    return FileMeasurement(ordinal=ordinal, rows_read=rows, rows_staged=rows - bad, rows_bad=bad)


def _measured(
    column: StagingColumn, index: int, numbers: Mapping[str, Any], misfits: Mapping[tuple[int, int], Row]
) -> ColumnMeasurement:
    measured = ColumnMeasurement(
        longest_bytes=numbers.get(f"length{index}") or 0, null_keys=numbers.get(f"nulls{index}") or 0
    )
    texts = profile_of(row for (_, position), row in misfits.items() if position == index + 1)
    measured = replace(measured, misfits=texts.values)
    if column.type.is_exact_number:
        return replace(
            measured,
            wider=texts.numbers,
            integer_digits=texts.integer_digits,
            scale=texts.scale,
            smallest=texts.smallest,
            largest=texts.largest,
        )
    if column.type.kind is Kind.DATE and column.format is None:
        return replace(measured, wider=texts.timestamps)
    return measured
