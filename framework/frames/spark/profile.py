"""What all rows of a load hold in the columns whose type is not settled, in one job."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as sql_functions

from framework.column_type import Kind
from framework.frames.spark.failures import raise_faults, spark_failures
from framework.frames.spark.faults import FAULT_NUMBERS, OPEN_QUOTE, first_rows
from framework.frames.spark.files import OpenedFile
from framework.frames.spark.observe import union
from framework.frames.spark.read import field_text, parse_fields, read_fields
from framework.frames.spark.source import SparkSource
from framework.frames.spark.sql import (
    digits_after_point,
    digits_before_point,
    is_integer,
    is_number,
    is_timestamp,
    is_value,
)
from framework.schema.values import FILE_COLUMN, ROW_COLUMN, ColumnProfile

_INTEGER, _FRACTION, _BOOLEAN, _DATE, _TIMESTAMP = range(1, 6)


class _Reading(Enum):
    """How a file is read: by lines; by the CSV reader alone; or by the records' raw text, which is right for all."""

    LINES = "lines"
    FIELDS = "fields"
    RECORDS = "records"


def profile(source: SparkSource, columns: Sequence[str]) -> Mapping[str, ColumnProfile]:
    """Return the profile of each column over the rows that have the right number of fields.

    A file that a faster way of reading turns out not to be right for is read again. Broken quoting is
    found here or, at the latest, by staging: a profile of such a file is worth nothing.
    """
    rows: dict[int, Row] = {}
    doubted: set[int] = set()
    pending = [(file, _reading(source, file, doubted)) for file in source.open()]
    while pending:
        found = _run(source, pending, columns)
        rows |= found
        again = {ordinal for ordinal, row in found.items() if OPEN_QUOTE in first_rows(row.__getitem__)}
        doubted |= {file.layout.ordinal for file, reading in pending if reading is _Reading.FIELDS} & again
        source.mark_multiline({file.layout.ordinal for file, reading in pending if reading is _Reading.LINES} & again)
        readings = [(file, _reading(source, file, doubted)) for file in source.open() if file.layout.ordinal in again]
        pending = [reading for reading in readings if reading not in pending]
    opened = [file for file in source.open() if file.layout.ordinal in rows]
    raise_faults(source, {file: first_rows(rows[file.layout.ordinal].__getitem__) for file in opened})
    return {name: _profile(list(rows.values()), index) for index, name in enumerate(columns)}


def _reading(source: SparkSource, file: OpenedFile, doubted: Collection[int]) -> _Reading:
    """Return how to read a file; `doubted` are those that the CSV reader alone may not have read rightly."""
    if source.is_by_lines(file):
        return _Reading.LINES
    is_fit = len(file.layout.columns) > 1 and file.layout.ordinal not in doubted
    return _Reading.FIELDS if is_fit else _Reading.RECORDS


def _run(
    source: SparkSource, readings: Sequence[tuple[OpenedFile, _Reading]], columns: Sequence[str]
) -> dict[int, Row]:
    """Return the aggregates by the file's ordinal; a file without rows has none."""
    with spark_failures(source):
        texts = union([_texts(source, file, columns, reading) for file, reading in readings])
        classes = texts.selectExpr("*", *(f"{_class(f't{index}')} as k{index}" for index in range(len(columns))))
        numbers = [sql_functions.expr(sql).alias(name) for name, sql in _numbers(len(columns)).items()]
        rows = classes.groupBy(FILE_COLUMN).agg(*numbers).collect()
    return {row[FILE_COLUMN]: row for row in rows}


def _texts(source: SparkSource, opened: OpenedFile, columns: Sequence[str], reading: _Reading) -> DataFrame:
    """Return one row per record: where it stands, and by column its text `t…`."""
    if reading is _Reading.FIELDS:
        parsed = read_fields(source.spark, opened, source.options)
    else:
        parsed = parse_fields(source.read_records(opened), opened, source.options)
    texts = [field_text(opened, name, source.options) or "cast(null as string)" for name in columns]
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
