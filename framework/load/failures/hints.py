"""Hints on what a text that is not a value of its column's type may mean."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence

from framework.model.column_type import MAX_SUPER_BYTES, MAX_SUPER_NUMBER_CHARACTERS, ColumnType, Kind
from framework.model.date_format import DateFormat
from framework.model.notation import PLAIN_NUMBERS, Negative, Notation, NumberNotation
from framework.model.null_markers import NULL_MARKERS
from framework.model.text import ASCII, DATE, FAR_EXPONENT, FLOAT, NOT_ZERO, NUMBER, TIMESTAMP, TIMESTAMPTZ, literal
from framework.model.words import counted

_DAYS = (
    *("dd.MM.yyyy", "d.M.yyyy", "dd.MM.yy", "dd/MM/yyyy", "MM/dd/yyyy", "d/M/yyyy", "M/d/yyyy"),
    *("dd-MM-yyyy", "MM-dd-yyyy", "yyyy/MM/dd", "yyyy.MM.dd", "yyyy-M-d", "yyyyMMdd"),
)
_TIMES = ("", " HH:mm", " HH:mm:ss", " H:mm", " H:mm:ss", "'T'HH:mm:ss")
_FORMATS = tuple(f"{day}{time}" for day in _DAYS for time in _TIMES)
_BLANKS = r"[ \u00a0\u2009\u202f]"
_COMMA = rf"[-+]?(?:[0-9]+|[0-9]{{1,3}}(?:(?:\.|'|\u2019|{_BLANKS})[0-9]{{3}})+),[0-9]+"
_GROUPED = rf"[-+]?[0-9]{{1,3}}(?:(?:,|'|\u2019|_|{_BLANKS})[0-9]{{3}})+(?:\.[0-9]+)?"
_MONEY = r"(?:[-+]?(?:[$€£¥₹₩]|[A-Z]{3}(?=[ 0-9]))[ \u00a0]?[-+]?[0-9].*|.*[0-9][ \u00a0]?(?:[$€£¥₹₩]|[A-Z]{3}))"
_NUMBERS = (
    (r"[-+]?[0-9]{1,3},[0-9]{3}", "decimal comma or thousands separator?"),
    (_COMMA, "decimal comma?"),
    (_GROUPED, "thousands separators?"),
    (r"[-+]?[0-9]{1,3}(?:\.[0-9]{3}){2,}", "thousands separators?"),
    (r".*[0-9] ?%", "percent sign?"),
    (_MONEY, "currency?"),
    (r"\([0-9.,]+\)|[0-9.,]+-", "negative number?"),
    (r"[-+]?0[0-9]+(?:\.[0-9]*)?", "leading zeros"),
    (r"\+[0-9.]+", "plus sign"),
    (r"[-+]?[0-9.]+[eE][-+]?[0-9]+", "exponent"),
    (r"[-+]?[0-9]+\.", "no digits after the point"),
    (r"(?i)[-+]?inf(?:inity)?", "no number"),
)
_CURRENCY = r"[$€£¥₹₩]|[A-Z]{3}|Fr\."
_BOOLEANS = (
    r"(?i)[tfyn01x]|yes|no|on|off|ja|nein|oui|non|s[ií]|sim|n[aã]o|wahr|falsch|vrai|faux|verdadero|falso|\.t\.|\.f\."
)


def is_null_marker(text: str) -> bool:
    """Return whether a text looks like a source's word for NULL."""
    return text.strip().lower() in NULL_MARKERS


def is_number_of(column_type: ColumnType, text: str, numbers: NumberNotation) -> bool:
    """Return whether a text in a notation is a number as the exact type has them, of however many digits."""
    exponent = f"|{numbers.exponent_expression}" if column_type.kind is Kind.DECIMAL else ""
    return column_type.is_exact_number and _matches(f"{numbers.expression}{exponent}", text)


