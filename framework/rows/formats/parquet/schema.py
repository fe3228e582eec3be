"""What the footer of a Parquet file says: its columns, and its row groups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from framework.model.file_options import Nested
from framework.model.files import FieldType, RowGroup
from framework.rows.formats.parquet.footer import BrokenParquet
from framework.rows.formats.parquet.types import field_type
from framework.rows.sql.expressions import named, quoted

_CHUNK_BEGINS = "coalesce(least(dictionary_page_offset, data_page_offset), data_page_offset)"
_MOST_COLUMNS = 10_000
"""Far more than a table may have."""


@dataclass(frozen=True)
class ParquetColumn:
    """A column of rows: its name, the expression of its values, and its type."""

    name: str
    value: str
    type: FieldType


@dataclass(frozen=True)
class ParquetSchema:
    """The columns and row groups of a file."""

    columns: tuple[ParquetColumn, ...]
    row_groups: tuple[RowGroup, ...]
    unpacked_bytes: int


def rows_of(path: Path) -> str:
    """Return DuckDB's table expression of a file."""
    return f"read_parquet({quoted(str(path))}, hive_partitioning = false, file_row_number = true)"


def read_schema(cursor: duckdb.DuckDBPyConnection, path: Path, nested: Nested) -> ParquetSchema:
    """Return the schema of a file whose footer is in a local file.

    Raises:
        BrokenParquet: it is damaged, or is written in a way that cannot be read.
    """
    with parquet_failures():
        described = cursor.execute(f"describe select * from {rows_of(path)}").fetchall()
        groups = cursor.execute(
            f"select row_group_id, any_value(row_group_num_rows), min({_CHUNK_BEGINS}), "
            f"max({_CHUNK_BEGINS} + total_compressed_size), sum(total_uncompressed_size) "
            f"from parquet_metadata({quoted(str(path))}) group by row_group_id order by row_group_id"
        ).fetchall()
    columns = tuple(
        column
        for name, type_name, *_ in described[:-1]
        for column in _columns(name, named(name), str(type_name), nested)
    )
    if len(columns) > _MOST_COLUMNS:
        raise BrokenParquet(f"the file has more than {_MOST_COLUMNS:,} columns")
    row_groups = []
    first = 0
    for _, rows, start, end, _ in groups:
        if rows:
            row_groups.append(RowGroup(int(start), int(end), first, int(rows)))
        first += int(rows)
    return ParquetSchema(columns, tuple(row_groups), sum(int(group[-1]) for group in groups))


@contextmanager
def parquet_failures() -> Iterator[None]:
    """Turn what DuckDB cannot read into a fault of the file.

    Raises:
        BrokenParquet: the message is DuckDB's, without the rows.
    """
    try:
        yield
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0]
        raise BrokenParquet(f"the Parquet file cannot be read: {reason}") from error


def _columns(name: str, value: str, type_name: str, nested: Nested) -> Iterator[ParquetColumn]:
    """Yield a column, or, where nested values are flattened, those of an object."""
    if nested == "flatten" and type_name.startswith("STRUCT(") and type_name.endswith(")"):
        for key, inner in struct_fields(type_name):
            yield from _columns(f"{name}.{key}", f"{value}.{named(key)}", inner, nested)
        return
    yield ParquetColumn(name, value, field_type(type_name, nested))


def struct_fields(type_name: str) -> Iterator[tuple[str, str]]:
    """Yield the names and types in the name of an object's type, such as `STRUCT(a INTEGER, "b c" VARCHAR[])`."""
    text = type_name[len("STRUCT(") : -1]
    place = 0
    while place < len(text):
        if text[place] == '"':
            end = place + 1
            while text[end] != '"' or text[end + 1 : end + 2] == '"':
                end += 2 if text[end] == '"' else 1
            key, place = text[place + 1 : end].replace('""', '"'), end + 2
        else:
            end = text.index(" ", place)
            key, place = text[place:end], end + 1
        end = _type_end(text, place)
        yield key, text[place:end]
        place = end + 2


def _type_end(text: str, start: int) -> int:
    """Return where the type ends that begins at a place: at a comma outside of parentheses and quotes."""
    depth, is_quoted = 0, False
    for place in range(start, len(text)):
        mark = text[place]
        if mark == '"' or mark == "'":
            is_quoted = not is_quoted
        elif not is_quoted and mark in "([":
            depth += 1
        elif not is_quoted and mark in ")]":
            depth -= 1
        elif not is_quoted and mark == "," and depth == 0:
            return place
    return len(text)
