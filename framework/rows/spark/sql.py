"""Spark SQL expressions, as text, for what the frames compute; no session needed."""

from __future__ import annotations

from collections.abc import Sequence

from framework.model.column_type import ColumnType, Kind
from framework.model.date_format import format_expression, iso_rewrite
from framework.model.staging import StagingColumn
from framework.model.text import INTEGER, NOT_ZERO, NUMBER, TIMESTAMP, WHOLE, accepted_text

_SPARK_TYPES = {
    Kind.SMALLINT: "smallint",
    Kind.INTEGER: "int",
    Kind.BIGINT: "bigint",
    Kind.REAL: "float",
    Kind.DOUBLE: "double",
    Kind.BOOLEAN: "boolean",
    Kind.CHAR: "string",
    Kind.VARCHAR: "string",
    Kind.DATE: "date",
    # Written as INT64 with isAdjustedToUTC=false, which is what TIMESTAMP means.
    Kind.TIMESTAMP: "timestamp_ntz",
    Kind.TIMESTAMPTZ: "timestamp",
}


def quoted(text: str) -> str:
    """Return a text as a literal of Spark SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def named(name: str) -> str:
    """Return a column name quoted for Spark SQL."""
    return "`" + name.replace("`", "``") + "`"


def spark_type(column_type: ColumnType) -> str:
    """Return the Spark type whose Parquet form COPY takes for the column type."""
    if column_type.kind is Kind.DECIMAL:
        return column_type.sql
    return _SPARK_TYPES[column_type.kind]


def whole_match(text: str, expression: str) -> str:
    r"""Return the condition that all of `text` matches; `$` would overlook a line break at the end."""
    return f"{text} rlike " + quoted(rf"\A(?:{expression})\z")


def is_one_of(text: str, values: Sequence[str]) -> str:
    """Return the condition that `text` is one of at least one values."""
    return f"{text} in ({', '.join(quoted(value) for value in values)})"


def iso_text(pattern: str, text: str) -> str:
    """Return the ISO form of a text that a spec's date format has accepted."""
    expression, iso = iso_rewrite(pattern, "$")
    return f"regexp_replace({text}, {quoted(expression)}, {quoted(iso)})"


def converted(column: StagingColumn, text: str) -> str:
    """Return the value of a text in the column's type, NULL for a misfit. Nothing raises.

    The type's expression accepts the whole text before any cast sees it, so the casts only
    judge ranges and whether a day is real.
    """
    kind = column.type.kind
    if kind in (Kind.CHAR, Kind.VARCHAR):
        fits = f"octet_length({text}) <= {column.type.length_bytes}"
        if kind is Kind.CHAR:
            fits += f" and {whole_match(text, accepted_text(column.type))}"
        return f"case when {fits} then {text} end"
    if column.format is not None:
        gate = whole_match(text, format_expression(column.format))
        return f"case when {gate} then {_day_cast(column.type, text, iso_text(column.format, text))} end"
    gate = whole_match(text, accepted_text(column.type))
    if column.exact and kind is Kind.DOUBLE:
        # No float near the text has the same digits and another exponent.
        gate += f" and {_digits(text)} = {_digits(f'cast(try_cast({text} as double) as string)')}"
    return f"case when {gate} then {_cast(column.type, text)} end"


def _cast(column_type: ColumnType, text: str) -> str:
    kind = column_type.kind
    cast = f"try_cast({text} as {spark_type(column_type)})"
    if kind is Kind.BOOLEAN:
        return f"lower({text}) = 'true'"
    if kind in (Kind.REAL, Kind.DOUBLE):
        # Out of range is infinity to Spark's cast, not NULL. A sum with 0 has no sign: -0 is 0.
        is_lost = f"{cast} = 0 and {whole_match(text, NOT_ZERO)}"
        return f"case when abs({cast}) < double('infinity') and not ({is_lost}) then {cast} + float(0) end"
    if kind is Kind.TIMESTAMPTZ:
        # Spark takes an offset after the seconds only.
        full = f"case when substring({text}, 17, 1) = ':' then {text} "
        full += f"else concat(left({text}, 16), ':00', substring({text}, 17)) end"
        return _day_cast(column_type, text, full)
    if column_type.is_integer:
        # Spark's ANSI cast takes no point. A decimal has the room of every integer.
        return f"try_cast(try_cast({text} as decimal(38,0)) as {spark_type(column_type)})"
    if kind in (Kind.DATE, Kind.TIMESTAMP):
        return _day_cast(column_type, text, text)
    return cast


def _day_cast(column_type: ColumnType, text: str, iso: str) -> str:
    # There is no year 0, which Spark takes for 1 BC. Few texts hold its digits.
    is_year_0 = f"contains({text}, '0000') and startswith({iso}, '0000')"
    return f"case when not ({is_year_0}) then try_cast({iso} as {spark_type(column_type)}) end"


def _digits(number: str) -> str:
    """Return the digits of a number's text, without the zeros at either end."""
    mantissa = f"substring_index(ltrim('-', lower({number})), 'e', 1)"
    return f"trim(both '0' from replace({mantissa}, '.', ''))"


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
    return f"octet_length(ltrim('-0', substring_index({number}, '.', 1)))"


def digits_after_point(number: str) -> str:
    """Return how many digits a number's text has after the point, trailing zeros aside."""
    fraction = f"rtrim('0', substring_index({number}, '.', -1))"
    return f"case when contains({number}, '.') then octet_length({fraction}) else 0 end"
