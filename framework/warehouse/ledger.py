"""Reads of a target's ledger, made only where a merge was stopped or a file seems to be loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from framework.model.files import SourceFile
from framework.model.names import TableName, ledger_table
from framework.plan.merge import LEDGER_ROWS_PER_STATEMENT
from framework.plan.precedence import EnteredFile
from framework.plan.steps import Transaction, select
from framework.warehouse.client import Row, Value
from framework.warehouse.session import WarehouseSession


def read_entered(warehouse: WarehouseSession, target: TableName, files: Sequence[SourceFile]) -> list[EnteredFile]:
    """Return the target's ledger rows of these files. Waits for a running merge."""
    found = []
    for start in range(0, len(files), LEDGER_ROWS_PER_STATEMENT):
        part = files[start : start + LEDGER_ROWS_PER_STATEMENT]
        values = {
            "table": ledger_table(warehouse.control_schema, target),
            "identities": [file.identity.sha256 for file in part],
        }
        (rows,) = warehouse.run(Transaction("entered", (select("select_entered", values),)))
        found += [_entered(row) for row in rows]
    return found


def read_later_files(warehouse: WarehouseSession, target: TableName, bounds: Mapping[str, object]) -> list[EnteredFile]:
    """Return the pipeline's files in the target's ledger beyond some bounds (`Precedence.bounds`).

    Waits for a running merge.
    """
    ledger = ledger_table(warehouse.control_schema, target)
    statement = select("select_later_files", {"table": ledger, "pipeline": warehouse.pipeline, **bounds})
    (rows,) = warehouse.run(Transaction("later_files", (statement,)))
    return [_entered(row) for row in rows]


def _entered(row: Row) -> EnteredFile:
    identity, generation, key, arrived, run_id, loaded = row
    arrived_at = None if arrived is None else _utc(arrived)
    return EnteredFile(str(identity), int(generation or 0), str(key), arrived_at, str(run_id), _utc(loaded))


def _utc(value: Value) -> datetime:
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)
