"""What all rows of a load hold in the columns whose type is not settled, in one job."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as sql_functions

from framework.model.column_type import Kind
from framework.model.measurements import ColumnProfile
from framework.model.staging import FILE_COLUMN, ROW_COLUMN
from framework.rows.spark.failures import raise_faults, spark_failures
from framework.rows.spark.faults import FAULT_NUMBERS, OPEN_QUOTE, first_rows
from framework.rows.spark.files import OpenedFile
from framework.rows.spark.observe import union
from framework.rows.spark.read import field_text, parse_fields, read_fields
from framework.rows.spark.source import SparkSource
from framework.rows.spark.sql import (
    digits_after_point,
    digits_before_point,
    is_integer,
    is_number,
    is_timestamp,
    is_value,
    is_whole,
)

_INTEGER, _FRACTION, _BOOLEAN, _DATE, _TIMESTAMP, _ZONED = range(1, 7)


_IS_NUMBER = f"kind in ({_INTEGER}, {_FRACTION})"
_IS_WHOLE = f"kind = {_INTEGER} or (kind = {_FRACTION} and {is_whole('text')})"
_WHOLE = f"case when {_IS_WHOLE} then try_cast(text as decimal(38,0)) end"
_NUMBERS = {
    "values": "count(text)",
    "integers": f"count(case when kind = {_INTEGER} then 1 end)",
    "numbers": f"count(case when {_IS_NUMBER} then 1 end)",
    "booleans": f"count(case when kind = {_BOOLEAN} then 1 end)",
    "dates": f"count(case when kind = {_DATE} then 1 end)",
    "timestamps": f"count(case when kind = {_TIMESTAMP} then 1 end)",
    "zoned": f"count(case when kind = {_ZONED} then 1 end)",
    "longest": "max(octet_length(text))",
    "digits": f"max(case when {_IS_NUMBER} then {digits_before_point('text')} end)",
    "scale": f"max(case when kind = {_FRACTION} then {digits_after_point('text')} end)",
    "longest_integer": f"max(case when {_IS_WHOLE} then {digits_before_point('text')} end)",
    "low": f"min({_WHOLE})",
    "high": f"max({_WHOLE})",
}
"""Aggregates over the texts of a column."""


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
    rows: dict[int, list[Row]] = {}
    doubted: set[int] = set()
    pending = [(file, _reading(source, file, doubted)) for file in source.open()]
    while pending:
        found = _run(source, pending, columns)
        rows |= found
        again = {ordinal for ordinal, of_file in found.items() if OPEN_QUOTE in _faults(of_file)}
        doubted |= {file.layout.ordinal for file, reading in pending if reading is _Reading.FIELDS} & again
        source.mark_multiline({file.layout.ordinal for file, reading in pending if reading is _Reading.LINES} & again)
        readings = [(file, _reading(source, file, doubted)) for file in source.open() if file.layout.ordinal in again]
        pending = [reading for reading in readings if reading not in pending]
    opened = [file for file in source.open() if file.layout.ordinal in rows]
    raise_faults(source, {file: _faults(rows[file.layout.ordinal]) for file in opened})
    return {name: _profile([of_file[place] for of_file in rows.values()]) for place, name in enumerate(columns)}


def _faults(of_file: Sequence[Row]) -> dict[int, int]:
    """Return by fault the first row that has it; each column has seen all rows."""
    return first_rows(of_file[0].__getitem__)


def _reading(source: SparkSource, file: OpenedFile, doubted: Collection[int]) -> _Reading:
    """Return how to read a file; `doubted` are those that the CSV reader alone may not have read rightly."""
    if source.is_by_lines(file):
        return _Reading.LINES
    is_fit = len(file.layout.columns) > 1 and file.layout.ordinal not in doubted
    return _Reading.FIELDS if is_fit else _Reading.RECORDS


def _run(
    source: SparkSource, readings: Sequence[tuple[OpenedFile, _Reading]], columns: Sequence[str]
) -> dict[int, list[Row]]:
    """Return the aggregates of each column by the file's ordinal; a file without rows has none."""
    with spark_failures(source):
        # A row for each text, so that the plan does not grow with the columns: of a thousand it would need more
        # memory, and more time to be compiled, than any file.
        cells = union([_cells(source, file, columns, reading) for file, reading in readings])
        classes = cells.selectExpr("*", f"{_class('text')} as kind")
        numbers = [sql_functions.expr(sql).alias(name) for name, sql in (_NUMBERS | FAULT_NUMBERS).items()]
        rows = classes.groupBy(FILE_COLUMN, "place").agg(*numbers).collect()
    found: dict[int, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row["place"]):
        found.setdefault(row[FILE_COLUMN], []).append(row)
    return found


def _cells(source: SparkSource, opened: OpenedFile, columns: Sequence[str], reading: _Reading) -> DataFrame:
    """Return one row per record and column: where the record stands, the column's `place`, and its `text`."""
    if reading is _Reading.FIELDS:
        parsed = read_fields(source.spark, opened, source.options)
    else:
        parsed = parse_fields(source.read_records(opened), opened, source.options)
    texts = [field_text(opened, name, source.options) or "cast(null as string)" for name in columns]
    of_record = [f"{opened.layout.ordinal} as {FILE_COLUMN}", ROW_COLUMN, "fault", "has_wrong_count"]
    cells = parsed.selectExpr(*of_record, f"posexplode(array({', '.join(texts)})) as (place, field)")
    return cells.selectExpr("*", "case when not has_wrong_count then field end as text")


def _class(text: str) -> str:
    """Return the number of the class a text is of; the classes share no text."""
    # The first looks are cheap and leave few texts to the expressions, which decide.
    number = f"when {is_integer(text)} then {_INTEGER} when {is_number(text)} then {_FRACTION}"
    day = f"when {is_value(text, Kind.DATE)} then {_DATE} when {is_timestamp(text)} then {_TIMESTAMP}"
    day += f" when {is_value(text, Kind.TIMESTAMPTZ)} then {_ZONED}"
    return (
        f"case when contains('-.0123456789', left({text}, 1)) then "
        f"case when substring({text}, 5, 1) = '-' then case {day} else 0 end else case {number} else 0 end end "
        f"when octet_length({text}) <= 5 and {is_value(text, Kind.BOOLEAN)} then {_BOOLEAN} else 0 end"
    )


def _profile(rows: Sequence[Row]) -> ColumnProfile:
    def values(name: str) -> list[Any]:
        return [row[name] for row in rows if row[name] is not None]

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
        zoned=sum(values("zoned")),
    )
