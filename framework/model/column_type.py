"""Redshift column types as values, and the order in which one may be widened to another."""

from __future__ import annotations

import enum
import re
from dataclasses import replace

from framework.dataclass import dataclass

MAX_VARCHAR_BYTES = 65535
MAX_PRECISION = 38
MAX_SCALE = 37
DEFAULT_VARCHAR_BYTES = 256
"""VARCHAR without a length. Source:
https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html"""
MAX_SUPER_BYTES = 16_384_000
"""The documentation says 16 MB, and errors of the warehouse `super(16384000)`."""
MAX_SUPER_NESTING = 1_000
MAX_SUPER_STRING_BYTES = 65535
"""Source: https://docs.aws.amazon.com/redshift/latest/dg/r_SUPER_type.html"""
MAX_SUPER_NUMBER_CHARACTERS = 1_000
"""Our own limit. COPY refuses the whole load for a number with thousands of digits, and names no row."""


class Kind(enum.Enum):
    """The kinds of column Feedway loads; the value is the name in SQL."""

    SMALLINT = "smallint"
    INTEGER = "integer"
    BIGINT = "bigint"
    DECIMAL = "decimal"
    REAL = "real"
    DOUBLE = "double precision"
    BOOLEAN = "boolean"
    CHAR = "char"
    VARCHAR = "varchar"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    SUPER = "super"

    @property
    def is_float(self) -> bool:
        """Whether its values are the nearest binary floats."""
        return self in (Kind.REAL, Kind.DOUBLE)


INTEGER_RANGES = {
    Kind.SMALLINT: (-(2**15), 2**15 - 1),
    Kind.INTEGER: (-(2**31), 2**31 - 1),
    Kind.BIGINT: (-(2**63), 2**63 - 1),
}
INTEGER_DIGITS = {Kind.SMALLINT: 5, Kind.INTEGER: 10, Kind.BIGINT: 19}
"""Digits a DECIMAL needs before the point to hold every value of the integer type."""

