"""Which Parquet column may be loaded into which column of a table: positions, counts and types.

The documentation has no such table. Allowed is what was seen to work; everything else is refused, so
that nothing passes here that the service might not take.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow.parquet import ColumnSchema, ParquetSchema

from framework.sandbox.data_api.spectrum_error import column_error, scan_error
from framework.sandbox.data_api.target_table import TargetColumn
from framework.sandbox.redshift_sql import not_supported

_SMALL_INTEGERS = {(8, True), (16, True), (8, False)}
_INTEGERS = _SMALL_INTEGERS | {(32, True), (16, False)}
_BIG_INTEGERS = _INTEGERS | {(64, True), (32, False)}
_INTEGER_COLUMNS = {"int2": _SMALL_INTEGERS, "int4": _INTEGERS, "int8": _BIG_INTEGERS}
_PLAIN_INTEGERS = {"INT32": (32, True), "INT64": (64, True)}
_SAME_TYPE = {"float4": "FLOAT", "float8": "DOUBLE", "bool": "BOOLEAN"}

_REDSHIFT_NAMES = {
    "int2": "SMALLINT",
    "int4": "INT",
    "int8": "BIGINT",
    "numeric": "DECIMAL",
    "float4": "REAL",
    "float8": "DOUBLE",
    "bool": "BOOLEAN",
    "bpchar": "CHAR",
}
_ARROW_TYPES = {
    "float4": pa.float32(),
    "float8": pa.float64(),
    "bool": pa.bool_(),
    "bpchar": pa.string(),
    "varchar": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "super": pa.string(),
}


@dataclass(frozen=True)
class FileColumn:
    """A column of a Parquet file. `logical` is its annotation, as the footer has it."""

    name: str
    physical: str
    logical: Mapping[str, Any]
    precision: int
    scale: int
    nested: bool
    definition: str

    @property
    def annotation(self) -> str:
        """The kind of annotation: Int, Decimal, String, Date, Timestamp, None and others."""
        return str(self.logical["Type"])


def file_columns(schema: ParquetSchema) -> tuple[FileColumn, ...]:
    """Return the columns of a file in their order; every leaf of a nested one counts."""
    return tuple(_file_column(schema.column(number), number) for number in range(len(schema)))


def check_columns(file: Sequence[FileColumn], table: Sequence[TargetColumn], url: str) -> None:
    """Check that the file's columns can go into the table's, by position.

    Raises:
        Refused: the counts differ, or a type does not go with the other.
    """
    if any(column.nested for column in file) and any(column.type_name == "super" for column in table):
        raise not_supported("COPY of a nested Parquet column into SUPER")
    if len(file) != len(table):
        raise scan_error(
            f"Unmatched number of columns between table and file. "
            f"Table columns: {len(table)}, Data columns: {len(file)}, File name: {url}"
        )
    for source, target in zip(file, table, strict=True):
        if not _may_load(source, target):
            raise column_error(
                f"File '{url}' has an incompatible Parquet schema for column '{url}.{source.name}'. "
                f"Column type: {_redshift_type(target)}, Parquet schema:\n  {source.definition}",
                target,
                url,
            )


def arrow_type(target: TargetColumn, source: FileColumn) -> pa.DataType:
    """Return the type the values of a column that may be loaded are written from."""
    if target.type_name in _INTEGER_COLUMNS:
        return pa.int64()
    if target.type_name == "numeric":
        return pa.decimal128(source.precision, source.scale)
    return _ARROW_TYPES[target.type_name]


def _may_load(source: FileColumn, target: TargetColumn) -> bool:
    if source.nested:
        return False
    match target.type_name:
        case "int2" | "int4" | "int8":
            return _integer_kind(source) in _INTEGER_COLUMNS[target.type_name]
        case "float4" | "float8" | "bool":
            return source.annotation == "None" and source.physical == _SAME_TYPE[target.type_name]
        case "numeric":
            fits = source.precision <= target.precision and source.scale == target.scale
            return source.annotation == "Decimal" and fits
        case "varchar" | "bpchar":
            return source.annotation == "String"
        case "date":
            return source.annotation == "Date"
        case "timestamp":
            return _is_local_timestamp(source)
        case "super":
            return source.annotation in ("JSON", "String")
        case _:
            return False


def _integer_kind(source: FileColumn) -> tuple[int, bool] | None:
    if source.annotation == "Int":
        return int(source.logical["bitWidth"]), bool(source.logical["isSigned"])
    if source.annotation == "None":
        return _PLAIN_INTEGERS.get(source.physical)
    return None


def _is_local_timestamp(source: FileColumn) -> bool:
    if source.physical == "INT96":
        return True
    if source.annotation != "Timestamp":
        return False
    return source.logical["timeUnit"] == "microseconds" and not source.logical["isAdjustedToUTC"]


def _redshift_type(target: TargetColumn) -> str:
    name = _REDSHIFT_NAMES.get(target.type_name, target.type_name.upper())
    if target.type_name == "numeric":
        return f"{name}({target.precision}, {target.scale})"
    if target.type_name in ("varchar", "bpchar"):
        return f"{name}({target.length_bytes})"
    return name


def _file_column(column: ColumnSchema, number: int) -> FileColumn:
    logical = json.loads(column.logical_type.to_json())
    annotation = "" if logical["Type"] == "None" else f" ({column.logical_type})"
    levels = f"[i:{number} d:{column.max_definition_level} r:{column.max_repetition_level}]"
    presence = "optional" if column.max_definition_level else "required"
    return FileColumn(
        name=column.name,
        physical=column.physical_type,
        logical=logical,
        precision=column.precision,
        scale=column.scale,
        nested=column.path != column.name,
        definition=f"{presence} {column.physical_type.lower()} {column.name}{annotation} {levels}",
    )
