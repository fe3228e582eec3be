"""What texts are, added up by column, however many columns there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as sql_functions

from framework.column_type import Kind
from framework.frames.spark.sql import (
    digits_after_point,
    digits_before_point,
    is_integer,
    is_number,
    is_timestamp,
    is_value,
)
from framework.schema.values import FILE_COLUMN, ColumnProfile

_INTEGER, _FRACTION, _BOOLEAN, _DATE, _TIMESTAMP = range(1, 6)
_NUMBERS = {
    "texts": "count(1)",
    "integers": f"count(case when class = {_INTEGER} then 1 end)",
    "fractions": f"count(case when class = {_FRACTION} then 1 end)",
    "booleans": f"count(case when class = {_BOOLEAN} then 1 end)",
    "dates": f"count(case when class = {_DATE} then 1 end)",
    "timestamps": f"count(case when class = {_TIMESTAMP} then 1 end)",
    "longest": "max(octet_length(text))",
    "digits": f"max(case when class <= {_FRACTION} and class > 0 then {digits_before_point('text')} end)",
    "scale": f"max(case when class = {_FRACTION} then {digits_after_point('text')} end)",
    "longest_integer": f"max(case when class = {_INTEGER} then {digits_before_point('text')} end)",
    "low": f"min(case when class = {_INTEGER} then try_cast(text as decimal(38,0)) end)",
    "high": f"max(case when class = {_INTEGER} then try_cast(text as decimal(38,0)) end)",
}


def summarize(rows: DataFrame, texts: Sequence[str]) -> Mapping[tuple[int, int], Row]:
    """Return by file and position in `texts` the numbers of all texts but NULL, in one job.

    `texts` are expressions over the rows, which have `feedway_file`. Each text becomes a row of
    its own: an aggregate for every column would make a thousand columns take minutes to compile.
    """
    each = rows.selectExpr(FILE_COLUMN, f"posexplode(array({', '.join(texts)})) as (position, text)")
    classes = each.where("text is not null").selectExpr("*", f"{_class('text')} as class")
    numbers = [sql_functions.expr(expression).alias(name) for name, expression in _NUMBERS.items()]
    found = classes.groupBy(FILE_COLUMN, "position").agg(*numbers).collect()
    return {(row[FILE_COLUMN], row["position"]): row for row in found}


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


def profile_of(found: Iterable[Row]) -> ColumnProfile:
    """Return the profile of one column from its numbers in each file."""
    rows = list(found)

    def values(name: str) -> list[Any]:
        return [row[name] for row in rows if row[name] is not None]

    fits = max(values("longest_integer"), default=0) <= 38
    return ColumnProfile(
        values=sum(values("texts")),
        integers=sum(values("integers")),
        numbers=sum(values("integers")) + sum(values("fractions")),
        booleans=sum(values("booleans")),
        dates=sum(values("dates")),
        timestamps=sum(values("timestamps")),
        longest_bytes=max(values("longest"), default=0),
        integer_digits=max(values("digits"), default=0),
        scale=max(values("scale"), default=0),
        smallest=int(min(values("low"))) if fits and values("low") else None,
        largest=int(max(values("high"))) if fits and values("high") else None,
    )
