"""The schema in a Parquet footer as a tree, with the names and types that the file itself has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from framework.dataclass import dataclass
from framework.rows.formats.parquet.footer import BrokenParquet
from framework.rows.sql.expressions import quoted

_MOST_LEVELS = 200


@dataclass(frozen=True)
class Node:
    """A column or a part of one.

    `digits` are those of a decimal, else 0. `physical_type` is None where it has parts.
    """

    name: str
    physical_type: str | None
    digits: int
    children: tuple[Node, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names of all parts below."""
        return frozenset(child.name for child in self.children).union(*(child.names for child in self.children))

    @property
    def physical_types(self) -> frozenset[str]:
        """The physical types of the values in it."""
        own: frozenset[str] = frozenset() if self.physical_type is None else frozenset({self.physical_type})
        return own.union(*(child.physical_types for child in self.children))

    @property
    def most_digits(self) -> int:
        """The most digits of its decimals; 0 without any."""
        return max([self.digits, *(child.most_digits for child in self.children)])


def read_tree(cursor: duckdb.DuckDBPyConnection, path: Path) -> Node:
    """Return the root of a file's schema: its children are the columns, in order.

    Raises:
        BrokenParquet: the schema is no tree, or a very deep one.
    """
    rows = cursor.execute(
        "select name, type, coalesce(num_children, 0), "
        "case when converted_type = 'DECIMAL' or starts_with(logical_type, 'DecimalType') then precision end "
        f"from parquet_schema({quoted(str(path))})"
    ).fetchall()
    return _node(iter(rows), 0)


def _node(rows: Iterator[tuple[str, str | None, int, int | None]], level: int) -> Node:
    row = next(rows, None)
    if row is None or level > _MOST_LEVELS:
        raise BrokenParquet("the Parquet file cannot be read: its schema is damaged, or nested too deep")
    name, physical_type, children, digits = row
    parts = tuple(_node(rows, level + 1) for _ in range(children))
    return Node(name, physical_type, digits or 0, parts)
