"""Redshift's types as PostgreSQL writes them, with Redshift's defaults and limits.

Source: https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
"""

from __future__ import annotations

from dataclasses import dataclass

from framework.sandbox.redshift_sql.reader import Reader
from framework.sandbox.redshift_sql.refusal import Refused, not_supported

MAX_VARCHAR_BYTES = 65535
MAX_CHAR_BYTES = 4096
MAX_VARBYTE_BYTES = 1_024_000
DEFAULT_VARBYTE_BYTES = 64_000
"""Source: https://docs.aws.amazon.com/redshift/latest/dg/r_VARBYTE_type.html"""
_PLAIN = {
    "smallint": "smallint",
    "int2": "smallint",
    "integer": "integer",
    "int": "integer",
    "int4": "integer",
    "bigint": "bigint",
    "int8": "bigint",
    "real": "real",
    "float4": "real",
    "float": "double precision",
    "float8": "double precision",
    "double precision": "double precision",
    "boolean": "boolean",
    "bool": "boolean",
    "date": "date",
    "time": "time",
    "timetz": "timetz",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
}
_COLUMNS_ONLY = ("super", "geometry", "geography", "hllsketch")
"""Types of columns, to which the sandbox casts nothing."""
_VARBYTES = ("varbyte", "varbinary", "binary varying")
_VARCHARS = ("varchar", "character varying", "nvarchar", "text")
_CHARS = ("char", "character", "nchar", "bpchar")
_DECIMALS = ("decimal", "numeric")


@dataclass(frozen=True)
class SqlType:
    """A type: its name in PostgreSQL, and for VARCHAR, CHAR and VARBYTE the length in bytes.

    Without a length it is that of the value it is cast from.
    """

    name: str
    length_bytes: int | None = None
    digits: str = ""

    @property
    def sql(self) -> str:
        """The type as PostgreSQL writes it."""
        return f"{self.name}({self.length_bytes})" if self.length_bytes else self.name + self.digits

    @property
    def error_name(self) -> str:
        """The type as error messages spell it."""
        long_name = "character varying" if self.name == "varchar" else "character"
        return f"{long_name}({self.length_bytes})"

    @property
    def is_text(self) -> bool:
        """Whether it is VARCHAR or CHAR."""
        return self.name in ("varchar", "bpchar")


def make_type(name: str, numbers: tuple[str, ...], in_column: bool) -> SqlType:
    """Return the type of a name in lower case and what stands in parentheses after it.

    In a column VARCHAR, CHAR and TEXT without a length have Redshift's default length.

    Raises:
        Refused: the sandbox or Redshift has no such type, or its numbers are out of range.
    """
    if name in _VARCHARS:
        return _text("varchar", numbers, MAX_VARCHAR_BYTES, 256 if in_column else None)
    if name in _CHARS:
        return _text("bpchar", numbers, MAX_CHAR_BYTES, (256 if name == "bpchar" else 1) if in_column else None)
    if name in _DECIMALS:
        return _decimal(numbers)
    if name in _VARBYTES and in_column:
        return SqlType("varbyte", _length("varbyte", numbers, MAX_VARBYTE_BYTES) if numbers else DEFAULT_VARBYTE_BYTES)
    if name in _COLUMNS_ONLY and in_column and not numbers:
        return SqlType(name)
    if name not in _PLAIN or numbers:
        raise not_supported(f"type {name}" + (f"({', '.join(numbers)})" if numbers else ""))
    return SqlType(_PLAIN[name])


def _text(name: str, numbers: tuple[str, ...], longest: int, default: int | None) -> SqlType:
    if not numbers:
        return SqlType(name, default)
    return SqlType(name, _length("varchar" if name == "varchar" else "char", numbers, longest))


def _length(kind: str, numbers: tuple[str, ...], longest: int) -> int:
    length = longest if numbers[0] == "max" else int(numbers[0]) if numbers[0].isdigit() else 0
    if len(numbers) > 1 or length < 1:
        raise Refused(f"length for type {kind} must be at least 1", "22023")
    if length > longest:
        raise Refused(f"length for type {kind} cannot exceed {longest}", "22023")
    return length


def _decimal(numbers: tuple[str, ...]) -> SqlType:
    digits = [int(number) for number in numbers if number.isdigit()] or [18]
    precision, scale = digits[0], digits[1] if len(digits) > 1 else 0
    if not 1 <= precision <= 38:
        raise Refused(f"DECIMAL precision {precision} must be between 1 and 38", "22023")
    if scale > min(precision, 37):
        raise Refused(f"DECIMAL scale {scale} must be between 0 and precision {precision}", "22023")
    return SqlType("numeric", digits=f"({precision},{scale})")


def read_type(reader: Reader, in_column: bool = True) -> SqlType:
    """Step over a type."""
    name = reader.word()
    if name == "double":
        reader.expect("precision")
        name = "double precision"
    elif name == "character" and reader.accept("varying"):
        name = "character varying"
    elif name == "binary":
        reader.expect("varying")
        name = "binary varying"
    numbers = _read_numbers(reader)
    if name in ("timestamp", "time") and reader.accept("with", "time", "zone"):
        name += "tz"
    elif name in ("timestamp", "time"):
        reader.accept("without", "time", "zone")
    return make_type(name, numbers, in_column)


def _read_numbers(reader: Reader) -> tuple[str, ...]:
    if not reader.accept_mark("("):
        return ()
    numbers = ["max" if reader.accept("max") else str(reader.number())]
    while reader.accept_mark(","):
        numbers.append(str(reader.number()))
    reader.expect_mark(")")
    return tuple(numbers)
