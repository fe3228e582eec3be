"""The view journal in the warehouse: reading it, restoring its views, removing an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from framework.errors import Cause, OnRefusal, TransientWarehouseError, WarehouseError
from framework.model.names import TableName
from framework.model.observation import JournalEntry
from framework.plan.journal_rows import JournalRow, entries_of
from framework.plan.steps import Statement, Transaction, select
from framework.plan.view_journal import JOURNAL, restore_view
from framework.warehouse.client import Row
from framework.warehouse.session import WarehouseSession

JournalKey = tuple[str, TableName]
"""The run that dropped a view, and the view."""


def select_journal(control_schema: str, targets: Sequence[TableName]) -> Statement:
    """Return the query of the journal's rows of some targets; of none, of all."""
    return select("select_view_journal", {"table": TableName(control_schema, JOURNAL), "targets": targets})


def journal_row(row: Row) -> JournalRow:
    """Return the journal row in a row of select_view_journal."""
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


def read_journal(warehouse: WarehouseSession, target: TableName | None) -> tuple[JournalEntry, ...]:
    """Return the dropped views in the journal, of one target or of all; none where the journal does not exist."""
    statement = select_journal(warehouse.control_schema, () if target is None else (target,))
    try:
        (rows,) = warehouse.run(Transaction("journal", (statement,)))
    except WarehouseError as error:
        if error.cause is Cause.MISSING_RELATION:
            return ()
        raise
    return entries_of(map(journal_row, rows))


def restore_views(warehouse: WarehouseSession, entries: Sequence[JournalEntry]) -> dict[JournalKey, str]:
    """Restore views, and return those that cannot be restored, with the reason; they stay in the journal.

    While one is restored, the others are retried: they may depend on it. Of several entries of one view, the
    last has the view's definition.

    Raises:
        TransientWarehouseError: the warehouse did not answer; the other views stay in the journal.
    """
    pending = list(entries)
    reasons: dict[JournalKey, str] = {}
    while pending:
        reasons = _restore_in_turn(warehouse, pending)
        left = [entry for entry in pending if entry.key in reasons]
        if len(left) == len(pending):
            break
        pending = left
    for (_, view), reason in reasons.items():
        warehouse.log.error("could not restore view; it stays in the journal", view=str(view), reason=reason)
    return reasons


def _restore_in_turn(warehouse: WarehouseSession, entries: Sequence[JournalEntry]) -> dict[JournalKey, str]:
    names = list(dict.fromkeys(entry.view.view for entry in entries))
    (rows,) = warehouse.run(Transaction("existing_views", (select("select_views", {"views": names}),)))
    there = {TableName(str(schema), str(name)) for schema, name, *_ in rows}
    last = {entry.view.view: entry for entry in entries}
    reasons: dict[JournalKey, str] = {}
    for entry in entries:
        view = entry.view.view
        if entry is not last[view]:
            reasons[entry.key] = "a later run also dropped the view, with the definition it had then"
            continue
        reason = _restore_one(warehouse, entry, is_there=view in there)
        if reason is not None:
            reasons[entry.key] = reason
            continue
        there.add(view)
        warehouse.log.warning("restored view", view=str(view), dropped_by=entry.run_id)
    return reasons


def _restore_one(warehouse: WarehouseSession, entry: JournalEntry, *, is_there: bool) -> str | None:
    """Restore a view, without privileges of grantees that no longer exist; return why it failed, None if it did not."""
    for number, transaction in enumerate(restore_view(entry, warehouse.control_schema, is_there=is_there)):
        try:
            warehouse.run(transaction)
        except TransientWarehouseError:
            raise
        except WarehouseError as error:
            refused = transaction.refused_by(error)
            if error.refused.meaning is OnRefusal.VIEW_NAME_TAKEN:
                return "a view of that name with another definition or owner exists"
            grant = None if refused is None else refused.values.get("grant")
            if grant is None or error.cause is not Cause.MISSING_GRANTEE:
                return error.first_line
            warehouse.log.warning("privilege not restored", view=str(entry.view.view), reason=error.first_line)
            kept = tuple(each for each in entry.view.grants if each != grant)
            # The first transaction creates the view.
            is_there = is_there or number > 0
            without = replace(entry, view=replace(entry.view, grants=kept))
            return _restore_one(warehouse, without, is_there=is_there)
    return None


def forget(warehouse: WarehouseSession, entry: JournalEntry) -> None:
    """Remove a view from the journal without restoring it."""
    values = {
        "table": warehouse.control_table(JOURNAL),
        "run_id": entry.run_id,
        "view": entry.view.view,
    }
    warehouse.run(Transaction("forget", (Statement("delete_view_journal", values),)))
