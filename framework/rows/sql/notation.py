"""Texts in a notation, rewritten to the plain one, as DuckDB expressions: NULL where a text does not belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framework.model.column_type import ColumnType, Kind
from framework.model.date_format import EPOCH_S, DateFormat
from framework.model.months import MONTHS
from framework.model.notation import PLAIN_NUMBERS, Notation, NumberNotation
from framework.model.text import literal
from framework.rows.sql.expressions import is_one_of, quoted, whole_match

_SHORT, _PADDED = r"\b([0-9])\b", r"0\1"


def plain_text(text: str, column_type: ColumnType, notation: Notation) -> str | None:
    """Return the expression of a text as plain values of the type are written; None where it is so written already."""
    if column_type.is_text or column_type.kind is Kind.SUPER:
        return None
    if column_type.kind is Kind.BOOLEAN:
        return plain_boolean(text, notation.booleans) if notation.booleans else None
    if column_type.kind in (Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        formats = notation.formats_of(column_type.kind)
        return plain_day(text, formats, column_type) if formats else None
    return None if notation.numbers == PLAIN_NUMBERS else plain_number(text, notation.numbers)


def plain_number(text: str, notation: NumberNotation) -> str:
    """Return the expression of a number in plain notation; an exponent stays."""
    bare = text
    for mark in _currencies(notation):
        bare = f"replace({bare}, {quoted(mark)}, '')"
    digits = f"regexp_replace({bare}, {quoted(f'[^0-9{literal(notation.decimal)}]')}, '', 'g')"
    if notation.decimal != ".":
        digits = f"replace({digits}, {quoted(notation.decimal)}, '.')"
    if notation.percent:
        digits = _hundredth(digits)
    # In a text that is a number in the notation, either stands for its sign alone.
    sign = f"case when contains({bare}, '-') or contains({bare}, '(') then '-' else '' end"
    number = f"when {whole_match(text, notation.expression)} then concat({sign}, {digits})"
    if notation.percent:
        return f"case {number} end"
    with_exponent = f"replace({text}, {quoted(notation.decimal)}, '.')"
    return f"case {number} when {whole_match(text, notation.exponent_expression)} then {with_exponent} end"


def currency_of(text: str, notation: NumberNotation) -> str:
    """Return the expression of the number of a number's currency; NULL without one."""
    cases = (f"when contains({text}, {quoted(mark)}) then {place}" for place, mark in enumerate(_currencies(notation)))
    return f"case {' '.join(cases)} end"


def _currencies(notation: NumberNotation) -> list[str]:
    """Return the currencies, the longest first: one may be a part of another."""
    return sorted(notation.currency, key=len, reverse=True)


def _hundredth(digits: str) -> str:
    """Return the expression of a number without a sign whose point stands two digits further left."""
    whole = f"split_part({digits}, '.', 1)"
    front = f"ltrim(left(concat('00', {whole}), strlen({whole})), '0')"
    return f"concat({front}, '.', right(concat('00', {whole}), 2), split_part({digits}, '.', 2))"


def plain_boolean(text: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Return the expression of `true` or `false` for one of some texts."""
    true, false = ([pair[place] for pair in pairs] for place in (0, 1))
    return f"case when {is_one_of(text, true)} then 'true' when {is_one_of(text, false)} then 'false' end"


def plain_day(text: str, formats: Sequence[DateFormat], column_type: ColumnType) -> str:
    """Return the expression of a date, time or timestamp in ISO 8601, by the first format that describes the text."""
    cases = []
    for each in formats:
        iso = _epoch(text, each, column_type) if each.is_epoch else _iso(text, each)
        cases.append(f"when {whole_match(text, each.expression)} then {iso}")
    return f"case {' '.join(cases)} end"


def is_in_format(text: str, formats: Sequence[DateFormat]) -> str:
    """Return the condition that one of at least one formats describes a text."""
    return "(" + " or ".join(whole_match(text, each.expression) for each in formats) + ")"


def _epoch(text: str, each: DateFormat, column_type: ColumnType) -> str:
    microseconds = f"cast({text} as decimal(38,6)) * {1_000_000 if each.pattern == EPOCH_S else 1_000}"
    zone = "Z" if column_type.kind is Kind.TIMESTAMPTZ else ""
    return f"strftime(make_timestamp(cast({microseconds} as bigint)), '%Y-%m-%d %H:%M:%S.%f{zone}')"


def _iso(text: str, each: DateFormat) -> str:
    """Return the expression of a text of the format in ISO 8601."""
    expression = quoted(f"^{each.grouped_expression}$")
    numbers = {field: number for number, field in enumerate(each.fields, 1)}
    if not each.has_names and "a" not in numbers:
        # In one step, in which groups are named by their numbers.
        iso = "".join(rf"\{numbers[part]}" if part in numbers else part for part in _iso_parts(each))
        rewritten = f"regexp_replace({text}, {expression}, {quoted(iso)})"
        return f"regexp_replace({rewritten}, {quoted(_SHORT)}, {quoted(_PADDED)}, 'g')" if each.has_short else rewritten
    groups = "|".join(rf"\{number}" for number in numbers.values())
    pieces = f"regexp_replace({text}, {expression}, {quoted(groups)})"
    values = {field: f"split_part({pieces}, '|', {number})" for field, number in numbers.items()}
    if each.has_names:
        name = f"rtrim(lower({values['M']}), '.')"
        months = enumerate(MONTHS[each.locale], 1)
        cases = " ".join(f"when {is_one_of(name, names)} then '{number}'" for number, names in months)
        values["M"] = f"case {cases} end"
    if "h" in values:
        half = f"case when lower(left({values['a']}, 1)) = 'p' then 12 else 0 end"
        values["H"] = f"cast(cast({values['h']} as integer) % 12 + {half} as varchar)"
    padded = {field: f"lpad({value}, 2, '0')" if field in "MdH" else value for field, value in values.items()}
    return f"concat({', '.join(padded.get(part) or quoted(part) for part in _iso_parts(each))})"


def _iso_parts(each: DateFormat) -> Iterator[str]:
    """Yield the letters of fields, and the texts between them, of a time in ISO 8601. Without a time it is midnight."""
    if each.has_two_digit_year:
        yield "20"
    if not each.is_time_of_day:
        yield from ("y", "-", "M", "-", "d")
    if each.has_time:
        yield from () if each.is_time_of_day else (" ",)
        yield from ("H", ":", "m" if "m" in each.fields else "00", ":", "s" if "s" in each.fields else "00")
        yield from (".", "S") if "S" in each.fields else ()
        yield from ("X",) if each.has_offset else ()
