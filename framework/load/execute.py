"""Running a plan: its transactions in order, each idempotent. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.dataclass import dataclass
from framework.errors import OnRefusal, TransientWarehouseError, WarehouseError
from framework.load.audit_trail import confirm_start
from framework.load.quarantine.folder import require_quarantine
from framework.load.result import RecordCounts
from framework.load.run import Run, Step
from framework.load.views.journal import ViewJournal
from framework.plan.audit import LoadFile
from framework.plan.copy import manifest
from framework.plan.load_input import LoadInput, Staged
from framework.plan.load_plan import LoadPlan
from framework.plan.merge_input import LoadedFile
from framework.plan.steps import Transaction
from framework.warehouse.client import Row

_DEPENDS_ON_ROWS = (OnRefusal.DUPLICATE_KEYS, OnRefusal.ROW_COUNT_MISMATCH, OnRefusal.SHRINKS_TABLE)
"""The refusals whose explanation reads the staging table."""


@dataclass(frozen=True)
class Committed:
    """The rows are in the target, with these counts."""

    counts: Mapping[LoadFile, RecordCounts]


@dataclass(frozen=True)
class Refusal:
    """A transaction of the plan that the warehouse refused. Those before it are committed, unless one was refused."""

    transaction: Transaction
    error: WarehouseError


def execute(run: Run, load: LoadInput, plan: LoadPlan, journal: ViewJournal) -> Committed | Refusal:
    """Run the plan of a load.

    Raises:
        WarehouseError: the lake, or the view journal, is out of reach.
        PipelineError: another run has deleted the bad rows.
    """
    if not plan.evolution:
        # Meanwhile the start is recorded.
        _write_manifest(run, load.staged)
    confirm_start(run, load.files)
    refusal = _evolve(run, plan, journal)
    if refusal is not None:
        return refusal
    run.progress.enter(Step.COPY)
    if plan.evolution:
        _write_manifest(run, load.staged)
    merged = None if plan.single is None else _copy_and_merge(run, plan.single)
    if merged is None:
        merged = _copy_then_merge(run, load, plan)
    if isinstance(merged, Refusal):
        return merged
    return Committed({load.files[file.ordinal]: _counts(merged, file) for file in plan.files})


def _copy_and_merge(run: Run, single: Transaction) -> Sequence[Row] | Refusal | None:
    """Copy and merge in one submission; return the counts, or None where two submissions must do it.

    The two explain a refusal that depends on the staging rows: the single one rolls them back. They also keep other
    loads of the table waiting for less time, and so are what is repeated after a transient failure.
    """
    run.progress.enter(Step.MERGE)
    require_quarantine(run)
    try:
        return _only_rows(single, run.warehouse.run(single, attempts=1))
    except WarehouseError as error:
        if (passes := isinstance(error, TransientWarehouseError)) or error.refused.meaning in _DEPENDS_ON_ROWS:
            if passes:
                run.log.warning("retrying after a transient failure", step="merge", submissions=2, error=str(error))
            run.progress.enter(Step.COPY)
            return None
        at_fault = single.refused_by(error)
        if at_fault is not None and at_fault.max_seconds is not None:
            run.progress.enter(Step.COPY)
        return Refusal(single, error)


def _copy_then_merge(run: Run, load: LoadInput, plan: LoadPlan) -> Sequence[Row] | Refusal:
    copied = _submit(run, plan.copy)
    if isinstance(copied, Refusal):
        return copied
    run.log.info("copied", step="copy", rows=load.staged.seen.rows_staged)
    run.progress.enter(Step.MERGE)
    require_quarantine(run)
    results = _submit(run, plan.merge)
    if isinstance(results, Refusal):
        return results
    run.leftovers.lost_table(run.names.staging)
    return _only_rows(plan.merge, results)


def _only_rows(transaction: Transaction, results: Sequence[list[Row]]) -> Sequence[Row]:
    (rows,) = (rows for statement, rows in zip(transaction.statements, results, strict=True) if statement.fetches)
    return rows


def _evolve(run: Run, plan: LoadPlan, journal: ViewJournal) -> Refusal | None:
    """Change the table as planned. In every case, views that were dropped for it are restored."""
    if plan.evolution:
        run.invocation.first_loads.changes((run.target, *plan.views.touched))
    try:
        for transaction in plan.evolution:
            refusal = journal.run(transaction) if transaction.journal is not None else _submit(run, transaction)
            if isinstance(refusal, WarehouseError):
                refusal = Refusal(transaction, refusal)
            if isinstance(refusal, Refusal):
                journal.restore_own_after_failure()
                return refusal
    except BaseException:
        journal.restore_own_after_failure()
        raise
    run.leftovers.lost_table(run.names.copy)
    journal.restore_own()
    return None


def _submit(run: Run, transaction: Transaction) -> list[list[Row]] | Refusal:
    if transaction.leaves is not None:
        run.leftovers.made_table(transaction.leaves)
    try:
        return run.warehouse.run(transaction)
    except WarehouseError as error:
        return Refusal(transaction, error)


def _write_manifest(run: Run, staged: Staged) -> None:
    """Write the manifest of the staging files, if there are rows."""
    if staged.has_rows:
        run.lake.put(run.manifest_key, manifest({file.url: file.size_bytes for file in staged.seen.staging_files}))


def _counts(rows: Sequence[Row], file: LoadedFile) -> RecordCounts:
    """Return one file's counts from select_merge_counts, which has no row for a file without rows."""
    replaced = int(rows[0][4] or 0) if rows and file.ordinal == 0 else 0
    for ordinal, winners, updated, losers, _ in rows:
        if ordinal == file.ordinal:
            kept, replacing, left_out = int(winners or 0), int(updated or 0), int(losers or 0)
            return RecordCounts(
                read=kept + left_out + file.rejected,
                inserted=kept - replacing,
                updated=replacing,
                deleted=replaced,
                deduplicated=left_out,
                rejected=file.rejected,
            )
    return RecordCounts(read=file.rejected, deleted=replaced, rejected=file.rejected)
