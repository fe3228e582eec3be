"""What all rows of a load hold in the columns whose type is not settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from framework.column_type import Kind
from framework.frames.embedded.database import segment_source
from framework.frames.embedded.numbers import Number, count_where, largest, merged, read_by_place, smallest
from framework.frames.embedded.rows import field_text
from framework.frames.embedded.segments import Segment
from framework.frames.embedded.sql import (
    digits_after_point,
    digits_before_point,
    is_integer,
    is_number,
    is_timestamp,
    is_value,
    is_whole,
)
from framework.schema.values import ColumnProfile
from framework.spec.pipeline import CsvOptions

_INTEGER, _FRACTION, _BOOLEAN, _DATE, _TIMESTAMP, _ZONED = range(1, 7)


def profile_segment(
    cursor: duckdb.DuckDBPyConnection, segment: Segment, columns: Sequence[str], options: CsvOptions
) -> dict[int, dict[str, Any]]:
    """Return by the column's place the numbers that make its profile."""
    texts = [field_text(segment, name, options) or "cast(null as varchar)" for name in columns]
    fields = (
        f"select unnest([{', '.join(texts)}]) as t, unnest(range({len(columns)})) as place "
        f"from {segment_source(segment, options.delimiter)}"
    )
    classified = f"select place, t, {_class('t')} as k from ({fields})"
    return read_by_place(cursor, _column_numbers("t", "k"), classified)


def column_profiles(
    columns: Sequence[str], found: Sequence[Mapping[int, Mapping[str, Any]]]
) -> Mapping[str, ColumnProfile]:
    """Return the profile of each column from the numbers of all segments."""
    numbers = _column_numbers("t", "k")
    return {
        name: _profile(merged(numbers, [part[place] for part in found if place in part]))
        for place, name in enumerate(columns)
    }


def _class(text: str) -> str:
    """Return the number of the class a text is of; the classes share no text."""
    # The first looks are cheap and leave few texts to the expressions, which decide.
    number = f"when {is_integer(text)} then {_INTEGER} when {is_number(text)} then {_FRACTION}"
    day = f"when {is_value(text, Kind.DATE)} then {_DATE} when {is_timestamp(text)} then {_TIMESTAMP}"
    day += f" when {is_value(text, Kind.TIMESTAMPTZ)} then {_ZONED}"
    return (
        f"case when contains('-.0123456789', left({text}, 1)) then "
        f"case when substr({text}, 5, 1) = '-' then case {day} else 0 end else case {number} else 0 end end "
        f"when strlen({text}) <= 5 and {is_value(text, Kind.BOOLEAN)} then {_BOOLEAN} else 0 end"
    )


def _column_numbers(text: str, kind: str) -> dict[str, Number]:
    number = f"{kind} in ({_INTEGER}, {_FRACTION})"
    whole = f"{kind} = {_INTEGER} or ({kind} = {_FRACTION} and {is_whole(text)})"
    value = f"case when {whole} then try_cast({text} as decimal(38,0)) end"
    return {
        "values": Number(f"count({text})", sum),
        "integers": count_where(f"{kind} = {_INTEGER}"),
        "numbers": count_where(number),
        "booleans": count_where(f"{kind} = {_BOOLEAN}"),
        "dates": count_where(f"{kind} = {_DATE}"),
        "timestamps": count_where(f"{kind} = {_TIMESTAMP}"),
        "zoned": count_where(f"{kind} = {_ZONED}"),
        "longest": largest(f"strlen({text})"),
        "digits": largest(f"case when {number} then {digits_before_point(text)} end"),
        "scale": largest(f"case when {kind} = {_FRACTION} then {digits_after_point(text)} end"),
        "longest_integer": largest(f"case when {whole} then {digits_before_point(text)} end"),
        "low": smallest(value),
        "high": largest(value),
    }


def _profile(found: Mapping[str, Any]) -> ColumnProfile:
    def number(name: str) -> int:
        return int(found[name] or 0)

    low, high = found["low"], found["high"]
    if number("longest_integer") > 38:
        low = high = None
    return ColumnProfile(
        values=number("values"),
        integers=number("integers"),
        numbers=number("numbers"),
        booleans=number("booleans"),
        dates=number("dates"),
        timestamps=number("timestamps"),
        longest_bytes=number("longest"),
        integer_digits=number("digits"),
        scale=number("scale"),
        smallest=None if low is None else int(low),
        largest=None if high is None else int(high),
        zoned=number("zoned"),
    )
