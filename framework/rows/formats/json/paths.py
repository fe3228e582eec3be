"""The paths that lead to the fields of records of JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from framework.rows.formats.json.table import JsonTable, extracted
from framework.rows.sql.expressions import quoted

MOST_PATHS = 10_000
"""Far more than a table may have columns."""
TOO_MANY_PATHS = (
    f"the records have more than {MOST_PATHS:,} different keys: send what varies as an array, or below one key"
)


def pointer(key: str, above: str = "") -> str:
    """Return the JSON pointer to a key, by RFC 6901."""
    return f"{above}/{key.replace('~', '~0').replace('/', '~1')}"


def name_of(path: str) -> str:
    """Return the name of the field that a path leads to: its keys, with dots between them."""
    return ".".join(key.replace("~1", "/").replace("~0", "~") for key in path.split("/")[1:])


def leaves(cursor: duckdb.DuckDBPyConnection, table: JsonTable, paths: Sequence[str]) -> tuple[str, ...]:
    """Return the paths to the values that are no objects, at any depth, each in the place of the object that has it."""
    found: list[str] = []
    for path, has_values, has_objects in _kinds(cursor, table, paths):
        if has_values or not has_objects:
            found.append(path)
        if has_objects and len(found) <= MOST_PATHS:
            found += leaves(cursor, table, _below(cursor, table, path))
    return tuple(found)


def _kinds(
    cursor: duckdb.DuckDBPyConnection, table: JsonTable, paths: Sequence[str]
) -> Iterator[tuple[str, bool, bool]]:
    """Yield each path, whether it leads to values that are no objects, and whether it leads to objects."""
    if not paths:
        return
    numbers = range(1, len(paths) + 1)
    is_object = [f"starts_with(x[{number}], '{{')" for number in numbers]
    asked = [f"bool_or(x[{number}] <> 'null' and not {each})" for number, each in zip(numbers, is_object, strict=True)]
    asked += [f"bool_or({each})" for each in is_object]
    row = cursor.execute(f"select {', '.join(asked)} from {extracted(table, paths)}").fetchone()
    assert row is not None
    yield from zip(paths, map(bool, row[: len(paths)]), map(bool, row[len(paths) :]), strict=True)


def _below(cursor: duckdb.DuckDBPyConnection, table: JsonTable, path: str) -> list[str]:
    """Return the paths to the keys of the objects that a path leads to, in the order of their first lines."""
    keys = f"json_keys(l, {quoted(path)})"
    if table.has_rewritten:
        keys = f"case when starts_with(l, '[') then json_keys(l, {quoted(f'/0{path}')}) else {keys} end"
    numbered = f"select {keys} as keys, row_number() over () as number from {table.lines}"
    shapes = cursor.execute(
        f"select keys, min(number) from ({numbered}) where len(keys) > 0 group by keys order by 2"
    ).fetchall()
    return [pointer(key, path) for key in dict.fromkeys(key for keys, _ in shapes for key in keys)]
