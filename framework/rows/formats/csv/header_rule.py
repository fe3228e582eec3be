"""Whether the first record of a file is a header, judged by its cells: a name is text, a value is like those below.

Numbers are names too where they are years, or where several in a row rise by one step, as in wide tables.
A header of texts above texts cannot be distinguished from data.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Literal, TypeVar

from framework.dataclass import dataclass

CellKind = Literal["integer", "decimal", "date", "time", "boolean"]
_YEARS = range(1900, 2101)
_SHORTEST_RUN = 3
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?"
_DAY = r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|\d{1,2}-[A-Za-z]{3}-(?:\d{4}|\d{2})"
_KINDS: tuple[tuple[CellKind, re.Pattern[str]], ...] = (
    ("integer", re.compile(r"[+-]?\d{1,300}", re.ASCII)),
    ("date", re.compile(rf"(?:{_DAY})(?:[T ]{_CLOCK}\s?(?:Z|[AaPp][Mm]|[+-]\d\d:?(?:\d\d)?)?)?", re.ASCII)),
    # With a decimal comma too, and with either mark between thousands.
    (
        "decimal",
        re.compile(
            r"[+-]?(?:\d+[.,]\d*|[.,]\d+|\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d{1,3}(?:\.\d{3})+(?:,\d*)?)(?:[eE][+-]?\d+)?"
            r"|[+-]?\d+[eE][+-]?\d+",
            re.ASCII,
        ),
    ),
    ("time", re.compile(_CLOCK, re.ASCII)),
    ("boolean", re.compile(r"true|false|yes|no", re.IGNORECASE)),
)
_NUMBERS = ("integer", "decimal")
_ORDERS = ((0, 1, 2), (2, 0, 1), (2, 1, 0))
"""The positions of year, month and day in a date that is written in digits."""
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class DataCell:
    """A cell of the first record that is a value, and its position from 1.

    `is_alone` says that there is no record below it.
    """

    position: int
    kind: CellKind
    is_alone: bool


@dataclass(frozen=True)
class MostlyEmpty:
    """A first record of whose cells more than half are empty."""

    empty: int
    cells: int


def looks_like_data(
    header: Sequence[str],
    records: Sequence[Sequence[str]],
    null_values: Collection[str] = (),
    known: Collection[int] = (),
) -> DataCell | MostlyEmpty | None:
    """Return why a first record is no header, None where it may be one.

    A cell is a value if it is of the same kind as more than half of the values below it, whole numbers and
    others being alike; or if there is no record below. The cells at the places `known`, from 0, are names.
    """
    empty = sum(not cell.strip() for cell in header)
    if empty > 1 and 2 * empty > len(header):
        return MostlyEmpty(empty, len(header))
    kinds = [kind_of(cell) for cell in header]
    names = {*known, *_years(header, kinds), *_runs_of_integers(header, kinds), *_runs_of_dates(header, kinds)}
    for place, kind in enumerate(kinds):
        if kind is not None and place not in names:
            below = _kinds_below(records, place, null_values)
            alike = sum(_is_alike(kind, other) for other in below)
            if not records or 2 * alike > len(below):
                return DataCell(place + 1, kind, not records)
    return None


def is_surely_header(header: Sequence[str], records: Sequence[Sequence[str]]) -> bool:
    """Return whether all cells are different texts, one of them above values that are more often something else."""
    texts = {cell.strip() for cell in header}
    if "" in texts or len(texts) < len(header) or any(kind_of(cell) for cell in header):
        return False
    columns = (_kinds_below(records, place) for place in range(len(header)))
    return any(2 * sum(kind is not None for kind in below) > len(below) for below in columns)


def kind_of(cell: str) -> CellKind | None:
    """Return the kind of a cell; None for any other text and for an empty one."""
    text = cell.strip()
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(text)), None)


def _kinds_below(
    records: Sequence[Sequence[str]], place: int, null_values: Collection[str] = ()
) -> list[CellKind | None]:
    cells = (record[place] for record in records if place < len(record))
    return [kind_of(cell) for cell in cells if cell.strip() and cell not in null_values]


def _is_alike(kind: CellKind, other: CellKind | None) -> bool:
    return kind == other or (kind in _NUMBERS and other in _NUMBERS)


def _years(header: Sequence[str], kinds: Sequence[CellKind | None]) -> set[int]:
    return {place for place, kind in enumerate(kinds) if kind == "integer" and int(header[place]) in _YEARS}


def _runs_of_integers(header: Sequence[str], kinds: Sequence[CellKind | None]) -> set[int]:
    numbers = [int(cell) if kind == "integer" else None for cell, kind in zip(header, kinds, strict=True)]
    return _runs(numbers, lambda earlier, later: later - earlier)


def _runs_of_dates(header: Sequence[str], kinds: Sequence[CellKind | None]) -> set[int]:
    found: set[int] = set()
    for order in _ORDERS:
        days = [_day(cell, order) if kind == "date" else None for cell, kind in zip(header, kinds, strict=True)]
        found |= _runs(days, lambda earlier, later: (later - earlier).days)
        found |= _runs(days, _months_between)
    return found


def _runs(values: Sequence[_Value | None], step: Callable[[_Value, _Value], int]) -> set[int]:
    """Return the places of three or more neighbours that rise by one step."""
    found: set[int] = set()
    start, last = 0, 0
    for place in range(1, len(values)):
        earlier, later = values[place - 1], values[place]
        rise = 0 if earlier is None or later is None else step(earlier, later)
        if rise <= 0:
            start = place
        elif rise != last:
            start = place - 1
        last = rise
        if place - start + 1 >= _SHORTEST_RUN:
            found.update(range(start, place + 1))
    return found


def _day(cell: str, order: tuple[int, int, int]) -> date | None:
    parts = re.split(r"[-/.]", cell.strip())
    try:
        year, month, day = (int(parts[place]) for place in order)
        return date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None


def _months_between(earlier: date, later: date) -> int:
    """Return the months between two equal days of months, or two last ones; 0 for other days."""
    are_last = all(day.day == monthrange(day.year, day.month)[1] for day in (earlier, later))
    if earlier.day != later.day and not are_last:
        return 0
    return 12 * (later.year - earlier.year) + later.month - earlier.month
