"""What the footer of a Parquet file says: its columns, and its row groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from framework.dataclass import dataclass
from framework.model.column_type import MAX_PRECISION
from framework.model.file_options import Nested
from framework.model.files import FieldType, RowGroup
from framework.rows.formats.parquet.footer import BrokenParquet
from framework.rows.formats.parquet.tree import Node, read_tree
from framework.rows.formats.parquet.types import field_type
from framework.rows.sql.cells import INT96
from framework.rows.sql.expressions import quoted

CHUNK_BEGINS = "coalesce(least(dictionary_page_offset, data_page_offset), data_page_offset)"
_HAS_DICTIONARY = "ends_with(type, 'BYTE_ARRAY') and contains(encodings, 'DICTIONARY')"
_MOST_BYTES = (
    f"case when {_HAS_DICTIONARY} then cast(num_values as hugeint) else 1 end * greatest(total_uncompressed_size, 0)"
)
"""No text is longer than its chunk."""
_MOST_COLUMNS = 10_000
"""Far more than a table may have."""
_NO_COLUMN = "at least one non-root column"
_IN_FILE = r"Failed to read Parquet file '{0}': |(?:(?: of| in| at| from)? file)? ?['\"]?{0}['\"]?"
"""Where a message of DuckDB names the local file, with the words before it."""
_BYTE_STREAM_SPLIT = "BYTE_STREAM_SPLIT"
"""The encoding that DuckDB reads for numbers only, and the format allows for bytes of fixed length too."""


@dataclass(frozen=True)
class ParquetColumn:
    """A column of rows: its name, the path to its values (see `value_of`), and its type."""

    name: str
    path: str
    type: FieldType


@dataclass(frozen=True)
class ParquetSchema:
    """The columns and row groups of a file."""

    columns: tuple[ParquetColumn, ...]
    row_groups: tuple[RowGroup, ...]
    unpacked_bytes: int


@dataclass(frozen=True)
class _Found:
    """A column before its type has a name."""

    name: str
    path: str
    node: Node
    type: Any

    @property
    def is_int96(self) -> bool:
        return self.node.physical_type == INT96 and str(self.type) == "TIMESTAMP"


def rows_of(path: Path, width: int, splits_int96: bool = False) -> str:
    """Return DuckDB's table expression of a file with so many top-level columns, `f0`, `f1`… by position.

    DuckDB renames columns whose names are empty or differ only in case, and those names are not used. `splits_int96`:
    INT96 is a struct of day and time, which keeps its nanoseconds. The virtual column file_row_number is there too.
    """
    names = ", ".join(f"f{index}" for index in range(width))
    option = ", int96_as = 'struct'" if splits_int96 else ""
    return f"read_parquet({quoted(str(path))}, hive_partitioning = false{option}) as file({names})"


def rows_of_paths(path: Path, paths: Sequence[str], types: Sequence[FieldType]) -> str:
    """Return the table expression of a file whose layout has these paths and types."""
    return rows_of(path, width_of(paths), any(each.name == INT96 for each in types))


def width_of(paths: Sequence[str]) -> int:
    """Return the number of top-level columns of a file, each of which has a path."""
    return 1 + max(int(each.partition(".")[0]) for each in paths)


def value_of(path: str) -> str:
    """Return the expression of the values at a path, such as `3.1`: the first field of the fourth column."""
    top, *fields = path.split(".")
    value = f"f{top}"
    for field in fields:
        value = f"struct_extract_at({value}, {field})"
    return value


def read_schema(cursor: duckdb.DuckDBPyConnection, path: Path, nested: Nested) -> ParquetSchema:
    """Return the schema of a file whose footer is in a local file.

    Raises:
        BrokenParquet: it is damaged, or is written in a way that cannot be read.
    """
    with parquet_failures(path):
        tree = read_tree(cursor, path)
        groups = cursor.execute(
            f"select row_group_id, any_value(row_group_num_rows), min({CHUNK_BEGINS}), "
            f"max({CHUNK_BEGINS} + total_compressed_size), sum(total_uncompressed_size), sum({_MOST_BYTES}) "
            f"from parquet_metadata({quoted(str(path))}) group by row_group_id order by row_group_id"
        ).fetchall()
        unread = cursor.execute(
            f"select path_in_schema from parquet_metadata({quoted(str(path))}) "
            f"where type = 'FIXED_LEN_BYTE_ARRAY' and contains(encodings, {quoted(_BYTE_STREAM_SPLIT)}) limit 1"
        ).fetchone()
        columns = _read_columns(cursor, path, tree, nested)
    if unread is not None:
        raise BrokenParquet(
            f"the column {unread[0]!r} is bytes of fixed length, such as decimals, in the encoding "
            f"{_BYTE_STREAM_SPLIT}, which Feedway does not read: write it in another encoding"
        )
    row_groups = []
    first = 0
    for _, rows, start, end, _, most in groups:
        if rows:
            row_groups.append(RowGroup(int(start), int(end), first, int(rows), int(most)))
        first += int(rows)
    return ParquetSchema(columns, tuple(row_groups), sum(int(group[4]) for group in groups))


@contextmanager
def parquet_failures(path: Path) -> Iterator[None]:
    """Turn what DuckDB cannot read of a local file into a fault of the file.

    Raises:
        BrokenParquet: the message is DuckDB's, without the rows and the path.
        duckdb.OutOfMemoryException: memory ran out.
    """
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        reason = re.sub(_IN_FILE.format(re.escape(str(path))), "", str(error).partition("\n")[0])
        if _NO_COLUMN in reason:
            raise BrokenParquet("the Parquet file has no column") from error
        raise BrokenParquet(f"the Parquet file cannot be read: {reason}") from error


def _read_columns(
    cursor: duckdb.DuckDBPyConnection, path: Path, tree: Node, nested: Nested
) -> tuple[ParquetColumn, ...]:
    _require_count(len(tree.children))
    width = len(tree.children)
    types = cursor.sql(f"select * from {rows_of(path, width)}").types
    found = [
        column
        for index, (node, own) in enumerate(zip(tree.children, types, strict=True))
        for column in _columns(node.name, str(index), node, own, nested)
    ]
    _require_count(len(found))
    splits_int96 = not any(INT96 in column.node.physical_types for column in found if not column.is_int96)
    values = ", ".join(f"{value_of(column.path)} as c{index}" for index, column in enumerate(found))
    described = cursor.execute(f"describe select {values} from {rows_of(path, width)}").fetchall()
    return tuple(
        ParquetColumn(
            column.name,
            column.path,
            replace(
                field_type(INT96 if column.is_int96 and splits_int96 else str(row[1]), nested), fault=_fault(column)
            ),
        )
        for column, row in zip(found, described, strict=True)
    )


def _require_count(columns: int) -> None:
    if columns > _MOST_COLUMNS:
        raise BrokenParquet(f"the file has more than {_MOST_COLUMNS:,} columns")


def _columns(name: str, path: str, node: Node, own: Any, nested: Nested) -> Iterator[_Found]:
    """Yield a column, or, where nested values are flattened, those of a struct."""
    if nested == "flatten" and own.id == "struct" and len(own.children) == len(node.children):
        for place, (field, (_, inner)) in enumerate(zip(node.children, own.children, strict=True), start=1):
            yield from _columns(f"{name}.{field.name}", f"{path}.{place}", field, inner, nested)
        return
    yield _Found(name, path, node, own)


def _fault(column: _Found) -> str:
    """Return why DuckDB would read a column as other values than the file has, empty where it would not."""
    if (digits := column.node.most_digits) > MAX_PRECISION:
        return (
            f"the column {column.name!r} has decimals of {digits} digits, and the most that can be read exactly are "
            f"{MAX_PRECISION}: send it with fewer digits, or as text, or list it under columns.exclude"
        )
    renamed = sorted(_field_names(column.type) - column.node.names)
    if renamed:
        return (
            f"the column {column.name!r} has a struct with two fields whose names differ only in case (read as "
            f"{renamed[0]!r}): rename one, set options.nested to flatten, or list the column under columns.exclude"
        )
    return ""


def _field_names(own: Any) -> set[str]:
    """Return the names of all fields of the structs in a type, as DuckDB has them."""
    if own.id not in ("struct", "list", "array", "map"):
        return set()
    names = {name for name, _ in own.children} if own.id == "struct" else set()
    inner = (kind for _, kind in own.children if hasattr(kind, "id"))
    return names.union(*(_field_names(kind) for kind in inner))
