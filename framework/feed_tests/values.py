"""When two texts are the same value of a column."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal

from framework.model.column_type import ColumnType, Kind, parse_type
from framework.spec.feed_tests import Cell

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


def comparable(text: Cell, column_type: ColumnType | None) -> Hashable:
    """Return what two texts share if they are the same value of a column.

    NULL is no text. Numbers are exact, but in columns of binary floats. Times with a zone are instants; one without
    is UTC, as in the warehouse. A text that is no value of the type is only equal to itself.
    """
    if text is None or column_type is None:
        return text
    if column_type.is_exact_number:
        return Decimal(text) if _NUMBER.fullmatch(text) else text
    with suppress(ValueError, OverflowError, RecursionError):
        return _VALUES.get(column_type.kind, str)(text)
    return text


def same_type(one: str, other: str) -> bool:
    """Return whether two texts name one type, such as `numeric(18,2)` and `decimal(18, 2)`, or are equal."""
    try:
        return parse_type(one) == parse_type(other)
    except ValueError:
        return one == other


def _real(text: str) -> Hashable:
    rounded: float = struct.unpack("f", struct.pack("f", _double(text)))[0]
    return rounded


def _double(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(text: str) -> Hashable:
    return _frozen(json.loads(text, parse_float=Decimal, parse_int=Decimal))


def _frozen(value: object) -> Hashable:
    """Return a value of JSON so that only equal values are equal: for Python, true is 1."""
    match value:
        case dict():
            return frozenset((name, _frozen(each)) for name, each in value.items())
        case list():
            return tuple(map(_frozen, value))
        case bool():
            return bool, value
        case Decimal() | str() | None:
            return value
    raise ValueError(value)


_VALUES: Mapping[Kind, Callable[[str], Hashable]] = {
    Kind.BOOLEAN: str.lower,
    Kind.REAL: _real,
    Kind.DOUBLE: _double,
    Kind.CHAR: lambda text: text.rstrip(" "),
    Kind.DATE: date.fromisoformat,
    Kind.TIME: time.fromisoformat,
    Kind.TIMESTAMP: datetime.fromisoformat,
    Kind.TIMESTAMPTZ: _instant,
    Kind.SUPER: _json,
}