_SPELLINGS = {
    "smallint": Kind.SMALLINT,
    "int2": Kind.SMALLINT,
    "integer": Kind.INTEGER,
    "int": Kind.INTEGER,
    "int4": Kind.INTEGER,
    "bigint": Kind.BIGINT,
    "int8": Kind.BIGINT,
    "decimal": Kind.DECIMAL,
    "numeric": Kind.DECIMAL,
    "real": Kind.REAL,
    "float4": Kind.REAL,
    "double": Kind.DOUBLE,
    "double precision": Kind.DOUBLE,
    "float": Kind.DOUBLE,
    "float8": Kind.DOUBLE,
    "boolean": Kind.BOOLEAN,
    "bool": Kind.BOOLEAN,
    "char": Kind.CHAR,
    "character": Kind.CHAR,
    "nchar": Kind.CHAR,
    "bpchar": Kind.CHAR,
    "varchar": Kind.VARCHAR,
    "character varying": Kind.VARCHAR,
    "nvarchar": Kind.VARCHAR,
    "text": Kind.VARCHAR,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "time without time zone": Kind.TIME,
    "timestamp": Kind.TIMESTAMP,
    "timestamp without time zone": Kind.TIMESTAMP,
    "timestamptz": Kind.TIMESTAMPTZ,
    "timestamp with time zone": Kind.TIMESTAMPTZ,
    "super": Kind.SUPER,
}
_TYPE_TEXT = re.compile(r"\s*([a-z0-9 ]+?)\s*(?:\(\s*(max|\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class ColumnType:
    """A column type with the numbers that belong to it.

    `length_bytes` is set for CHAR and VARCHAR, `precision` and `scale` for DECIMAL.
    """

    kind: Kind
    length_bytes: int | None = None
    precision: int | None = None
    scale: int | None = None

    @property
    def sql(self) -> str:
        """The type as DDL writes it."""
        if self.kind is Kind.DECIMAL:
            return f"decimal({self.precision},{self.scale})"
        if self.length_bytes is not None:
            return f"{self.kind.value}({self.length_bytes})"
        return str(self.kind.value)

    @property
    def integer_digits(self) -> int:
        """Digits the type holds before the point; DECIMAL and the integers only."""
        if self.kind is Kind.DECIMAL:
            assert self.precision is not None
            assert self.scale is not None
            return self.precision - self.scale
        return INTEGER_DIGITS[self.kind]

    @property
    def is_integer(self) -> bool:
        """Whether the type is SMALLINT, INTEGER or BIGINT."""
        return self.kind in INTEGER_RANGES

    @property
    def is_exact_number(self) -> bool:
        """Whether the type holds integers or decimals, without rounding."""
        return self.is_integer or self.kind is Kind.DECIMAL

    @property
    def is_text(self) -> bool:
        """Whether the type is CHAR or VARCHAR."""
        return self.kind in (Kind.CHAR, Kind.VARCHAR)

    def __str__(self) -> str:
        return self.sql


def spellings_of(kind: Kind) -> tuple[str, ...]:
    """Return the names that a kind has in DDL and in catalogs."""
    return tuple(spelling for spelling, of_kind in _SPELLINGS.items() if of_kind is kind)


def varchar(length_bytes: int) -> ColumnType:
    """Return VARCHAR of a length in bytes."""
    return ColumnType(Kind.VARCHAR, length_bytes=length_bytes)


def decimal(precision: int, scale: int) -> ColumnType:
    """Return DECIMAL(precision, scale)."""
    return ColumnType(Kind.DECIMAL, precision=precision, scale=scale)


def parse_type(text: str) -> ColumnType:
    """Return the type in a text of a spec or of the catalog.

    Lengths and precisions that are left out take Redshift's defaults: VARCHAR(256), CHAR(1),
    DECIMAL(18,0).

    Raises:
        ValueError: the type is unknown, or its numbers are out of range.
    """
    match = _TYPE_TEXT.fullmatch(text)
    kind = _SPELLINGS.get(" ".join(match[1].lower().split())) if match else None
    if match is None or kind is None:
        known = ", ".join(sorted(_SPELLINGS))
        raise ValueError(f"{text!r} is not a column type Feedway loads; it knows {known}")
    first, second = match[2], match[3]
    if kind is Kind.DECIMAL:
        return _parse_decimal(text, first, second)
    if kind in (Kind.VARCHAR, Kind.CHAR):
        return _parse_character(text, kind, first, second)
    if first is not None:
        raise ValueError(f"{text!r}: {kind.value} takes no length")
    return ColumnType(kind)


def _parse_decimal(text: str, first: str | None, second: str | None) -> ColumnType:
    if first is not None and not first.isdigit():
        raise ValueError(f"{text!r}: the precision of a decimal is a number")
    precision = int(first) if first else 18
    scale = int(second) if second else 0
    if not 1 <= precision <= MAX_PRECISION or scale > min(precision, MAX_SCALE):
        raise ValueError(f"{text!r}: precision is 1 to 38 and scale 0 to 37, at most the precision")
    return decimal(precision, scale)


def _parse_character(text: str, kind: Kind, first: str | None, second: str | None) -> ColumnType:
    longest = MAX_VARCHAR_BYTES if kind is Kind.VARCHAR else 4096
    if second is not None:
        raise ValueError(f"{text!r}: {kind.value} takes one length")
    if first is None:
        bare = text.strip().lower()
        length = DEFAULT_VARCHAR_BYTES if kind is Kind.VARCHAR or bare == "bpchar" else 1
    else:
        length = longest if first.lower() == "max" else int(first)
    if not 1 <= length <= longest:
        raise ValueError(f"{text!r}: the length of {kind.value} is 1 to {longest} bytes")
    return ColumnType(kind, length_bytes=length)


def can_widen(current: ColumnType, wanted: ColumnType) -> bool:
    """Return whether every value of `current` is, unchanged, a value of `wanted`.

    True for equal types. REAL to DOUBLE counts: no value is lost by it. Nothing becomes text
    by widening.
    """
    if current == wanted:
        return True
    if current.is_integer and wanted.is_integer:
        return INTEGER_DIGITS[current.kind] <= INTEGER_DIGITS[wanted.kind]
    if current.is_exact_number and wanted.kind is Kind.DECIMAL:
        return wanted.integer_digits >= current.integer_digits and (wanted.scale or 0) >= (current.scale or 0)
    if current.is_text and wanted.kind is current.kind:
        return (wanted.length_bytes or 0) >= (current.length_bytes or 0)
    return (current.kind, wanted.kind) in {(Kind.DATE, Kind.TIMESTAMP), (Kind.REAL, Kind.DOUBLE)}


def widenings_of(current: ColumnType) -> str:
    """Return a sentence with the types to which `can_widen` allows widening."""
    match current.kind:
        case Kind.SMALLINT | Kind.INTEGER | Kind.BIGINT:
            digits = current.integer_digits
            kinds = [kind.value for kind in INTEGER_DIGITS if INTEGER_DIGITS[kind] > digits]
            wider = [*kinds, f"a decimal with at least {digits} digits before the point, such as decimal(38,18)"]
        case Kind.DECIMAL if current.precision != MAX_PRECISION:
            wider = [
                f"a decimal with at least {current.integer_digits} digits before the point and {current.scale} after it"
            ]
        case Kind.VARCHAR | Kind.CHAR if current.length_bytes != MAX_VARCHAR_BYTES:
            wider = [f"a longer {current.kind.value}"]
        case Kind.DATE:
            wider = [Kind.TIMESTAMP.value]
        case Kind.REAL:
            wider = [Kind.DOUBLE.value]
        case _:
            return f"A column of {current} cannot be widened: declare {current}, or nothing."
    return f"A column of {current} can be widened to {' or '.join(wider)}, and to nothing else."


def with_length(column_type: ColumnType, length_bytes: int) -> ColumnType:
    """Return the same kind of text with another length in bytes."""
    return replace(column_type, length_bytes=length_bytes)
