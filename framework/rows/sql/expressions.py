"""DuckDB expressions, as text, for what the frames compute; no connection needed.

A text reaches a cast only after its type's expression has accepted it: try_cast by itself takes
`1e3`, `1_000`, ` 7` and rounds `1.9`.
"""

from __future__ import annotations

from collections.abc import Sequence

from framework.model.column_type import ColumnType, Kind
from framework.model.date_format import format_expression, iso_rewrite
from framework.model.staging import StagingColumn
from framework.model.text import INTEGER, NOT_ZERO, NUMBER, TIMESTAMP, WHOLE, accepted_text

_DUCKDB_TYPES = {
    Kind.SMALLINT: "smallint",
    Kind.INTEGER: "integer",
    Kind.BIGINT: "bigint",
    Kind.REAL: "float",
    Kind.DOUBLE: "double",
    Kind.BOOLEAN: "boolean",
    Kind.CHAR: "varchar",
    Kind.VARCHAR: "varchar",
    Kind.DATE: "date",
    # Written as INT64 with isAdjustedToUTC=false, which is what TIMESTAMP means.
    Kind.TIMESTAMP: "timestamp",
    Kind.TIMESTAMPTZ: "timestamptz",
}


def quoted(text: str) -> str:
    """Return a text as a literal."""
    return "'" + text.replace("'", "''") + "'"


def named(name: str) -> str:
    """Return a column name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def duckdb_type(column_type: ColumnType) -> str:
    """Return the DuckDB type whose Parquet form COPY takes for the column type."""
    if column_type.kind is Kind.DECIMAL:
        return column_type.sql
    return _DUCKDB_TYPES[column_type.kind]


def whole_match(text: str, expression: str) -> str:
    """Return the condition that all of `text` matches."""
    return f"regexp_full_match({text}, {quoted(expression)})"


def is_one_of(text: str, values: Sequence[str]) -> str:
    """Return the condition that `text` is one of at least one values."""
    return f"{text} in ({', '.join(quoted(value) for value in values)})"


def converted(column: StagingColumn, text: str) -> str:
    """Return the value of a text in the column's type, NULL for a misfit. Nothing raises."""
    kind = column.type.kind
    if kind in (Kind.CHAR, Kind.VARCHAR):
        fits = f"strlen({text}) <= {column.type.length_bytes}"
        if kind is Kind.CHAR:
            fits += f" and {whole_match(text, accepted_text(column.type))}"
        return f"case when {fits} then {text} end"
    if column.format is None:
        gate = whole_match(text, accepted_text(column.type))
        if column.exact and kind is Kind.DOUBLE:
            # No float near the text has the same digits and another exponent.
            gate += f" and {_digits(text)} = {_digits(f'cast(try_cast({text} as double) as varchar)')}"
        judged = f"when {gate} then {_cast(column.type, text)}"
        if kind is Kind.TIMESTAMPTZ:
            return f"case {judged} end"
        return f"case when {is_canonical(text, column.type)} then {_canonical_value(column.type, text)} {judged} end"
    gate = whole_match(text, format_expression(column.format))
    expression, iso = iso_rewrite(column.format, "\\")
    rewritten = f"regexp_replace({text}, {quoted(expression)}, {quoted(iso)})"
    return f"case when {gate} then {_day_cast(column.type, rewritten)} end"


def is_canonical(text: str, column_type: ColumnType) -> str:
    """Return the condition that DuckDB itself would write a value of the type in this text; it spares the expression.

    Nearly every value is written so. It is one that the type's expression accepts: what that does not, such as
    `infinity`, is left to it.
    """
    value = f"try_cast({text} as {duckdb_type(column_type)})"
    is_same = f"cast({value} as varchar) = {text}"
    match column_type.kind:
        case Kind.DATE:
            return f"strlen({text}) = {len('2024-01-31')} and {is_same}"
        case Kind.TIMESTAMP:
            return f"strlen({text}) = {len('2024-01-31 12:00:00')} and {is_same}"
        case Kind.REAL | Kind.DOUBLE:
            return f"{is_same} and isfinite({value})"
        case _:
            return is_same


def _canonical_value(column_type: ColumnType, text: str) -> str:
    value = f"try_cast({text} as {duckdb_type(column_type)})"
    # A sum with 0 has no sign: -0 is 0.
    return f"{value} + 0" if column_type.kind in (Kind.REAL, Kind.DOUBLE) else value


def _cast(column_type: ColumnType, text: str) -> str:
    kind = column_type.kind
    cast = f"try_cast({text} as {duckdb_type(column_type)})"
    if kind is Kind.BOOLEAN:
        return f"lower({text}) = 'true'"
    if kind in (Kind.REAL, Kind.DOUBLE):
        # Out of range is infinity to some versions' cast, and NULL to others'. A sum with 0 has no sign: -0 is 0.
        is_lost = f"{cast} = 0 and {whole_match(text, NOT_ZERO)}"
        return f"case when isfinite({cast}) and not ({is_lost}) then {cast} + 0 end"
    if kind is Kind.TIMESTAMPTZ:
        return _offset_cast(text)
    if kind in (Kind.DATE, Kind.TIMESTAMP):
        return _day_cast(column_type, text)
    return cast


def _day_cast(column_type: ColumnType, iso: str) -> str:
    # There is no year 0, which DuckDB takes for 1 BC.
    cast = f"try_cast({iso} as {duckdb_type(column_type)})"
    return f"case when not starts_with({iso}, '0000') then {cast} end"


def _offset_cast(text: str) -> str:
    """Return a timestamp with its offset directly after the time, where the cast reads it.

    The value is made from text with its offset: a cast from TIMESTAMP would take it for local
    time in the machine's zone, which only an extension lets one set.
    """
    spelled = f"concat(left({text}, 11), replace(substr({text}, 12), ' ', ''))"
    return _day_cast(ColumnType(Kind.TIMESTAMPTZ), spelled)


def _digits(number: str) -> str:
    """Return the digits of a number's text, without the zeros at either end."""
    return f"trim(replace(split_part(ltrim(lower({number}), '-'), 'e', 1), '.', ''), '0')"


def is_integer(text: str) -> str:
    """Return the condition that a text is a whole number."""
    return whole_match(text, INTEGER)


def is_whole(text: str) -> str:
    """Return the condition that a text is a number without a fraction, or with one of zeros."""
    return whole_match(text, WHOLE)


def is_number(text: str) -> str:
    """Return the condition that a text is a number in plain notation."""
    return whole_match(text, NUMBER)


def is_timestamp(text: str) -> str:
    """Return the condition that a text is a real day with a time."""
    cast = _cast(ColumnType(Kind.TIMESTAMP), text)
    return f"{whole_match(text, TIMESTAMP)} and {cast} is not null"


def is_value(text: str, kind: Kind) -> str:
    """Return the condition that a text is a value of the kind; never NULL for a text."""
    column_type = ColumnType(kind)
    return f"{whole_match(text, accepted_text(column_type))} and {_cast(column_type, text)} is not null"


def digits_before_point(number: str) -> str:
    """Return how many digits a number's text has before the point; a lone zero is none."""
    return f"strlen(ltrim(split_part({number}, '.', 1), '-0'))"


def digits_after_point(number: str) -> str:
    """Return how many digits a number's text has after the point, trailing zeros aside."""
    return f"case when contains({number}, '.') then strlen(rtrim(split_part({number}, '.', 2), '0')) else 0 end"
