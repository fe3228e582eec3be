"""The staging table of a run: what a refused merge must know of it, and dropping it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.dataclass import dataclass
from framework.model.names import TableName
from framework.plan.steps import Statement, Transaction, select
from framework.warehouse.client import Value
from framework.warehouse.session import WarehouseSession

SAMPLED_KEYS = 5


def read_staging_count(warehouse: WarehouseSession, staging: TableName) -> int:
    """Return how many rows a staging table holds."""
    statement = select("select_staging_count", {"staging": staging})
    (rows,) = warehouse.run(Transaction("staging_count", (statement,)))
    return int(rows[0][0] or 0)


@dataclass(frozen=True)
class Duplicates:
    """Keys that several rows of a staging table have, by the warehouse's equality.

    `rows_by_file` counts their rows by the file's ordinal; `samples` are the first keys and how many rows each has.
    """

    keys: int
    rows_by_file: Mapping[int, int]
    samples: tuple[tuple[tuple[Value, ...], int], ...]


def read_duplicates(warehouse: WarehouseSession, staging: TableName, keys: Sequence[str]) -> Duplicates:
    """Return the keys that occur in several rows of a staging table."""
    values = {"staging": staging, "keys": tuple(keys)}
    statements = (
        select("select_duplicate_keys", values | {"limit": SAMPLED_KEYS}),
        select("select_duplicate_rows", values),
    )
    found, by_file = warehouse.run(Transaction("duplicates", statements))
    return Duplicates(
        keys=int(found[0][-1] or 0) if found else 0,
        rows_by_file={int(ordinal or 0): int(rows or 0) for ordinal, rows in by_file},
        samples=tuple((row[:-2], int(row[-2] or 0)) for row in found),
    )


def drop_staging(warehouse: WarehouseSession, tables: Sequence[TableName], attempts: int | None = None) -> None:
    """Drop a run's own tables if they exist."""
    statement = Statement("drop_tables", {"tables": tuple(table.sql for table in tables)})
    warehouse.run(Transaction("drop_staging", (statement,)), attempts)
