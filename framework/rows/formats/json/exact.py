"""Records of JSON read exactly: numbers by their digits, every key once.

DuckDB reads nearly all records, and much faster. It passes fractions through a float, forgives a comma behind the last
element, and keeps the first of two equal keys: records in which that may matter are read here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any

_MOST_WHOLE_DIGITS, _MOST_ZEROS = 21, -6
_WORDS = ("", "true", "false", "null", "NaN", "Infinity", "-Infinity")
_NUMBER_GOES_ON = re.compile(r"\.|[eE][-+]?")
_ESCAPE_CHARACTERS = len("u1234")
_NESTED_TOO_DEEPLY = "is nested more than about 1,000 levels deep"


class NoRecord(ValueError):
    """A text that is no record; the message says why."""


class _Number(str):
    """A number, or NaN or an infinity, as it is written."""


class _Object(list[tuple[str, Any]]):
    """The keys and values of an object, in order."""


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Object, parse_float=_Number, parse_int=_Number, parse_constant=_Number, strict=True
)


def rewritten(record: str, flatten: bool) -> tuple[list[str], str]:
    """Return the keys of a record, and the record so that DuckDB reads it unchanged.

    It becomes an array of one object, in which each value is the text of its JSON. With `flatten` the values of objects
    are those of their keys.

    Raises:
        NoRecord: it is none.
    """
    value = _parsed(record)
    return [key for key, _ in value], f"[{_with_texts(value, flatten)}]"


def fault(record: str) -> str:
    """Return why a text is no record."""
    if "\r" in record:
        return "the record holds a carriage return, which ends no line of the file"
    try:
        _parsed(record)
    except NoRecord as error:
        return f"the record {error}"
    return "the record is no JSON"


def _parsed(record: str) -> _Object:
    try:
        value = _DECODER.decode(record)
    except json.JSONDecodeError as error:
        raise NoRecord(f"is no JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise NoRecord(_NESTED_TOO_DEEPLY) from error
    if not isinstance(value, _Object):
        raise NoRecord("is no object of JSON, {...}")
    if any("\0" in key for key, _ in value):
        raise NoRecord("holds a NUL character in a key")
    try:
        value_text(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise NoRecord("holds half of a surrogate pair, which is no character") from error
    except RecursionError as error:
        raise NoRecord(_NESTED_TOO_DEEPLY) from error
    return value


def value_text(value: Any) -> str:
    """Return the text of a value, with every digit of its numbers.

    Raises:
        NoRecord: an object has a key twice.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case _Number():
            return number_text(value)
        case str():
            return encode_basestring(value)
        case _Object():
            _require_single(value)
            return "{" + ",".join(f"{encode_basestring(key)}:{value_text(each)}" for key, each in value) + "}"
        case _:
            return "[" + ",".join(map(value_text, value)) + "]"


def number_text(written: str) -> str:
    """Return a number as DuckDB writes those that a float keeps, with all its digits.

    A whole number stays as it is. A fraction has no zeros at its end but one behind the point, and an exponent only
    where it has more than 21 digits before the point or six zeros behind it.
    """
    if written.lstrip("-").isdigit():
        return "0" if written == "-0" else written
    try:
        number = Decimal(written)
    except InvalidOperation:
        return written
    if not number.is_finite():
        return written
    sign, digits, _ = number.as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    point = number.adjusted() + 1
    if not text:
        body = "0.0"
    elif 0 < point <= _MOST_WHOLE_DIGITS:
        body = f"{text[:point].ljust(point, '0')}.{text[point:] or '0'}"
    elif _MOST_ZEROS < point <= 0:
        body = f"0.{'0' * -point}{text}"
    else:
        fraction = f".{text[1:]}" if text[1:] else ""
        body = f"{text[0]}{fraction}e{point - 1}"
    return f"-{body}" if sign else body


def is_cut_off(record: str) -> bool:
    """Return whether a text is the beginning of JSON, and no more."""
    try:
        _DECODER.decode(record)
    except json.JSONDecodeError as error:
        rest = record[error.pos :].strip()
        is_word = any(word.startswith(rest) for word in _WORDS) or _NUMBER_GOES_ON.fullmatch(rest) is not None
        is_escape = error.msg.startswith("Invalid \\") and len(rest) <= _ESCAPE_CHARACTERS
        return is_word or is_escape or error.msg.startswith("Unterminated string")
    except RecursionError:
        return False
    return False


def _with_texts(value: _Object, flatten: bool) -> str:
    pairs = []
    for key, each in value:
        inner = _with_texts(each, flatten) if flatten and isinstance(each, _Object) else None
        pairs.append(f"{encode_basestring(key)}:{inner or encode_basestring(value_text(each))}")
    return "{" + ",".join(pairs) + "}"


def _require_single(value: _Object) -> None:
    keys = [key for key, _ in value]
    if len(set(keys)) < len(keys):
        (twice, _), *_ = Counter(keys).most_common(1)
        raise NoRecord(f"has the key {json.dumps(twice, ensure_ascii=False)} twice in one object")
