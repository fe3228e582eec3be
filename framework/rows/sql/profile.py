"""Profiles of the columns whose type is not decided, over all rows of a load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import duckdb

from framework.dataclass import dataclass
from framework.model.column_type import ColumnType, Kind
from framework.model.measurements import ColumnProfile
from framework.model.notation import PLAIN_NUMBERS, Notation
from framework.model.null_markers import SPELLED_NULL_MARKERS
from framework.rows.segments import Segment
from framework.rows.sql.cells import is_string
from framework.rows.sql.expressions import (
    cast_of,
    digits_after_point,
    digits_before_point,
    exponent_digits,
    exponent_scale,
    is_exponent,
    is_kept_by_double,
    is_number,
    is_one_of,
    is_timestamp,
    is_unusual,
    is_value,
)
from framework.rows.sql.notation import currency_of, is_in_format, plain_boolean, plain_day, plain_number
from framework.rows.sql.numbers import Number, Numbers, count_where, largest, merged, read_groups, smallest
from framework.rows.sql.rows import field_text

_OTHER, _INTEGER, _WHOLE, _FRACTION, _BOOLEAN, _DATE, _TIMESTAMP, _ZONED = range(8)
_DATE_OR_INTEGER, _EXPONENT, _TIME, _NESTED = range(8, 12)
"""Classes that share no text. _WHOLE is a number with a fraction of zeros; _DATE_OR_INTEGER is both, such as 20240131
where a format describes it; _NESTED are objects and arrays that the file calls so."""
_BIGINT = ColumnType(Kind.BIGINT)
_WHOLES = (_INTEGER, _WHOLE, _DATE_OR_INTEGER)
_DECIMALS = (*_WHOLES, _FRACTION)
_NUMERIC = (*_DECIMALS, _EXPONENT)
_IS_BIG = f"class in {_WHOLES} and n is null"
_BIG = f"case when {_IS_BIG} then try_cast(number as decimal(38,0)) end"
_NUMBERS: Numbers = {
    "values": Number("count(t)", sum),
    "longest": largest("strlen(t)"),
    "digits": largest(
        f"case when class = {_FRACTION} or {_IS_BIG} then {digits_before_point('number')} "
        f"when class = {_EXPONENT} then {exponent_digits('number')} end"
    ),
    "scale": largest(
        f"case when class = {_FRACTION} then scale when class = {_EXPONENT} then {exponent_scale('number')} end"
    ),
    "inexact": count_where(
        f"(class = {_EXPONENT} or (class in {_DECIMALS} and strlen(number) > 15)) and not {is_kept_by_double('number')}"
    ),
    "low": smallest(f"case when class in {_WHOLES} then n end"),
    "high": largest(f"case when class in {_WHOLES} then n end"),
    "big_low": smallest(_BIG),
    "big_high": largest(_BIG),
}
"""Aggregates over the texts `t` of one column and one class. Those that may be numbers have the `number` in plain
notation, its BIGINT `n`, and its `scale`: how many digits stand behind the point, NULL without one."""
_CURRENCIES: Numbers = {"first_currency": smallest("currency"), "last_currency": largest("currency")}
"""Of texts whose notation has several currencies."""
_LONGEST_MARKER_BYTES = max(map(len, SPELLED_NULL_MARKERS))
_LONGEST_EXAMPLE = 100
"""Characters; no null marker is longer."""
_EXAMPLE: Numbers = {"example": Number(f"left(any_value(t), {_LONGEST_EXAMPLE})", min)}


@dataclass(frozen=True)
class ProfilePart:
    """What some segments say of columns: numbers by column and class of its texts, and null markers by column."""

    numbers: Mapping[tuple[str, int], Mapping[str, Any]]
    null_markers: Mapping[str, Mapping[str, int]]


def profile_segments(
    cursor: duckdb.DuckDBPyConnection, segments: Sequence[Segment], columns: Mapping[str, Notation]
) -> ProfilePart:
    """Return the numbers of segments that make a profile."""
    found: dict[tuple[str, int], Mapping[str, Any]] = {}
    null_markers: dict[str, Mapping[str, int]] = {}
    for notation in dict.fromkeys(columns.values()):
        names = [name for name, of_column in columns.items() if of_column == notation]
        asked = {**_NUMBERS, **_EXAMPLE, **(_CURRENCIES if _has_currencies(notation) else {})}
        groups = read_groups(cursor, asked, _classified(segments, names, notation), "place", "class")
        suspects = []
        for (place, kind), numbers in groups.items():
            is_marker = numbers["example"] in SPELLED_NULL_MARKERS and numbers["longest"] <= _LONGEST_MARKER_BYTES
            if kind == _OTHER and is_marker:
                suspects.append(names[place])
            found[names[place], kind] = numbers
        if suspects:
            null_markers |= _null_markers(cursor, segments, suspects, notation)
    return ProfilePart(found, null_markers)


def _null_markers(
    cursor: duckdb.DuckDBPyConnection, segments: Sequence[Segment], names: Sequence[str], notation: Notation
) -> Mapping[str, Mapping[str, int]]:
    """Return how often each null marker stands in some columns, for which the rows are read once more."""
    is_marker = f"class = {_OTHER} and {is_one_of('t', SPELLED_NULL_MARKERS)}"
    rows = f"select place, t, count(*) from ({_classified(segments, names, notation)}) where {is_marker}"
    found: dict[str, dict[str, int]] = {}
    for place, text, count in cursor.execute(f"{rows} group by place, t").fetchall():
        found.setdefault(names[place], {})[text] = count
    return found


def _fields(segment: Segment, names: Sequence[str], notation: Notation) -> str:
    texts = [field_text(segment, name, notation) or "cast(null as varchar)" for name in names]
    strings = [_is_string(segment, name) for name in names]
    # The same for all rows where the file does not say what its cells are.
    is_string = "null" if set(strings) == {"null"} else f"unnest([{', '.join(strings)}])"
    return (
        f"select unnest([{', '.join(texts)}]) as t, cast({is_string} as boolean) as s, "
        f"unnest(range({len(names)})) as place from {segment.relation}"
    )


def _is_string(segment: Segment, name: str) -> str:
    """Return the condition that the file itself calls a cell a text; NULL where it does not say what its cells are."""
    columns = segment.layout.columns
    found = is_string(segment, columns.index(name)) if name in columns else None
    return "null" if found is None else found


def column_profiles(columns: Collection[str], found: Sequence[ProfilePart]) -> Mapping[str, ColumnProfile]:
    """Return the profile of each column from the numbers of all segments."""
    of_column: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in columns}
    for name, kind in {key for part in found for key in part.numbers}:
        parts = [part.numbers[name, kind] for part in found if (name, kind) in part.numbers]
        of_column[name][kind] = merged({**_NUMBERS, **_EXAMPLE, **_CURRENCIES}, parts)
    return {
        name: _profile(numbers, sum((Counter(part.null_markers.get(name, {})) for part in found), Counter()))
        for name, numbers in of_column.items()
    }


_LIKE_DIGIT = "t >= '0' and t < ':'"
_LIKE_NUMBER = f"({_LIKE_DIGIT} or starts_with(t, '-') or starts_with(t, '.')) and t not like '____-%'"


def _classified(segments: Sequence[Segment], names: Sequence[str], notation: Notation) -> str:
    """Return the query of the columns' texts with their classes and what else _NUMBERS needs.

    The first looks are cheap and leave few texts to the expressions, which decide.
    """
    if notation.numbers == PLAIN_NUMBERS:
        number, may_be_number, is_plain = "t", _LIKE_NUMBER, is_number("t")
    else:
        # A number that the file itself calls one has no other point.
        number = (
            f"case when not s then case when {_LIKE_NUMBER} then t end else {plain_number('t', notation.numbers)} end"
        )
        may_be_number = "number is not null"
        is_plain = is_number("number")
    is_usual = f"not {is_unusual('number', _BIGINT, 'n')}"
    of_scale = f"case when scale is null then {_INTEGER} when scale = 0 then {_WHOLE} else {_FRACTION} end"
    numbers = f"when {is_usual} then {_INTEGER} when {is_plain} then {of_scale} "
    numbers += f"when {is_exponent('number')} then {_EXPONENT} else {_OTHER} end"
    classes = [
        *_boolean_classes(notation, is_first=True),
        *_day_classes(notation, is_first=True),
        *([f"when {is_in_format('t', notation.time_formats)} then {_TIME}"] if notation.time_formats else []),
        # What the file calls a text is one, unless the spec says how texts write values.
        f"when s{'' if notation.numbers == PLAIN_NUMBERS else ' and number is null'} then {_OTHER}",
        f"when left(t, 1) in ('{{', '[') and not s then {_NESTED}",
        f"when contains(t, ':') and not s and {is_value('t', Kind.TIME)} then {_TIME}",
        f"when {may_be_number} then case {numbers}",
        *_day_classes(notation, is_first=False),
        *_boolean_classes(notation, is_first=False),
    ]
    # Each once for a text: DuckDB computes an expression wherever it stands.
    day = "null"
    if notation.day_formats:
        written = plain_day("t", notation.day_formats, ColumnType(Kind.TIMESTAMP))
        day = f"coalesce({written}, case when not s then t end)"
    fields = " union all ".join(_fields(segment, names, notation) for segment in segments)
    texts = f"select *, {number} as number, {day} as day from ({fields})"
    integer = f"case when {may_be_number} then {cast_of('number', _BIGINT)} end as n"
    has_point = f"{may_be_number} and contains(number, '.')"
    scale = f"case when {has_point} then {digits_after_point('number')} end as scale"
    found = [f"case {' '.join(classes)} else {_OTHER} end as class"]
    if _has_currencies(notation):
        found.append(f"{currency_of('t', notation.numbers)} as currency")
    return f"select *, {', '.join(found)} from (select *, {integer}, {scale} from ({texts}))"


def _has_currencies(notation: Notation) -> bool:
    return len(notation.numbers.currency) > 1


def _day_classes(notation: Notation, is_first: bool) -> Iterator[str]:
    """Yield the conditions on dates and times. Those of formats come first: a format may consist of digits."""
    if bool(notation.day_formats) is not is_first:
        return
    if is_first:
        if any(each.is_of_digits and not each.has_time for each in notation.day_formats):
            yield f"when {_is_day('day', Kind.DATE)} and n is not null then {_DATE_OR_INTEGER}"
        yield f"when {_is_day('day', Kind.DATE)} then {_DATE} when {_is_day('day', Kind.TIMESTAMP)} then {_TIMESTAMP}"
        if any(each.has_offset for each in notation.day_formats):
            yield f"when {_is_day('day', Kind.TIMESTAMPTZ)} then {_ZONED}"
        return
    kinds = ((Kind.DATE, _DATE), (Kind.TIMESTAMP, _TIMESTAMP), (Kind.TIMESTAMPTZ, _ZONED))
    days = " ".join(f"when {_is_day('t', kind)} then {number}" for kind, number in kinds)
    yield f"when {_LIKE_DIGIT} then case {days} else {_OTHER} end"


def _is_day(text: str, kind: Kind) -> str:
    column_type = ColumnType(kind)
    is_usual = f"not {is_unusual(text, column_type, cast_of(text, column_type))}"
    is_judged = is_timestamp(text) if kind is Kind.TIMESTAMP else is_value(text, kind)
    return f"({is_judged})" if kind is Kind.TIMESTAMPTZ else f"({text} is not null and ({is_usual} or {is_judged}))"


def _boolean_classes(notation: Notation, is_first: bool) -> Iterator[str]:
    """Yield the condition on booleans. Those of the spec come first: they may be numbers."""
    if bool(notation.booleans) is not is_first:
        return
    if is_first:
        yield f"when {plain_boolean('t', notation.booleans)} is not null then {_BOOLEAN}"
    else:
        may_be = "strlen(t) between 4 and 5 and contains('tTfF', left(t, 1))"
        yield f"when {may_be} and {is_value('t', Kind.BOOLEAN)} then {_BOOLEAN}"


def _profile(found: Mapping[int, Mapping[str, Any]], null_markers: Counter[str]) -> ColumnProfile:
    """Return a column's profile from the numbers of its texts by their class, and its null markers."""

    def values(*classes: int) -> int:
        return sum(found[kind]["values"] for kind in classes if kind in found)

    def largest_of(name: str, *classes: int) -> int:
        return max((found[kind][name] or 0 for kind in classes if kind in found), default=0)

    ends = [found[kind][end] for kind in _WHOLES if kind in found for end in ("low", "high", "big_low", "big_high")]
    wholes = [int(end) for end in ends if end is not None]
    currencies = {found[kind][end] for kind in _DECIMALS if kind in found for end in _CURRENCIES}
    # Beyond 38 digits there is no number.
    has_range = bool(wholes) and largest_of("digits", *_WHOLES) <= 38
    return ColumnProfile(
        values=values(*found),
        integers=values(_INTEGER, _DATE_OR_INTEGER),
        numbers=values(*_DECIMALS),
        booleans=values(_BOOLEAN),
        dates=values(_DATE, _DATE_OR_INTEGER),
        timestamps=values(_TIMESTAMP),
        longest_bytes=largest_of("longest", *found),
        integer_digits=max(largest_of("digits", *_NUMERIC), *(_digits(whole) for whole in wholes), 0),
        scale=largest_of("scale", _FRACTION, _EXPONENT),
        smallest=min(wholes) if has_range else None,
        largest=max(wholes) if has_range else None,
        zoned=values(_ZONED),
        times=values(_TIME),
        exponents=values(_EXPONENT),
        inexact=sum(found[kind]["inexact"] for kind in _NUMERIC if kind in found),
        mixes_currencies=len(currencies - {None}) > 1,
        null_markers=null_markers if null_markers.total() == values(_OTHER) else {},
        nested=values(_NESTED),
        example=found[_OTHER]["example"] if _OTHER in found else None,
    )


def _digits(whole: int) -> int:
    return len(str(abs(whole))) if whole else 0
