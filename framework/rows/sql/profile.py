"""Profiles of the columns whose type is not decided, over all rows of a load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from framework.model.column_type import ColumnType, Kind
from framework.model.csv_options import CsvOptions
from framework.model.measurements import ColumnProfile
from framework.rows.segments import Segment
from framework.rows.sql.expressions import (
    digits_after_point,
    digits_before_point,
    is_canonical,
    is_integer,
    is_number,
    is_timestamp,
    is_value,
    is_whole,
)
from framework.rows.sql.numbers import Number, Numbers, largest, merged, read_groups, smallest
from framework.rows.sql.rows import field_text

_OTHER, _INTEGER, _WHOLE, _FRACTION, _BOOLEAN, _DATE, _TIMESTAMP, _ZONED = range(8)
"""Classes that share no text; _WHOLE is a number with a fraction of zeros."""
_WHOLES = (_INTEGER, _WHOLE)
_DECIMALS = (*_WHOLES, _FRACTION)
_VALUE = f"case when class in {_WHOLES} then try_cast(t as decimal(38,0)) end"
_NUMBERS: Numbers = {
    "values": Number("count(t)", sum),
    "longest": largest("strlen(t)"),
    "digits": largest(f"case when class in {_DECIMALS} then {digits_before_point('t')} end"),
    "scale": largest(f"case when class = {_FRACTION} then {digits_after_point('t')} end"),
    "low": smallest(_VALUE),
    "high": largest(_VALUE),
}
"""Aggregates over the texts `t` of one column and one class."""
Groups = Mapping[tuple[int, ...], Mapping[str, Any]]
"""Numbers by the column's place and the class of its texts."""


def profile_segments(
    cursor: duckdb.DuckDBPyConnection, segments: Sequence[Segment], columns: Sequence[str], options: CsvOptions
) -> Groups:
    """Return the numbers of segments that make a profile."""
    fields = " union all ".join(_fields(segment, columns, options) for segment in segments)
    return read_groups(cursor, _NUMBERS, f"select place, t, {_class('t')} as class from ({fields})", "place", "class")


def _fields(segment: Segment, columns: Sequence[str], options: CsvOptions) -> str:
    texts = [field_text(segment, name, options) or "cast(null as varchar)" for name in columns]
    return f"select unnest([{', '.join(texts)}]) as t, unnest(range({len(columns)})) as place from {segment.relation}"


def column_profiles(columns: Sequence[str], found: Sequence[Groups]) -> Mapping[str, ColumnProfile]:
    """Return the profile of each column from the numbers of all segments."""
    of_place: dict[int, dict[int, dict[str, Any]]] = {place: {} for place in range(len(columns))}
    for place, kind in {key for part in found for key in part}:
        of_place[place][kind] = merged(_NUMBERS, [part[place, kind] for part in found if (place, kind) in part])
    return {name: _profile(of_place[place]) for place, name in enumerate(columns)}


def _class(text: str) -> str:
    """Return the number of the class a text is of."""
    # The first looks are cheap and leave few texts to the expressions, which decide.
    number = f"when {is_canonical(text, ColumnType(Kind.BIGINT))} or {is_integer(text)} then {_INTEGER} "
    number += f"when {is_number(text)} then "
    number += f"case when {is_whole(text)} then {_WHOLE} else {_FRACTION} end"
    day = f"when {is_canonical(text, ColumnType(Kind.DATE))} or {is_value(text, Kind.DATE)} then {_DATE} "
    day += f"when {is_canonical(text, ColumnType(Kind.TIMESTAMP))} or {is_timestamp(text)} then {_TIMESTAMP}"
    day += f" when {is_value(text, Kind.TIMESTAMPTZ)} then {_ZONED}"
    return (
        f"case when contains('-.0123456789', left({text}, 1)) then "
        f"case when substr({text}, 5, 1) = '-' then case {day} else {_OTHER} end "
        f"else case {number} else {_OTHER} end end "
        f"when strlen({text}) <= 5 and {is_value(text, Kind.BOOLEAN)} then {_BOOLEAN} else {_OTHER} end"
    )


def _profile(found: Mapping[int, Mapping[str, Any]]) -> ColumnProfile:
    """Return a column's profile from the numbers of its texts by their class."""

    def values(*classes: int) -> int:
        return sum(found[kind]["values"] for kind in classes if kind in found)

    def largest_of(name: str, *classes: int) -> int:
        return max((found[kind][name] or 0 for kind in classes if kind in found), default=0)

    ranges = [found[kind] for kind in _WHOLES if kind in found]
    has_range = bool(ranges) and largest_of("digits", *_WHOLES) <= 38
    return ColumnProfile(
        values=values(*found),
        integers=values(_INTEGER),
        numbers=values(*_DECIMALS),
        booleans=values(_BOOLEAN),
        dates=values(_DATE),
        timestamps=values(_TIMESTAMP),
        longest_bytes=largest_of("longest", *found),
        integer_digits=largest_of("digits", *_DECIMALS),
        scale=largest_of("scale", _FRACTION),
        smallest=min(int(each["low"]) for each in ranges) if has_range else None,
        largest=max(int(each["high"]) for each in ranges) if has_range else None,
        zoned=values(_ZONED),
    )
