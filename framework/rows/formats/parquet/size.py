"""How large the values of rows are once they are unpacked: a dictionary holds a text once, however often it stands.

The footer cannot say it. A query over the lengths copies no value.
"""

from __future__ import annotations

from typing import Any

import duckdb

from framework.dataclass import dataclass
from framework.rows.formats.parquet.schema import value_of

ROWS_TOGETHER = 2048
"""As many rows DuckDB has in memory together, in each step of a query."""
_POINTER_BYTES = 16


@dataclass(frozen=True)
class UnpackedSize:
    """The bytes of all texts of some rows, and of those that DuckDB has in memory together."""

    total_bytes: int
    widest_bytes: int


def unpacked_size(cursor: duckdb.DuckDBPyConnection, rows: str, paths: tuple[str, ...]) -> UnpackedSize:
    """Return the size of the texts at the paths.

    `rows` is a table expression with the columns of `rows_of` and file_row_number.
    """
    values = [value_of(path) for path in paths]
    types = cursor.sql(f"select {', '.join(values)} from {rows}").types
    sizes = [size for value, own in zip(values, types, strict=True) if (size := _size_of(value, own, 0)) is not None]
    if not sizes:
        return UnpackedSize(0, 0)
    of_row = " + ".join(f"coalesce({size}, 0)" for size in sizes)
    answer = cursor.execute(
        "select coalesce(sum(size), 0), coalesce(max(size), 0) from (select sum(size) as size from "
        f"(select {of_row} as size, file_row_number // {ROWS_TOGETHER} as part from {rows}) group by part)"
    ).fetchone()
    assert answer is not None
    return UnpackedSize(int(answer[0]), int(answer[1]))


def _size_of(value: str, own: Any, level: int) -> str | None:
    """Return the expression of a value's size in bytes; None for types whose values are all short."""
    if own.id == "varchar":
        return f"strlen({value})"
    if own.id == "blob":
        return f"octet_length({value})"
    if own.id == "struct":
        fields = [
            _size_of(f"struct_extract_at({value}, {place})", inner, level)
            for place, (_, inner) in enumerate(own.children, start=1)
        ]
        found = [f"coalesce({field}, 0)" for field in fields if field is not None]
        return f"({' + '.join(found)})" if found else None
    if own.id == "map":
        lists = zip((f"map_keys({value})", f"map_values({value})"), own.children, strict=True)
        return " + ".join(_size_of_list(entries, inner, level) for entries, (_, inner) in lists)
    if own.id == "list":
        return _size_of_list(value, own.children[0][1], level)
    return None


def _size_of_list(entries: str, inner: Any, level: int) -> str:
    size = f"{_POINTER_BYTES} * coalesce(len({entries}), 0)"
    of_entry = _size_of(f"x{level}", inner, level + 1)
    if of_entry is None:
        return f"({size})"
    return f"({size} + coalesce(list_sum(list_transform({entries}, lambda x{level}: {of_entry})), 0))"
