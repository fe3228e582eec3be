"""DuckDB expressions, as text, for what the frames compute; no connection needed.

A text reaches a cast only after its type's expression has accepted it: try_cast by itself takes
`1e3`, `1_000`, ` 7` and rounds `1.9`.
"""

from __future__ import annotations

from collections.abc import Sequence

from framework.model.column_type import MAX_PRECISION, MAX_SCALE, ColumnType, Kind, decimal
from framework.model.staging import StagingColumn
from framework.model.text import EXPONENT, NOT_ZERO, NUMBER, TIMESTAMP, WHOLE, accepted_text
from framework.rows.sql.json_text import is_super

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
    Kind.TIME: "time",
    # Written as INT64 with isAdjustedToUTC=false, which is what TIMESTAMP means.
    Kind.TIMESTAMP: "timestamp",
    Kind.TIMESTAMPTZ: "timestamptz",
    # With the annotation of JSON, without which COPY makes a string of it.
    # Source: https://github.com/duckdb/duckdb/pull/14747
    Kind.SUPER: "json",
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


def cast_of(text: str, column_type: ColumnType) -> str:
    """Return what DuckDB's own cast makes of a text, which may be more than the type's expression accepts."""
    return f"try_cast({text} as {duckdb_type(column_type)})"


def converted(column: StagingColumn, text: str, cast: str, misfit: str) -> str:
    """Return the value of a text in the column's type, `misfit` for a misfit. Nothing else raises.

    `cast` stands for the text's `cast_of`: written out, it would be computed for each place where it stands. The
    expression asks for what is rare: where no row is, DuckDB hands on the vector of the other branch as it is.
    """
    column_type = column.type
    kind = column_type.kind
    if kind is Kind.VARCHAR:
        return f"case when strlen({text}) > {column_type.length_bytes} then {misfit} else {text} end"
    if kind is Kind.CHAR:
        fits = f"strlen({text}) <= {column_type.length_bytes} and {whole_match(text, accepted_text(column_type))}"
        return f"case when not ({fits}) then {misfit} else {text} end"
    if kind is Kind.SUPER:
        return f"case when not ({is_super(text, cast)}) then {misfit} else {cast} end"
    gate = whole_match(text, accepted_text(column_type))
    if column.exact and kind.is_float:
        gate += f" and {_is_kept(text, duckdb_type(column_type))}"
    judged = f"case when {gate} then {_value(column_type, text, cast)}"
    if kind is Kind.DECIMAL:
        # The cast rounds a number with more digits after the point.
        fits = f"case when {is_exponent(text)} then {exponent_scale(text)} <= {column_type.scale} else false end"
        # First a wide one: the digits before the exponent are more than those of the value.
        wide = cast_of(text, decimal(MAX_PRECISION, column_type.scale or 0))
        judged += f" when {fits} then {cast_of(wide, column_type)}"
    judged += " end"
    if kind in (Kind.TIMESTAMPTZ, Kind.TIME):
        return _or_misfit(text, judged, misfit)
    # A sum with 0 has no sign: -0 is 0.
    value = f"{cast} + 0" if kind in (Kind.REAL, Kind.DOUBLE) else cast
    return f"case when {is_unusual(text, column_type, cast)} then coalesce({judged}, {misfit}) else {value} end"


def _or_misfit(text: str, value: str, misfit: str) -> str:
    return f"case when {text} is not null then coalesce({value}, {misfit}) end"


def is_unusual(text: str, column_type: ColumnType, cast: str) -> str:
    """Return the condition that DuckDB itself would not write the text's cast in this way, false for NULL.

    Few values are: the others need not be held against the type's expression, which accepts them. Texts that it does
    not accept, such as `infinity`, are unusual.
    """
    differs = f"cast({cast} as varchar) is distinct from {text}"
    match column_type.kind:
        case Kind.DATE:
            return f"(strlen({text}) <> {len('2024-01-31')} or {differs})"
        case Kind.TIMESTAMP:
            return f"(strlen({text}) <> {len('2024-01-31 12:00:00')} or {differs})"
        case Kind.REAL | Kind.DOUBLE:
            return f"({differs} or not isfinite({cast}))"
        case _:
            return f"({differs})"


def _value(column_type: ColumnType, text: str, cast: str) -> str:
    """Return the value of a text that the type's expression accepts, NULL where it is out of range."""
    kind = column_type.kind
    if kind is Kind.BOOLEAN:
        return f"lower({text}) = 'true'"
    if kind in (Kind.REAL, Kind.DOUBLE):
        # Out of range is infinity to some versions' cast, and NULL to others'. A sum with 0 has no sign: -0 is 0.
        is_lost = f"{cast} = 0 and {whole_match(text, NOT_ZERO)}"
        return f"case when isfinite({cast}) and not ({is_lost}) then {cast} + 0 end"
    if kind is Kind.TIMESTAMPTZ:
        return _offset_cast(text)
    if kind is Kind.TIME:
        # Digits behind the microseconds are zeros.
        return cast_of(f"left({text}, {len('12:00:00.123456')})", column_type)
    if kind in (Kind.DATE, Kind.TIMESTAMP):
        return _real_day(text, cast)
    return cast


