"""The types of Parquet's columns, as DuckDB names them, and the column types that hold their values."""

from __future__ import annotations

import re

from framework.model.column_type import MAX_SCALE, ColumnType, Kind, decimal
from framework.model.file_options import Nested
from framework.model.files import FieldType
from framework.rows.sql.cells import INT96, is_nested

_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_TYPES = {
    "BOOLEAN": ColumnType(Kind.BOOLEAN),
    "TINYINT": ColumnType(Kind.SMALLINT),
    "SMALLINT": ColumnType(Kind.SMALLINT),
    "INTEGER": ColumnType(Kind.INTEGER),
    "BIGINT": ColumnType(Kind.BIGINT),
    "UTINYINT": ColumnType(Kind.SMALLINT),
    "USMALLINT": ColumnType(Kind.INTEGER),
    "UINTEGER": ColumnType(Kind.BIGINT),
    "UBIGINT": decimal(20, 0),
    "FLOAT": ColumnType(Kind.REAL),
    "DOUBLE": ColumnType(Kind.DOUBLE),
    "DATE": ColumnType(Kind.DATE),
    "TIME": ColumnType(Kind.TIME),
    "TIME_NS": ColumnType(Kind.TIME),
    "TIMESTAMP": ColumnType(Kind.TIMESTAMP),
    "TIMESTAMP_S": ColumnType(Kind.TIMESTAMP),
    "TIMESTAMP_MS": ColumnType(Kind.TIMESTAMP),
    "TIMESTAMP_NS": ColumnType(Kind.TIMESTAMP),
    INT96: ColumnType(Kind.TIMESTAMP),
    "TIMESTAMP WITH TIME ZONE": ColumnType(Kind.TIMESTAMPTZ),
}
"""Unsigned integers need the next wider type."""


def field_type(name: str, nested: Nested) -> FieldType:
    """Return the type of a column that DuckDB reads as this type."""
    found = _DECIMAL.fullmatch(name)
    if found is not None:
        precision, scale = int(found[1]), int(found[2])
        # One that has 38 digits behind the point has no column type, and is a text.
        return FieldType(name, decimal(precision, scale) if scale <= MAX_SCALE else None)
    if is_nested(name) or name == "JSON":
        return FieldType(name, None if nested == "text" else ColumnType(Kind.SUPER))
    return FieldType(name, _TYPES.get(name))