def date_formats(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the date formats that describe every one of the texts; several where the day could be the month.

    `d` takes what `dd` takes, and is left out where `dd` is enough.
    """
    found = [pattern for pattern in _FORMATS if all(_matches(DateFormat(pattern).expression, text) for text in texts)]
    return tuple(pattern for pattern in found if not texts or not _is_loose(pattern, found))


def number_notations(texts: Sequence[str]) -> tuple[NumberNotation, ...]:
    """Return the notations in which every one of the texts is a number; several where a mark could mean either thing.

    The plain one is left out, and so is one with marks that no text has.
    """
    found = []
    for notation in _number_notations(texts):
        expression = re.compile(notation.expression)
        if notation != PLAIN_NUMBERS and all(expression.fullmatch(text) for text in texts):
            found.append(notation)
    return tuple(found)


def _number_notations(texts: Sequence[str]) -> Iterator[NumberNotation]:
    def is_used(expression: str) -> bool:
        return any(re.search(expression, text) for text in texts)

    negatives: list[Negative] = ["leading"] if is_used("^[^0-9]*-") else []
    negatives += ["trailing"] if is_used("[0-9][^-]*-") else []
    negatives += ["parentheses"] if is_used(r"\(") else []
    signs = {found[0] for text in texts if (found := re.search(_CURRENCY, text))}
    if len(signs) > 1:
        return
    for decimal in ".,":
        for thousands in (None, ".", ",", "'", "\u2019", " "):
            numbers = NumberNotation(
                decimal, thousands, tuple(negatives or ("leading",)), tuple(signs), percent=is_used("%")
            )
            groups = "".join(map(literal, numbers.separators))
            has_use = (decimal == "." or is_used(",")) and (thousands is None or is_used(f"[0-9][{groups}][0-9]{{3}}"))
            if thousands != decimal and has_use:
                yield numbers


def _is_loose(pattern: str, others: Sequence[str]) -> bool:
    """Return whether another format is the same but for leading zeros that all texts have."""

    def bare(text: str) -> str:
        return re.sub(r"(dd|MM|HH)", lambda run: run[0][0], text)

    return any(other != pattern and bare(other) == bare(pattern) and len(other) > len(pattern) for other in others)


def describe_text(column_type: ColumnType, text: str, notation: Notation) -> str | None:
    """Return in a few words what a text that is not a value of the type seems to be, without quoting it."""
    if column_type.is_text:
        return _describe_long_text(column_type, text)
    if column_type.kind is Kind.SUPER:
        return _describe_json(text)
    if is_null_marker(text):
        return "an empty text in quotes" if not text else "a word for NULL?"
    if text != text.strip():
        return "blanks around it"
    if column_type.is_exact_number or column_type.kind in (Kind.REAL, Kind.DOUBLE):
        return _describe_number(column_type, text, notation.numbers)
    if column_type.kind is Kind.BOOLEAN:
        return "another word for true or false?" if _matches(_BOOLEANS, text) else None
    return None if notation.formats_of(column_type.kind) else _describe_day(column_type, text)


def _describe_long_text(column_type: ColumnType, text: str) -> str:
    if column_type.kind is Kind.CHAR and not _matches(ASCII, text):
        return "characters that are not ASCII"
    return counted(len(text.encode("utf-8")), "byte")


def _describe_number(column_type: ColumnType, text: str, numbers: NumberNotation) -> str | None:
    if is_number_of(column_type, text, numbers):
        if column_type.is_integer:
            is_whole = not text.partition(numbers.decimal)[2].strip("0")
            return "out of range" if is_whole else "a fraction"
        return "too many digits"
    if column_type.kind in (Kind.REAL, Kind.DOUBLE) and _matches(NUMBER, text):
        return "more digits than it keeps"
    if column_type.kind in (Kind.REAL, Kind.DOUBLE) and _matches(FLOAT, text):
        return "out of range, or more digits than it keeps"
    hint = next((words for expression, words in _NUMBERS if _matches(expression, text)), None)
    return hint or ("a date?" if date_formats([text]) or _matches(DATE, text) else None)


def _describe_day(column_type: ColumnType, text: str) -> str | None:
    kind = column_type.kind
    if kind is Kind.TIME:
        return "a day before it" if _matches(TIMESTAMP, text) else None
    if kind is not Kind.TIMESTAMPTZ and _matches(TIMESTAMPTZ, text):
        return "an offset from UTC"
    if _matches(TIMESTAMP, text) and kind is not Kind.TIMESTAMP:
        return "a time of day" if kind is Kind.DATE else "no offset from UTC"
    if _matches(rf"{DATE}(?:[ T].*)?", text):
        if re.search(r"\.[0-9]{7,}", text):
            return "more than microseconds"
        return (
            "no such day"
            if _matches(rf"{DATE}|{TIMESTAMP}|{TIMESTAMPTZ}", text) and kind is not Kind.TIMESTAMPTZ
            else None
        )
    formats = date_formats([text])
    if formats:
        return f"written as {' or '.join(formats)}?"
    return "seconds since 1970?" if _matches(r"[0-9]{10}|[0-9]{13}", text) else None


def _describe_json(text: str) -> str:
    length_bytes = len(text.encode("utf-8", errors="replace"))
    if length_bytes > MAX_SUPER_BYTES:
        return counted(length_bytes, "byte")
    try:
        json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_number, parse_int=_near, parse_float=_near)
    except RecursionError:
        return "nested too deep"
    except _DuplicateKeyError:
        return "a key twice in one object"
    except _FarNumberError:
        return "a number beyond the range of DOUBLE PRECISION, or of more than 1,000 characters"
    except ValueError:
        return "no JSON by RFC 8259"
    return "a NUL character, half a surrogate pair, a string that is too long, or nested too deep"


class _DuplicateKeyError(ValueError):
    """An object has a key twice."""


class _FarNumberError(ValueError):
    """A number is too large, too small or too long."""


def _distinct(pairs: Sequence[tuple[str, object]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _DuplicateKeyError


def _near(number: str) -> str:
    value = float(number)
    is_far = math.isinf(value) or (value == 0 and _matches(NOT_ZERO, number)) or _matches(FAR_EXPONENT, number)
    if is_far or len(number) > MAX_SUPER_NUMBER_CHARACTERS:
        raise _FarNumberError
    return number


def _no_number(word: str) -> None:
    raise ValueError(word)


def _matches(expression: str, text: str) -> bool:
    return re.fullmatch(expression, text) is not None
