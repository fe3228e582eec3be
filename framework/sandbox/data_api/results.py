"""Query results as the API gives them: pages of records, and what is said about each column.

Source: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling.html and data-api.html
    (JDBC type map: numbers that are not integers or floats travel as text)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from psycopg import adapters
from psycopg.pq.abc import PGresult

PAGE_ROWS = 1000
PAGE_BYTES = 1024 * 1024
ROW_BYTES = 64 * 1024
RESULT_BYTES = 500 * 1024 * 1024

Field = dict[str, object]

_VARIABLE_HEADER_BYTES = 4
"""What PostgreSQL adds to the length, or the precision and scale, in a type modifier."""


class ResultTooLarge(Exception):
    """A result the API could not hand over; the message is the API's."""


@dataclass(frozen=True)
class ResultColumn:
    """One column of a result. `nullable` is false only for a NOT NULL column of a table."""

    name: str
    type_name: str
    modifier: int
    schema: str = ""
    table: str = ""
    nullable: bool = True

    def metadata(self) -> dict[str, object]:
        """Return the column as ColumnMetadata describes it."""
        precision, scale = self._precision_and_scale()
        return {
            "name": self.name,
            "label": self.name,
            "typeName": self.type_name,
            "precision": precision,
            "scale": scale,
            "nullable": int(self.nullable),
            "schemaName": self.schema,
            "tableName": self.table,
            "isSigned": self.type_name in _NUMBERS,
            "isCaseSensitive": self.type_name in _STRINGS,
            "isCurrency": False,
            "length": 0,
        }

    def _precision_and_scale(self) -> tuple[int, int]:
        if self.type_name == "numeric" and self.modifier >= 0:
            packed = self.modifier - _VARIABLE_HEADER_BYTES
            return packed >> 16 & 0xFFFF, packed & 0x7FF
        if self.type_name in _STRINGS and self.modifier >= 0:
            return self.modifier - _VARIABLE_HEADER_BYTES, 0
        return _PRECISION_AND_SCALE.get(self.type_name, (0, 0))


_PRECISION_AND_SCALE = {
    "int2": (5, 0),
    "int4": (10, 0),
    "int8": (19, 0),
    "float4": (8, 8),
    "float8": (17, 17),
    "numeric": (38, 0),
    "bool": (1, 0),
    "varchar": (65535, 0),
    "date": (13, 0),
    "timestamp": (29, 6),
    "timestamptz": (35, 6),
}
BYTES_TYPES = ("varbyte", "geometry", "geography", "hllsketch")
"""Types of the sandbox's own that are bytes under another name; they are shown in hexadecimal digits."""
_STRING_OR_MARK = re.compile(r"""("(?:[^"\\]|\\.)*")|([,:]) """)
_NUMBERS = frozenset({"int2", "int4", "int8", "float4", "float8", "numeric", "oid"})
_STRINGS = frozenset({"varchar", "bpchar", "name", "super"})


def type_name(type_oid: int) -> str:
    """Return the API's name of a type, by its number in PostgreSQL.

    Every text is varchar, as Redshift has no other; jsonb is what stands in for SUPER.
    """
    info = adapters.types.get(type_oid)
    name = info.name if info is not None else "varchar"
    return {"text": "varchar", "unknown": "varchar", "jsonb": "super"}.get(name, name)


def _compact(json_text: str) -> str:
    """Return JSON as PostgreSQL prints it without the blanks behind commas and colons."""
    return _STRING_OR_MARK.sub(r"\1\2", json_text)


def _timestamp(text: str) -> str:
    return text if "." in text else f"{text}.0"