def _real_day(iso: str, cast: str) -> str:
    # There is no year 0, which DuckDB takes for 1 BC.
    return f"case when not starts_with({iso}, '0000') then {cast} end"


def _day_cast(column_type: ColumnType, iso: str) -> str:
    return _real_day(iso, cast_of(iso, column_type))


def _offset_cast(text: str) -> str:
    """Return a timestamp with its offset directly after the time, where the cast reads it.

    The value is made from text with its offset: a cast from TIMESTAMP would take it for local
    time in the connection's zone.
    """
    spelled = f"concat(left({text}, 11), replace(substr({text}, 12), ' ', ''))"
    return _day_cast(ColumnType(Kind.TIMESTAMPTZ), spelled)


def _digits(number: str) -> str:
    """Return the digits of a number's text, without the zeros at either end."""
    return f"trim(replace(split_part(ltrim(lower({number}), '-'), 'e', 1), '.', ''), '0')"


def is_whole(text: str) -> str:
    """Return the condition that a text is a number without a fraction, or with one of zeros."""
    return whole_match(text, WHOLE)


def is_number(text: str) -> str:
    """Return the condition that a text is a number in plain notation."""
    return whole_match(text, NUMBER)


def is_timestamp(text: str) -> str:
    """Return the condition that a text is a real day with a time."""
    return f"{whole_match(text, TIMESTAMP)} and {_day_cast(ColumnType(Kind.TIMESTAMP), text)} is not null"


def is_value(text: str, kind: Kind) -> str:
    """Return the condition that a text is a value of the kind; never NULL for a text."""
    column_type = ColumnType(kind)
    value = _value(column_type, text, cast_of(text, column_type))
    return f"{whole_match(text, accepted_text(column_type))} and {value} is not null"


def is_exponent(text: str) -> str:
    """Return the condition that a text is a number with an exponent."""
    return whole_match(text, EXPONENT)


def exponent_digits(number: str) -> str:
    """Return how many digits a number with an exponent has before the point when it is written without one."""
    mantissa, power = _mantissa(number), _power(number)
    whole, fraction = f"split_part({mantissa}, '.', 1)", f"split_part({mantissa}, '.', 2)"
    before = digits_before_point(mantissa)
    zeros = f"strlen({fraction}) - strlen(ltrim({fraction}, '0'))"
    is_zero = f"trim(concat({whole}, {fraction}), '-0') = ''"
    shifted = f"case when {before} > 0 then {before} + {power} else {power} - ({zeros}) end"
    return f"case when {is_zero} then 0 else greatest(0, {shifted}) end"


def exponent_scale(number: str) -> str:
    """Return how many digits a number with an exponent has after the point when it is written without one.

    Trailing zeros aside.
    """
    mantissa, power = _mantissa(number), _power(number)
    whole = f"split_part({mantissa}, '.', 1)"
    after = digits_after_point(mantissa)
    zeros = f"strlen({whole}) - strlen(rtrim({whole}, '0'))"
    is_zero = f"trim(replace({mantissa}, '.', ''), '-0') = ''"
    shifted = f"case when {after} > 0 then {after} - {power} else -({power}) - ({zeros}) end"
    return f"case when {is_zero} then 0 else greatest(0, {shifted}) end"


def without_exponent(number: str) -> str:
    """Return the text of a number that is not written as a code may be: without its exponent, if 38 digits hold it."""
    scale = exponent_scale(number)
    whole = f"cast({cast_of(number, decimal(MAX_PRECISION, 0))} as varchar)"
    fraction = f"rtrim(cast({cast_of(number, decimal(MAX_PRECISION, MAX_SCALE))} as varchar), '0')"
    # A cast to a smaller scale would round.
    exact = f"case when {scale} = 0 then {whole} when {scale} <= {MAX_SCALE} then {fraction} end"
    return f"case when {is_exponent(number)} then coalesce({exact}, {number}) else {number} end"


def _mantissa(number: str) -> str:
    return f"split_part(lower({number}), 'e', 1)"


def _power(number: str) -> str:
    return f"cast(ltrim(split_part(lower({number}), 'e', 2), '+') as integer)"


def is_kept_by_double(number: str) -> str:
    """Return the condition that the nearest DOUBLE is written with the digits of a number."""
    return _is_kept(number, "double")


def _is_kept(number: str, float_type: str) -> str:
    # No float near the text has the same digits and another exponent.
    return f"{_digits(number)} = {_digits(f'cast(try_cast({number} as {float_type}) as varchar)')}"


def digits_before_point(number: str) -> str:
    """Return how many digits a number's text has before the point; a lone zero is none."""
    return f"strlen(ltrim(split_part({number}, '.', 1), '-0'))"


def digits_after_point(number: str) -> str:
    """Return how many digits a number's text has after the point, trailing zeros aside."""
    return f"case when contains({number}, '.') then strlen(rtrim(split_part({number}, '.', 2), '0')) else 0 end"
