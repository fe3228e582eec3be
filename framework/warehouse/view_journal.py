"""The view journal in the warehouse: which views are down, putting them back, letting one go."""

from __future__ import annotations

from collections.abc import Sequence

from framework.errors import TransientWarehouseError, WarehouseError
from framework.names import TableName
from framework.plan.growth import JOURNAL, put_back
from framework.plan.statements import Statement, Transaction
from framework.run_log import RunLog
from framework.schema.journal import JournalRow, entries_of
from framework.schema.table import JournalEntry
from framework.warehouse.client import Caller, Row, Warehouse


def select_journal(control_schema: str, target: TableName | None) -> Statement:
    """Return what reads the journal's rows of one target, or of all."""
    return Statement("select_view_journal", {"table": TableName(control_schema, JOURNAL), "target": target})


def journal_row(row: Row) -> JournalRow:
    """Read a row of select_view_journal."""
    run_id, pipeline, target_schema, target_name, view_schema, view_name, place, part, content = row
    return JournalRow(
        str(run_id),
        str(pipeline),
        TableName(str(target_schema), str(target_name)),
        TableName(str(view_schema), str(view_name)),
        int(place or 0),
        int(part or 0),
        str(content),
    )


def read_journal(
    warehouse: Warehouse, target: TableName | None, caller: Caller, log: RunLog
) -> tuple[JournalEntry, ...]:
    """Return the views that are down, lowest first; of one target, or of all. None where there are no books yet."""
    statement = select_journal(warehouse.settings.control_schema, target)
    try:
        (rows,) = warehouse.run(Transaction("journal", (statement,)), caller, log)
    except WarehouseError as error:
        if "does not exist" in (error.warehouse_message or ""):
            return ()
        raise
    return entries_of(map(journal_row, rows))


def put_back_views(
    warehouse: Warehouse, entries: Sequence[JournalEntry], caller: Caller, log: RunLog
) -> dict[TableName, str]:
    """Put views back, and return those that cannot be, with the reason; they stay in the journal.

    As long as one comes back the others are tried again: it may be what they stand on.

    Raises:
        TransientWarehouseError: the warehouse did not answer; the rest stays in the journal.
    """
    pending = list(entries)
    reasons: dict[TableName, str] = {}
    while pending:
        reasons = _put_back_once(warehouse, pending, caller, log)
        left = [entry for entry in pending if entry.view.view in reasons]
        if len(left) == len(pending):
            break
        pending = left
    for view, reason in reasons.items():
        log.error("a view cannot be put back and stays in the journal", view=str(view), reason=reason)
    return reasons


def _put_back_once(
    warehouse: Warehouse, entries: Sequence[JournalEntry], caller: Caller, log: RunLog
) -> dict[TableName, str]:
    names = list(dict.fromkeys(entry.view.view for entry in entries))
    look = Transaction("look_at_views", (Statement("select_dependents", {"views": names}),))
    (rows,) = warehouse.run(look, caller, log)
    there = {TableName(str(schema), str(name)) for schema, name, *_ in rows}
    reasons: dict[TableName, str] = {}
    for entry in entries:
        view = entry.view.view
        try:
            for transaction in put_back(entry, warehouse.settings.control_schema, is_there=view in there):
                warehouse.run(transaction, caller, log)
        except TransientWarehouseError:
            raise
        except WarehouseError as error:
            reasons[view] = _reason(error, transaction)
        else:
            there.add(view)
            log.warning("a view was put back", view=str(view), taken_down_by=entry.run_id)
    return reasons


def _reason(error: WarehouseError, transaction: Transaction) -> str:
    if error.failed_index is not None and transaction.statements[error.failed_index].template == "guard_view":
        return "a view of that name with another definition or owner has taken its place"
    return (error.warehouse_message or str(error)).partition("\n")[0]


def forget(warehouse: Warehouse, entry: JournalEntry, caller: Caller, log: RunLog) -> None:
    """Take a view out of the journal without putting it back."""
    values = {
        "table": TableName(warehouse.settings.control_schema, JOURNAL),
        "run_id": entry.run_id,
        "view": entry.view.view,
    }
    warehouse.run(Transaction("forget", (Statement("delete_view_journal", values),)), caller, log)
