"""What all rows of a load hold in the columns whose type is not settled, in one job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as sql_functions

from framework.column_type import Kind
from framework.frames.spark.failures import raise_faults, spark_failures
from framework.frames.spark.faults import FAULT_NUMBERS, OPEN_QUOTE, first_rows
from framework.frames.spark.files import OpenedFile, open_files
from framework.frames.spark.observe import union
from framework.frames.spark.read import can_split, field_text, parse_fields, read_fields, read_records
from framework.frames.spark.sql import (
    digits_after_point,
    digits_before_point,
    is_integer,
    is_number,
    is_timestamp,
    is_value,
)
from framework.schema.values import FILE_COLUMN, ROW_COLUMN, ColumnProfile, SourceBatch
from framework.spec.pipeline import CsvOptions

_INTEGER, _FRACTION, _BOOLEAN, _DATE, _TIMESTAMP = range(1, 6)


class _Reading(Enum):
    """How a file is read: by lines; by the CSV reader alone; or by the records' raw text, which is right for all."""

    LINES = "lines"
    FIELDS = "fields"
    RECORDS = "records"


def profile(spark: SparkSession, batch: SourceBatch, columns: Sequence[str]) -> Mapping[str, ColumnProfile]:
    """Return the profile of each column over the rows that have the right number of fields.

    A file that a faster way of reading turns out not to be right for is read again. Broken quoting is
    found here or, at the latest, by staging: a profile of such a file is worth nothing.
    """
    opened = open_files(spark, batch)
    readings = {file.layout.ordinal: _first_reading(file, batch.options) for file in opened}
    rows: dict[int, Row] = {}
    pending: Sequence[OpenedFile] = opened
    while pending:
        found = _run(spark, batch, pending, columns, readings)
        rows |= found
        again = {ordinal for ordinal, row in found.items() if OPEN_QUOTE in first_rows(row.__getitem__)}
        pending = [file for file in pending if file.layout.ordinal in again and _read_on(file, batch.options, readings)]
    faults = {file: first_rows(rows[file.layout.ordinal].__getitem__) for file in opened if file.layout.ordinal in rows}
    by_lines = {ordinal for ordinal, reading in readings.items() if reading is _Reading.LINES}
    raise_faults(spark, batch.options, faults, by_lines)
    return {name: _profile(list(rows.values()), index) for index, name in enumerate(columns)}


def _first_reading(opened: OpenedFile, options: CsvOptions) -> _Reading:
    return _Reading.LINES if can_split(opened, options) else _by_fields(opened)


def _by_fields(opened: OpenedFile) -> _Reading:
    return _Reading.FIELDS if len(opened.layout.columns) > 1 else _Reading.RECORDS


def _read_on(opened: OpenedFile, options: CsvOptions, readings: dict[int, _Reading]) -> bool:
    """Choose the next way to read a file; False where there is none."""
    ordinal = opened.layout.ordinal
    if readings[ordinal] is _Reading.RECORDS or not (options.multiline or readings[ordinal] is _Reading.FIELDS):
        return False
    readings[ordinal] = _by_fields(opened) if readings[ordinal] is _Reading.LINES else _Reading.RECORDS
    return True


def _run(
    spark: SparkSession,
    batch: SourceBatch,
    opened: Sequence[OpenedFile],
    columns: Sequence[str],
    readings: Mapping[int, _Reading],
) -> dict[int, Row]:
    """Return the aggregates by the file's ordinal; a file without rows has none."""
    with spark_failures(spark, batch):
        by_file = (_texts(spark, file, columns, batch.options, readings[file.layout.ordinal]) for file in opened)
        texts = union(list(by_file))
        classes = texts.selectExpr("*", *(f"{_class(f't{index}')} as k{index}" for index in range(len(columns))))
        numbers = [sql_functions.expr(sql).alias(name) for name, sql in _numbers(len(columns)).items()]
        rows = classes.groupBy(FILE_COLUMN).agg(*numbers).collect()
    return {row[FILE_COLUMN]: row for row in rows}


def _texts(
    spark: SparkSession, opened: OpenedFile, columns: Sequence[str], options: CsvOptions, reading: _Reading
) -> DataFrame:
    """Return one row per record: where it stands, and by column its text `t…`."""
    if reading is _Reading.FIELDS:
        parsed = read_fields(spark, opened, options)
    else:
        parsed = parse_fields(read_records(spark, opened, options, reading is _Reading.LINES), opened, options)
    texts = [field_text(opened, name, options) or "cast(null as string)" for name in columns]
    named = [f"case when not has_wrong_count then {text} end as t{index}" for index, text in enumerate(texts)]
    return parsed.selectExpr(f"{opened.layout.ordinal} as {FILE_COLUMN}", ROW_COLUMN, "fault", *named)


def _class(text: str) -> str:
    """Return the number of the class a text is of; the classes share no text."""
    # The first looks are cheap and leave few texts to the expressions, which decide.
    number = f"when {is_integer(text)} then {_INTEGER} when {is_number(text)} then {_FRACTION}"
    day = f"when {is_value(text, Kind.DATE)} then {_DATE} when {is_timestamp(text)} then {_TIMESTAMP}"
    return (
        f"case when contains('-.0123456789', left({text}, 1)) then "
        f"case when substring({text}, 5, 1) = '-' then case {day} else 0 end else case {number} else 0 end end "
        f"when octet_length({text}) <= 5 and {is_value(text, Kind.BOOLEAN)} then {_BOOLEAN} else 0 end"
    )


def _numbers(columns: int) -> dict[str, str]:
    numbers = dict(FAULT_NUMBERS)
    for index in range(columns):
        found = _column_numbers(f"t{index}", f"k{index}")
        numbers |= {f"{name}{index}": sql for name, sql in found.items()}
    return numbers


def _column_numbers(text: str, kind: str) -> dict[str, str]:
    number = f"{kind} in ({_INTEGER}, {_FRACTION})"
    value = f"case when {kind} = {_INTEGER} then try_cast({text} as decimal(38,0)) end"
    return {
        "values": f"count({text})",
        "integers": f"count(case when {kind} = {_INTEGER} then 1 end)",
        "numbers": f"count(case when {number} then 1 end)",
        "booleans": f"count(case when {kind} = {_BOOLEAN} then 1 end)",
        "dates": f"count(case when {kind} = {_DATE} then 1 end)",
        "timestamps": f"count(case when {kind} = {_TIMESTAMP} then 1 end)",
        "longest": f"max(octet_length({text}))",
        "digits": f"max(case when {number} then {digits_before_point(text)} end)",
        "scale": f"max(case when {kind} = {_FRACTION} then {digits_after_point(text)} end)",
        "longest_integer": f"max(case when {kind} = {_INTEGER} then {digits_before_point(text)} end)",
        "low": f"min({value})",
        "high": f"max({value})",
    }


def _profile(rows: Sequence[Row], index: int) -> ColumnProfile:
    def values(name: str) -> list[Any]:
        return [row[f"{name}{index}"] for row in rows if row[f"{name}{index}"] is not None]

    fits = max(values("longest_integer"), default=0) <= 38
    return ColumnProfile(
        values=sum(values("values")),
        integers=sum(values("integers")),
        numbers=sum(values("numbers")),
        booleans=sum(values("booleans")),
        dates=sum(values("dates")),
        timestamps=sum(values("timestamps")),
        longest_bytes=max(values("longest"), default=0),
        integer_digits=max(values("digits"), default=0),
        scale=max(values("scale"), default=0),
        smallest=int(min(values("low"))) if fits and values("low") else None,
        largest=int(max(values("high"))) if fits and values("high") else None,
    )
