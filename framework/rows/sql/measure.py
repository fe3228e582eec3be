"""Measurements of staged rows, where some do not fit or nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from framework.model.column_type import MAX_PRECISION, Kind
from framework.model.measurements import ColumnMeasurement
from framework.model.staging import StagingColumn
from framework.rows.segments import Segment
from framework.rows.sql.expressions import (
    digits_after_point,
    digits_before_point,
    exponent_digits,
    exponent_scale,
    is_exponent,
    is_number,
    is_timestamp,
    is_whole,
    named,
)
from framework.rows.sql.numbers import (
    Number,
    Numbers,
    count_where,
    largest,
    merged,
    read_groups,
    read_numbers,
    smallest,
)
from framework.rows.sql.rows import checked_rows, is_read, misfit, plain_name

ColumnNumbers = Mapping[int, Mapping[str, Any]]
"""Numbers by the column's place."""
_COUNTS: Numbers = {
    "rows": Number("count(*)", sum),
    "values": Number("count(t)", sum),
    "misfits": count_where("is_misfit"),
    "length": largest("case when not is_misfit then strlen(t) end"),
}
"""Aggregates over one column's texts `t`, each with whether it `is_misfit`."""


def _of_numbers(prefix: str, is_one: str, is_whole_one: str, digits: str, scale: str) -> Numbers:
    """Return the aggregates over the texts `t` that are numbers of one kind."""
    value = f"case when {is_whole_one} then try_cast(t as decimal(38,0)) end"
    return {
        f"{prefix}count": count_where(is_one),
        f"{prefix}digits": largest(f"case when {is_one} then {digits} end"),
        f"{prefix}scale": largest(f"case when {is_one} then {scale} end"),
        f"{prefix}longest_integer": largest(f"case when {is_whole_one} then {digits} end"),
        f"{prefix}low": smallest(value),
        f"{prefix}high": largest(value),
    }


_PLAIN, _EXPONENT = "plain_", "exponent_"
_IS_WHOLE_EXPONENT = f"case when {is_exponent('t')} then {exponent_scale('t')} = 0 else false end"
_MISFITS: Numbers = {
    "wider_days": count_where(is_timestamp("t")),
    **_of_numbers(_PLAIN, is_number("t"), is_whole("t"), digits_before_point("t"), digits_after_point("t")),
    **_of_numbers(_EXPONENT, is_exponent("t"), _IS_WHOLE_EXPONENT, exponent_digits("t"), exponent_scale("t")),
}
"""Aggregates over one column's texts `t` that are misfits, in plain notation."""


def measure_segment(
    cursor: duckdb.DuckDBPyConnection, segment: Segment, columns: Sequence[StagingColumn]
) -> tuple[int, int, ColumnNumbers]:
    """Return how many rows a segment has, how many of them are bad, and the numbers of each column.

    Misfits that a wider type may hold are read once more: checking every text for them would take longer.
    """
    rows_place = len(columns)
    cells = _cells(segment, columns, [f"t{index}" for index in range(len(columns))])
    found = {place: numbers for (place,), numbers in read_groups(cursor, _COUNTS, cells, "place").items()}
    of_rows = found.pop(rows_place, {"rows": 0, "misfits": 0})
    if any(numbers["misfits"] and _may_widen(columns[place]) for place, numbers in found.items()):
        plain = [plain_name(segment, column, index) for index, column in enumerate(columns)]
        cells = f"select * from ({_cells(segment, columns, plain)} where is_bad) where is_misfit"
        misfits = read_groups(cursor, _MISFITS, cells, "place")
        found = {place: numbers | misfits.get((place,), {}) for place, numbers in found.items()}
    return of_rows["rows"], of_rows["misfits"], found


def _cells(segment: Segment, columns: Sequence[StagingColumn], texts: Sequence[str]) -> str:
    """Return the query of all texts `t`, each with its column's `place` and whether it `is_misfit`.

    The place behind the last column has what is true of the whole row.
    """
    faults = [*(misfit(column, index) for index, column in enumerate(columns)), "is_bad"]
    return (
        f"select unnest([{', '.join([*texts, 'null'])}]) as t, unnest([{', '.join(faults)}]) as is_misfit, "
        f"unnest(range({len(columns) + 1})) as place from ({checked_rows(segment, columns)})"
    )


def measure_lengths(cursor: duckdb.DuckDBPyConnection, columns: Sequence[StagingColumn], rows: str) -> ColumnNumbers:
    """Return the numbers of staged rows that all fit: the lengths that are asked for."""
    asked = {
        f"length{index}": largest(f"strlen({named(column.name)})")
        for index, column in enumerate(columns)
        if column.measure_length
    }
    found = read_numbers(cursor, asked, rows) if asked else {}
    return {int(name.removeprefix("length")): {"length": value} for name, value in found.items()}


def merged_numbers(columns: Sequence[StagingColumn], found: Sequence[ColumnNumbers]) -> ColumnNumbers:
    """Return the numbers of all rows from those of their parts."""
    numbers = {**_COUNTS, **_MISFITS}
    return {place: merged(numbers, [part[place] for part in found if place in part]) for place in range(len(columns))}


def column_measurements(columns: Sequence[StagingColumn], found: ColumnNumbers) -> Mapping[str, ColumnMeasurement]:
    """Return each column's measurement; numbers that were not looked for are 0."""
    return {column.name: _measured(column, found[place]) for place, column in enumerate(columns)}


def value_counts(columns: Sequence[StagingColumn], found: ColumnNumbers) -> Mapping[str, int]:
    """Return the number of texts of each column that is read."""
    return {column.name: int(found[place]["values"] or 0) for place, column in enumerate(columns) if is_read(column)}


def _may_widen(column: StagingColumn) -> bool:
    return column.type.is_exact_number or _may_be_timestamp(column)


def _may_be_timestamp(column: StagingColumn) -> bool:
    return column.type.kind is Kind.DATE


def _measured(column: StagingColumn, found: Mapping[str, Any]) -> ColumnMeasurement:
    def number(name: str) -> int:
        return int(found[name] or 0)

    longest_bytes = number("length") if column.measure_length else 0
    null_keys = number("rows") - number("values") if column.required and is_read(column) else 0
    misfits = number("misfits")
    if _may_be_timestamp(column):
        return ColumnMeasurement(longest_bytes, misfits, number("wider_days"), null_keys=null_keys)
    if not column.type.is_exact_number:
        return ColumnMeasurement(longest_bytes, misfits, null_keys=null_keys)
    # Without a fraction beside them, texts such as 12e4 may be codes, as in a new column.
    takes_exponents = column.type.kind is Kind.DECIMAL or number(f"{_PLAIN}scale") > 0
    kinds = (_PLAIN, _EXPONENT) if takes_exponents else (_PLAIN,)
    lows, highs = (
        [int(value) for kind in kinds if (value := found[kind + end]) is not None] for end in ("low", "high")
    )
    has_range = bool(lows) and all(number(f"{kind}longest_integer") <= MAX_PRECISION for kind in kinds)
    return ColumnMeasurement(
        longest_bytes=longest_bytes,
        misfits=misfits,
        wider=sum(number(f"{kind}count") for kind in kinds),
        integer_digits=max(number(f"{kind}digits") for kind in kinds),
        scale=max(number(f"{kind}scale") for kind in kinds),
        smallest=min(lows) if has_range else None,
        largest=max(highs) if has_range else None,
        null_keys=null_keys,
    )
