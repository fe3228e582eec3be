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
    cast_of,
    digits_after_point,
    digits_before_point,
    is_number,
    is_timestamp,
    is_unusual,
    is_value,
)
from framework.rows.sql.numbers import Number, Numbers, largest, merged, read_groups, smallest
from framework.rows.sql.rows import field_text

_OTHER, _INTEGER, _WHOLE, _FRACTION, _BOOLEAN, _DATE, _TIMESTAMP, _ZONED = range(8)
"""Classes that share no text; _WHOLE is a number with a fraction of zeros."""
_BIGINT = ColumnType(Kind.BIGINT)
_WHOLES = (_INTEGER, _WHOLE)
_DECIMALS = (*_WHOLES, _FRACTION)
_IS_BIG = f"class in {_WHOLES} and n is null"
_BIG = f"case when {_IS_BIG} then try_cast(t as decimal(38,0)) end"
_NUMBERS: Numbers = {
    "values": Number("count(t)", sum),
    "longest": largest("strlen(t)"),
    "digits": largest(f"case when class = {_FRACTION} or {_IS_BIG} then {digits_before_point('t')} end"),
    "scale": largest(f"case when class = {_FRACTION} then scale end"),
    "low": smallest(f"case when class in {_WHOLES} then n end"),
    "high": largest(f"case when class in {_WHOLES} then n end"),
    "big_low": smallest(_BIG),
    "big_high": largest(_BIG),
}
"""Aggregates over the texts `t` of one column and one class. Where a text begins as a number does, `n` is its BIGINT,
and `scale` the number of its digits behind the point, where it has one."""


def _is_usual(kind: Kind) -> str:
    return f"not {is_unusual('t', ColumnType(kind), cast_of('t', ColumnType(kind)))}"


# The first looks are cheap and leave few texts to the expressions, which decide.
_LIKE_DIGIT = "t >= '0' and t < ':'"
_LIKE_NUMBER = f"({_LIKE_DIGIT} or starts_with(t, '-') or starts_with(t, '.')) and t not like '____-%'"
_CLASS = f"""\
case
when {_LIKE_NUMBER} then case
    when not {is_unusual("t", _BIGINT, "n")} then {_INTEGER}
    when {is_number("t")} then case when scale is null then {_INTEGER} when scale = 0 then {_WHOLE} else {_FRACTION} end
    else {_OTHER} end
when {_LIKE_DIGIT} then case
    when {_is_usual(Kind.DATE)} or {is_value("t", Kind.DATE)} then {_DATE}
    when {_is_usual(Kind.TIMESTAMP)} or {is_timestamp("t")} then {_TIMESTAMP}
    when {is_value("t", Kind.TIMESTAMPTZ)} then {_ZONED}
    else {_OTHER} end
when strlen(t) between 4 and 5 and contains('tTfF', left(t, 1)) and {is_value("t", Kind.BOOLEAN)} then {_BOOLEAN}
else {_OTHER} end"""
Groups = Mapping[tuple[int, ...], Mapping[str, Any]]
"""Numbers by the column's place and the class of its texts."""


def profile_segments(
    cursor: duckdb.DuckDBPyConnection, segments: Sequence[Segment], columns: Sequence[str], options: CsvOptions
) -> Groups:
    """Return the numbers of segments that make a profile."""
    fields = " union all ".join(_fields(segment, columns, options) for segment in segments)
    # Each once for a text: DuckDB computes an expression wherever it stands.
    integer = f"case when {_LIKE_NUMBER} then {cast_of('t', _BIGINT)} end as n"
    scale = f"case when {_LIKE_NUMBER} and contains(t, '.') then {digits_after_point('t')} end as scale"
    classes = f"select *, {_CLASS} as class from (select *, {integer}, {scale} from ({fields}))"
    return read_groups(cursor, _NUMBERS, classes, "place", "class")


def _fields(segment: Segment, columns: Sequence[str], options: CsvOptions) -> str:
    texts = [field_text(segment, name, options) or "cast(null as varchar)" for name in columns]
    return f"select unnest([{', '.join(texts)}]) as t, unnest(range({len(columns)})) as place from {segment.relation}"


def column_profiles(columns: Sequence[str], found: Sequence[Groups]) -> Mapping[str, ColumnProfile]:
    """Return the profile of each column from the numbers of all segments."""
    of_place: dict[int, dict[int, dict[str, Any]]] = {place: {} for place in range(len(columns))}
    for place, kind in {key for part in found for key in part}:
        of_place[place][kind] = merged(_NUMBERS, [part[place, kind] for part in found if (place, kind) in part])
    return {name: _profile(of_place[place]) for place, name in enumerate(columns)}


def _profile(found: Mapping[int, Mapping[str, Any]]) -> ColumnProfile:
    """Return a column's profile from the numbers of its texts by their class."""

    def values(*classes: int) -> int:
        return sum(found[kind]["values"] for kind in classes if kind in found)

    def largest_of(name: str, *classes: int) -> int:
        return max((found[kind][name] or 0 for kind in classes if kind in found), default=0)

    ends = [found[kind][end] for kind in _WHOLES if kind in found for end in ("low", "high", "big_low", "big_high")]
    wholes = [int(end) for end in ends if end is not None]
    # Beyond 38 digits there is no number.
    has_range = bool(wholes) and largest_of("digits", *_WHOLES) <= 38
    return ColumnProfile(
        values=values(*found),
        integers=values(_INTEGER),
        numbers=values(*_DECIMALS),
        booleans=values(_BOOLEAN),
        dates=values(_DATE),
        timestamps=values(_TIMESTAMP),
        longest_bytes=largest_of("longest", *found),
        integer_digits=max(largest_of("digits", *_DECIMALS), *(_digits(whole) for whole in wholes), 0),
        scale=largest_of("scale", _FRACTION),
        smallest=min(wholes) if has_range else None,
        largest=max(wholes) if has_range else None,
        zoned=values(_ZONED),
    )


def _digits(whole: int) -> int:
    return len(str(abs(whole))) if whole else 0
