"""The guard of a transaction that relies on the columns of the target being as they were observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from framework.errors import OnRefusal
from framework.model.column_type import ColumnType, spellings_of
from framework.model.names import TableName
from framework.plan.steps import Statement


def guard_columns(target: TableName, columns: Mapping[str, ColumnType], of: int | None = None) -> Statement:
    """Return a guard that fails where a column no longer has exactly this type; there is at least one column.

    `of` is the number of columns that the table must have; None where it may have others.
    """
    names: dict[ColumnType, list[str]] = {}
    for name, its_type in columns.items():
        names.setdefault(its_type, []).append(name)
    types = [(spellings_of(its_type.kind), its_type, of_type) for its_type, of_type in names.items()]
    values = {"table": target, "types": types, "columns": len(columns), "of": of}
    return Statement("guard_columns", values, OnRefusal.REPLAN)


def guard_written_columns(target: TableName, columns: Mapping[str, ColumnType], of: int | None) -> Statement:
    """Return a guard that fails where writing would change values that are of these types. `of`: see `guard_columns`.

    Lengths do not count: a value that is too long for its column is refused when it is written.
    """
    return guard_columns(target, {name: replace(its_type, length_bytes=None) for name, its_type in columns.items()}, of)
