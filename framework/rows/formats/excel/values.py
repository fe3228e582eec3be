"""Cells of a sheet as texts, and as values of JSON in which dates and times stand without quotes."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from json.encoder import encode_basestring

from framework.dataclass import dataclass

DIGITS = 15
"""Excel keeps so many of a number that is entered; a float as the result of a formula has up to two more.
Source: https://learn.microsoft.com/office/troubleshoot/excel/floating-point-arithmetic-inaccurate-result"""
UNSAFE_INTEGER = 2**53
"""From here on a float stands for more than one whole number."""
_PLAIN_EXPONENTS = range(-20, 22)


@dataclass(frozen=True)
class BadCell:
    """A cell that is no value: its text, and why."""

    text: str
    reason: str


Cell = str | float | bool | date | datetime | time | timedelta | BadCell
"""A cell as Python has it; an empty one is an empty text."""


def cell_text(cell: Cell) -> str:
    """Return the text of a cell, empty for an empty one."""
    return cell if isinstance(cell, str) else cell.text if isinstance(cell, BadCell) else _plain(cell)


def json_text(cell: Cell) -> str:
    """Return the value of a cell; a text is quoted, and an empty cell is empty."""
    if isinstance(cell, str):
        return encode_basestring(cell) if cell else ""
    if isinstance(cell, float):
        return number_text(cell)
    assert not isinstance(cell, BadCell)
    return _plain(cell)


def _plain(cell: float | bool | date | datetime | time | timedelta) -> str:
    match cell:
        case bool():
            return "true" if cell else "false"
        case int():
            return str(cell)
        case float():
            return number_text(cell)
        case datetime():
            return cell.isoformat(" ")
        case timedelta():
            return _duration(cell)
        case _:
            return cell.isoformat()


def number_text(number: float) -> str:
    """Return the shortest text of a number with the digits that Excel keeps, or all of those before the point."""
    if number.is_integer() and abs(number) <= UNSAFE_INTEGER:
        return str(int(number))
    text = repr(number) if abs(number) >= 10**DIGITS else format(number, f".{DIGITS}g")
    short = Decimal(text)
    if not short.is_finite():
        return str(number)
    return format(short.normalize(), "f") if short.adjusted() in _PLAIN_EXPONENTS else text


def _duration(span: timedelta) -> str:
    """Return hours, minutes and seconds, such as 36:00:00."""
    sign, span = ("-", -span) if span < timedelta() else ("", span)
    seconds = span.days * 86_400 + span.seconds
    fraction = f".{span.microseconds:06d}" if span.microseconds else ""
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"
