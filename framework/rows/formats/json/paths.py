"""The paths that lead to the fields of records of JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import duckdb

from framework.rows.formats.json.pointer import pointer
from framework.rows.formats.json.table import JsonTable, extracted
from framework.rows.formats.text.format import BrokenText
from framework.rows.sql.expressions import quoted

MOST_PATHS = 10_000
"""Far more than a table may have columns."""
MOST_LEVELS = 100
MOST_FLATTENED = 2_000
"""More than a table may have columns; some may be excluded. DuckDB takes time and memory for each of them."""
TOO_MANY_PATHS = (
    f"the records have more than {MOST_PATHS:,} different keys: send what varies as an array, or below one key"
)
_TOO_MANY_FLATTENED = (
    f"with options.nested: flatten the records make more than {MOST_FLATTENED:,} columns: set it to super or text"
)


def leaves(cursor: duckdb.DuckDBPyConnection, table: JsonTable, paths: Sequence[str]) -> tuple[str, ...]:
    """Return the paths to the values that are no objects, at any depth, each in the place of the object that has it.

    Raises:
        BrokenText: there are too many of them, or they are nested too deeply.
    """
    has_values: dict[str, bool] = {}
    below: dict[str, Sequence[str]] = {}
    level = list(paths)
    for _ in range(MOST_LEVELS):
        if not level:
            break
        if sum(has_values.values()) + len(level) > MOST_FLATTENED:
            raise BrokenText(_TOO_MANY_FLATTENED, may_load=True)
        kinds = _kinds(cursor, table, level)
        has_values |= {path: of_values or not of_objects for path, (of_values, of_objects) in kinds.items()}
        objects = [path for path, (_, of_objects) in kinds.items() if of_objects]
        below |= _below(cursor, table, objects)
        level = [path for above in objects for path in below[above]]
    if level:
        reason = f"objects are nested more than {MOST_LEVELS} levels deep, and options.nested: flatten makes columns of"
        raise BrokenText(f"{reason} each: set it to super or text", may_load=True)
    return tuple(_in_order(paths, has_values, below))


def _in_order(
    paths: Sequence[str], has_values: Mapping[str, bool], below: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    for path in paths:
        if has_values[path]:
            yield path
        yield from _in_order(below.get(path, ()), has_values, below)


def _kinds(cursor: duckdb.DuckDBPyConnection, table: JsonTable, paths: Sequence[str]) -> dict[str, tuple[bool, bool]]:
    """Return by path whether it leads to values that are no objects, and whether it leads to objects."""
    values = f"select unnest(x) as v, unnest(range({len(paths)})) as place from {extracted(table, paths)}"
    found = cursor.execute(
        "select place, bool_or(v <> 'null' and not starts_with(v, '{')), bool_or(starts_with(v, '{')) "
        f"from ({values}) where v is not null group by place"
    ).fetchall()
    kinds = {place: (bool(of_values), bool(of_objects)) for place, of_values, of_objects in found}
    return {path: kinds.get(place, (False, False)) for place, path in enumerate(paths)}


def _below(cursor: duckdb.DuckDBPyConnection, table: JsonTable, paths: Sequence[str]) -> dict[str, list[str]]:
    """Return by path the paths to the keys of the objects that it leads to, in the order of their first lines."""
    if not paths:
        return {}
    keys = f"json_keys(l, [{', '.join(map(quoted, paths))}])"
    if table.has_rewritten:
        rewritten = ", ".join(quoted(f"/0{path}") for path in paths)
        keys = f"case when starts_with(l, '[') then json_keys(l, [{rewritten}]) else {keys} end"
    numbered = f"select {keys} as keys, row_number() over () as number from {table.lines}"
    objects = f"select unnest(keys) as keys, unnest(range({len(paths)})) as place, number from ({numbered})"
    shapes = cursor.execute(
        f"select place, keys, min(number) from ({objects}) where len(keys) > 0 group by place, keys order by 3"
    ).fetchall()
    found: dict[str, dict[str, None]] = {path: {} for path in paths}
    for place, names, _ in shapes:
        found[paths[place]] |= dict.fromkeys(pointer(name, paths[place]) for name in names)
    return {path: list(below) for path, below in found.items()}
