"""Aggregates over the rows of segments, and their sum over all segments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb

from framework.dataclass import dataclass


@dataclass(frozen=True)
class Number:
    """An aggregate: its SQL, and how the values of several segments become one. NULL counts as none."""

    sql: str
    merge: Callable[[list[Any]], Any]


Numbers = Mapping[str, Number]


def count_where(condition: str) -> Number:
    """Count the rows that meet a condition."""
    return Number(f"count(case when {condition} then 1 end)", sum)


def largest(value: str) -> Number:
    """Take the largest value."""
    return Number(f"max({value})", max)


def smallest(value: str) -> Number:
    """Take the smallest value."""
    return Number(f"min({value})", min)


def read_numbers(cursor: duckdb.DuckDBPyConnection, numbers: Numbers, rows: str) -> dict[str, Any]:
    """Return the numbers of a query's rows."""
    selected = ", ".join(f"{number.sql} as {name}" for name, number in numbers.items())
    found = cursor.execute(f"select {selected} from ({rows})").fetchone()
    assert found is not None
    return dict(zip(numbers, found, strict=True))


def read_groups(
    cursor: duckdb.DuckDBPyConnection, numbers: Numbers, rows: str, *keys: str
) -> dict[tuple[int, ...], dict[str, Any]]:
    """Return the numbers of a query's rows by the values of some of its columns.

    Where every field is such a row, the plan is the same for one column and for a thousand.
    """
    asked = ", ".join([*keys, *(f"{number.sql} as {name}" for name, number in numbers.items())])
    found = cursor.execute(f"select {asked} from ({rows}) group by {', '.join(keys)}").fetchall()
    return {row[: len(keys)]: dict(zip(numbers, row[len(keys) :], strict=True)) for row in found}


def merged(numbers: Numbers, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the numbers of all rows from those of their parts; None where every part has none."""
    result: dict[str, Any] = {}
    for name, number in numbers.items():
        values = [part[name] for part in found if part.get(name) is not None]
        result[name] = number.merge(values) if values else None
    return result
