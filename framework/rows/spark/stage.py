"""The pass that stages: good rows to Parquet, and what was seen of all rows on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame

from framework.model.column_type import Kind
from framework.model.measurements import ColumnMeasurement, FileMeasurement, Measurements
from framework.model.staging import FILE_COLUMN, StagingColumn
from framework.rows.spark.failures import raise_faults, spark_failures
from framework.rows.spark.faults import FAULT_NUMBERS, OPEN_QUOTE, first_rows
from framework.rows.spark.files import OpenedFile
from framework.rows.spark.observe import observe, read_observation, union
from framework.rows.spark.rows import CheckedColumn, check_rows, good_rows, name_columns, read_texts
from framework.rows.spark.source import SparkSource
from framework.rows.spark.sql import (
    digits_after_point,
    digits_before_point,
    is_number,
    is_timestamp,
    is_whole,
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
    """The observed numbers: of each file before the casts, and of all rows after them."""

    files: Mapping[OpenedFile, Mapping[str, Any]]
    rows: Mapping[str, Any]
    checked: DataFrame

    def faults(self) -> dict[OpenedFile, dict[int, int]]:
        """Return by file and fault the first row that has it."""
        return {opened: first_rows(numbers.__getitem__) for opened, numbers in self.files.items()}


def stage(source: SparkSource, columns: Sequence[StagingColumn], destination: str | None) -> Measurements:
    """Write the batch's good rows below `destination` and return what was seen, in one Spark job.

    A file that is read by lines and turns out to hold fields over several lines makes it two:
    what the first wrote is overwritten. Bad rows in a batch of several files cost one more, which
    counts them by file.
    """
    checked = name_columns(columns)
    with spark_failures(source):
        seen = _run(source, checked, destination)
        open_quotes = [file.layout.ordinal for file, faults in seen.faults().items() if OPEN_QUOTE in faults]
        if source.mark_multiline(open_quotes):
            seen = _run(source, checked, destination)
        raise_faults(source, seen.faults())
        opened = source.open()
        bad = _count_bad(seen, opened)
    return Measurements(
        files=tuple(_file_measurement(file, seen.files[file], bad[file.layout.ordinal]) for file in opened),
        columns={column.name: _measured(seen.rows, index) for index, column in enumerate(columns)},
        malformed_rows=sum(numbers["wrong_count"] for numbers in seen.files.values()),
    )


def _run(source: SparkSource, columns: Sequence[CheckedColumn], destination: str | None) -> _Seen:
    opened = source.open()
    url = None if destination is None else source.url(destination)
    texts = [read_texts(source, file, columns) for file in opened]
    numbers = {"bad": "count(case when is_bad then 1 end)"}
    for index, column in enumerate(columns):
        numbers |= {f"{name}{index}": expression for name, expression in _column_numbers(column).items()}
    if len(opened) == 1:
        # One file's numbers ride along: rows cost something at every place they are observed.
        checked = check_rows(texts[0], columns)
        observed, observation = observe(checked, {**numbers, **_FILE_NUMBERS})
        _write(good_rows(observed, columns), url)
        rows = read_observation(observation)
        return _Seen({opened[0]: rows}, rows, checked)
    by_file = [observe(frame, _FILE_NUMBERS) for frame in texts]
    checked = check_rows(union([frame for frame, _ in by_file]), columns)
    observed, observation = observe(checked, numbers)
    _write(good_rows(observed, columns), url)
    files = {file: read_observation(seen) for file, (_, seen) in zip(opened, by_file, strict=True)}
    return _Seen(files, read_observation(observation), check_rows(union(texts), columns))


def _write(rows: DataFrame, destination: str | None) -> None:
    if destination is None:
        rows.write.format("noop").mode("overwrite").save()
        return
    writer = rows.write.mode("overwrite").option("maxRecordsPerFile", MAX_RECORDS_PER_FILE)
    writer.option("compression", "snappy").parquet(destination)


def _count_bad(seen: _Seen, opened: Sequence[OpenedFile]) -> dict[int, int]:
    """Return by the file's ordinal how many of its rows are bad."""
    bad = {file.layout.ordinal: 0 for file in opened}
    if len(opened) == 1:
        return {opened[0].layout.ordinal: seen.rows["bad"]}
    if seen.rows["bad"]:
        # Observed, so that the filter stays above the parsing.
        observed, _ = observe(seen.checked, {"rows": "count(1)"})
        counts = observed.where("is_bad").groupBy(FILE_COLUMN).count().collect()
        bad |= {row[FILE_COLUMN]: row["count"] for row in counts}
    return bad


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
    whole = f"{condition} and {is_whole(text)}"
    value = f"case when {whole} then try_cast({text} as decimal(38,0)) end"
    return {
        "wider": f"count(case when {condition} then 1 end)",
        "digits": f"max(case when {condition} then {digits_before_point(text)} end)",
        "scale": f"max(case when {condition} then {digits_after_point(text)} end)",
        "longest_integer": f"max(case when {whole} then {digits_before_point(text)} end)",
        "low": f"min({value})",
        "high": f"max({value})",
    }


def _file_measurement(opened: OpenedFile, numbers: Mapping[str, Any], bad: int) -> FileMeasurement:
    rows = numbers["rows"]
    return FileMeasurement(ordinal=opened.layout.ordinal, rows_read=rows, rows_staged=rows - bad, rows_bad=bad)


def _measured(numbers: Mapping[str, Any], index: int) -> ColumnMeasurement:
    def number(name: str) -> int:
        return int(numbers.get(f"{name}{index}") or 0)

    low, high = numbers.get(f"low{index}"), numbers.get(f"high{index}")
    if number("longest_integer") > 38:
        low = high = None
    return ColumnMeasurement(
        longest_bytes=number("length"),
        misfits=number("misfits"),
        wider=number("wider"),
        integer_digits=number("digits"),
        scale=number("scale"),
        smallest=None if low is None else int(low),
        largest=None if high is None else int(high),
        null_keys=number("nulls"),
    )