_FIELDS: dict[str, Callable[[str], Field]] = {
    "int2": lambda text: {"longValue": int(text)},
    "int4": lambda text: {"longValue": int(text)},
    "int8": lambda text: {"longValue": int(text)},
    "oid": lambda text: {"longValue": int(text)},
    "float4": lambda text: {"doubleValue": float(text)},
    "float8": lambda text: {"doubleValue": float(text)},
    "bool": lambda text: {"booleanValue": text == "t"},
    "bpchar": lambda text: {"stringValue": text.rstrip(" ")},
    "super": lambda text: {"stringValue": _compact(text)},
    **{name: lambda text: {"stringValue": text.removeprefix("\\x")} for name in BYTES_TYPES},
    "timestamp": lambda text: {"stringValue": _timestamp(text)},
}


def field(column_type_name: str, raw: bytes | None) -> Field:
    """Return one value, as PostgreSQL prints it, as a member of the Field union."""
    if raw is None:
        return {"isNull": True}
    text = raw.decode()
    convert = _FIELDS.get(column_type_name)
    return convert(text) if convert is not None else {"stringValue": text}


@dataclass(frozen=True)
class Page:
    """A run of records. `next_row` is where the following page begins; None on the last."""

    records: list[list[Field]]
    next_row: int | None


@dataclass(frozen=True)
class ResultSet:
    """The rows of one query, kept in the form PostgreSQL sent them in."""

    columns: tuple[ResultColumn, ...]
    raw: PGresult
    size_bytes: int

    @property
    def row_count(self) -> int:
        """The number of rows on all pages."""
        return self.raw.ntuples

    def page(self, first_row: int) -> Page:
        """Return the records from `first_row` on, as many as go on one page and at least one."""
        records: list[list[Field]] = []
        size_bytes = 0
        for row in range(first_row, min(self.row_count, first_row + PAGE_ROWS)):
            values = self._values(row)
            size_bytes += _size_bytes(values)
            if records and size_bytes > PAGE_BYTES:
                break
            records.append([field(c.type_name, value) for c, value in zip(self.columns, values, strict=True)])
        next_row = first_row + len(records)
        return Page(records, next_row if next_row < self.row_count else None)

    def _values(self, row: int) -> list[bytes | None]:
        return [self.raw.get_value(row, number) for number in range(len(self.columns))]


def result_set(raw: PGresult, columns: tuple[ResultColumn, ...]) -> ResultSet:
    """Keep a query's result.

    Raises:
        ResultTooLarge: one row has more than 64 KB, or all together more than 500 MB.
    """
    total = 0
    numbers = range(len(columns))
    for row in range(raw.ntuples):
        size_bytes = _size_bytes(raw.get_value(row, number) for number in numbers)
        total += size_bytes
        if size_bytes > ROW_BYTES:
            raise ResultTooLarge("packet for query is too large")
        if total > RESULT_BYTES:
            raise ResultTooLarge("Database response exceeded size limit")
    return ResultSet(columns, raw, total)


def _size_bytes(values: Iterable[bytes | None]) -> int:
    return sum(len(value) for value in values if value is not None)


@dataclass(frozen=True)
class ColumnOrigin:
    """The table column that a result column is read from."""

    schema: str
    table: str
    nullable: bool


def columns_of(raw: PGresult, origins: Mapping[tuple[int, int], ColumnOrigin]) -> tuple[ResultColumn, ...]:
    """Return the columns of a result; `origins` by the oid of the table and the column's number in it."""
    return tuple(_column(raw, number, origins) for number in range(raw.nfields))


def origin_tables(raw: PGresult) -> list[int]:
    """Return the oids of the tables whose columns are in the result as they are."""
    return sorted({raw.ftable(number) for number in range(raw.nfields)} - {0})


def _column(raw: PGresult, number: int, origins: Mapping[tuple[int, int], ColumnOrigin]) -> ResultColumn:
    name = (raw.fname(number) or b"").decode()
    kind = type_name(raw.ftype(number))
    origin = origins.get((raw.ftable(number), raw.ftablecol(number)), ColumnOrigin("", "", True))
    return ResultColumn(name, kind, raw.fmod(number), origin.schema, origin.table, origin.nullable)
