"""What is measured of rows that are staged, where some of them do not fit or nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from framework.column_type import Kind
from framework.frames.embedded.numbers import Number, Numbers, count_where, largest, smallest
from framework.frames.embedded.rows import is_read, misfit, null_key
from framework.frames.embedded.sql import (
    digits_after_point,
    digits_before_point,
    is_number,
    is_timestamp,
    is_whole,
    named,
)
from framework.schema.values import ColumnMeasurement, StagingColumn


def row_numbers(columns: Sequence[StagingColumn]) -> Numbers:
    """Return the numbers of `checked_rows`: `rows`, `bad` and those of each column."""
    numbers = {"rows": Number("count(*)", sum), "bad": count_where("is_bad")}
    for index, column in enumerate(columns):
        numbers |= {f"{name}{index}": number for name, number in _column_numbers(column, index).items()}
    return numbers


def length_numbers(columns: Sequence[StagingColumn]) -> Numbers:
    """Return the numbers of staged rows that all fit: the lengths that are asked for."""
    return {
        f"length{index}": largest(f"strlen({named(column.name)})")
        for index, column in enumerate(columns)
        if column.measure_length
    }


def column_measurements(columns: Sequence[StagingColumn], found: Mapping[str, Any]) -> Mapping[str, ColumnMeasurement]:
    """Return each column's measurement; numbers that were not looked for are 0."""
    return {column.name: _measured(found, index) for index, column in enumerate(columns)}


def value_counts(columns: Sequence[StagingColumn], found: Mapping[str, Any]) -> Mapping[str, int]:
    """Return how many texts each column has that is read."""
    return {column.name: int(found[f"values{index}"] or 0) for index, column in enumerate(columns) if is_read(column)}


def _column_numbers(column: StagingColumn, index: int) -> dict[str, Number]:
    numbers: dict[str, Number] = {}
    text = f"t{index}"
    if column.required:
        numbers["nulls"] = count_where(null_key(column, index))
    if not is_read(column):
        return numbers
    if column.measure_length:
        numbers["length"] = largest(f"strlen(v{index})")
    numbers["values"] = Number(f"count({text})", sum)
    misfits = misfit(column, index)
    numbers["misfits"] = count_where(misfits)
    if column.type.is_exact_number:
        numbers |= _wider_numbers(f"{misfits} and {is_number(text)}", text)
    elif column.type.kind is Kind.DATE and column.format is None:
        numbers["wider"] = count_where(f"{misfits} and {is_timestamp(text)}")
    return numbers


def _wider_numbers(condition: str, text: str) -> dict[str, Number]:
    whole = f"{condition} and {is_whole(text)}"
    value = f"case when {whole} then try_cast({text} as decimal(38,0)) end"
    return {
        "wider": count_where(condition),
        "digits": largest(f"case when {condition} then {digits_before_point(text)} end"),
        "scale": largest(f"case when {condition} then {digits_after_point(text)} end"),
        "longest_integer": largest(f"case when {whole} then {digits_before_point(text)} end"),
        "low": smallest(value),
        "high": largest(value),
    }


def _measured(found: Mapping[str, Any], index: int) -> ColumnMeasurement:
    def number(name: str) -> int:
        return int(found.get(f"{name}{index}") or 0)

    low, high = found.get(f"low{index}"), found.get(f"high{index}")
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
