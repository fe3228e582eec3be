"""The merge: one transaction that counts, deduplicates, replaces and records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from framework.errors import OnRefusal
from framework.model.names import TableName
from framework.plan.change_log import SOURCE_FORMAT, logged_row
from framework.plan.guards import guard_written_columns
from framework.plan.merge_input import MergeInput
from framework.plan.modes import merge_mode
from framework.plan.spelling_rows import remember_spellings
from framework.plan.steps import MAX_BATCH_STATEMENTS, Statement, Transaction, locks_ledger, locks_writers, select

T = TypeVar("T")

ROWS_PER_STATEMENT = 36
"""JOB_STS rows of one INSERT: a row takes up to 1,500 bytes and its key, which has 1,024 at most."""
LEDGER_ROWS_PER_STATEMENT = 60
"""Ledger rows of one INSERT: a row takes up to 450 bytes and its key."""
MAX_FILES_PER_LOAD = 400
"""Maximum number of files for one batch of 40 statements and for the guard of the ledger."""


def plan_merge(merge: MergeInput) -> Transaction:
    """Return the merge's statements in order: the lock and the guards first, ledger and audit last.

    Raises:
        ValueError: the load has more files than one batch of statements can record.
    """
    mode = merge_mode(merge.load.mode)
    statements = [
        Statement("lock_ledger", {"table": merge.ledger}, locks=locks_ledger(merge.ledger, merge.target)),
        *_guard(merge),
        *merge.copy,
        *_deduplicate(merge),
        *mode.count(merge),
        *_guard_new_rows(merge),
        *mode.guard(merge),
        Statement(
            "check_conservation",
            {"counts": merge.counts, "observed_rows": merge.observed_rows},
            OnRefusal.ROW_COUNT_MISMATCH,
        ),
        *mode.delete(merge),
        *_insert(merge),
        *_record(merge),
        select("select_merge_counts", {"counts": merge.counts, "replaced": merge.replaced}),
        Statement("drop_tables", {"tables": merge.own_tables}),
    ]
    if len(statements) > MAX_BATCH_STATEMENTS:
        raise ValueError(f"a load of {len(merge.files)} files needs {len(statements)} statements in one transaction")
    # What does not fit is remembered by a later load.
    remembered = [
        *_remember_format(merge),
        *remember_spellings(merge.control_schema, merge.target, merge.spellings, merge.run_id),
    ]
    statements[-1:-1] = remembered[: MAX_BATCH_STATEMENTS - len(statements)]
    return Transaction("merge", tuple(statements))


def _guard(merge: MergeInput) -> Iterator[Statement]:
    """Yield the guards that stop the merge where the ledger or the target is not as planned for."""
    generations: dict[int, list[str]] = {}
    for file in merge.files:
        generations.setdefault(file.audit.generation, []).append(file.audit.source.sha256)
    values = {"table": merge.ledger, "generations": sorted(generations.items())}
    yield Statement("guard_ledger", values, OnRefusal.ALREADY_LOADED)
    if merge.order_bounds is not None:
        pipeline = merge.files[0].audit.pipeline
        values = {"table": merge.ledger, "pipeline": pipeline, **merge.order_bounds}
        yield Statement("guard_order", values, OnRefusal.SUPERSEDED)
    if merge.types:
        yield guard_written_columns(merge.target, merge.types, merge.column_count)


def _deduplicate(merge: MergeInput) -> Iterator[Statement]:
    if merge.losers is None:
        return
    values = {"losers": merge.losers, "staging": merge.staging}
    yield Statement("find_losers", {**values, "keys": merge.load.keys, "order_by": merge.load.order_by})
    if merge.load.duplicates == "reject":
        yield Statement("check_no_duplicates", {"losers": merge.losers}, OnRefusal.DUPLICATE_KEYS)
    else:
        yield Statement("delete_losers", values)
    yield from merge_mode(merge.load.mode).find_stored_winners(merge)


def _guard_new_rows(merge: MergeInput) -> Iterator[Statement]:
    without_new = {ordinal for fill in merge.fills if fill.rejects_new for ordinal in fill.files}
    if without_new and merge.columns:
        values = {"counts": merge.counts, "files": sorted(without_new)}
        yield Statement("check_no_new_rows", values, OnRefusal.BRINGS_NEW_KEYS)


def _insert(merge: MergeInput) -> Iterator[Statement]:
    if merge.columns:
        values = {"target": merge.target, "staging": merge.staging, "columns": merge.columns}
        yield Statement("insert_rows", values, OnRefusal.ROWS_DO_NOT_FIT, locks_writers(merge.target))


def _record(merge: MergeInput) -> Iterator[Statement]:
    for files in _chunks(merge.files, LEDGER_ROWS_PER_STATEMENT):
        entries = [file.audit for file in files]
        yield Statement("insert_ledger", {"table": merge.ledger, "rows": entries, "keeps_stored": merge.keeps_stored})
    counts = {"counts": merge.counts, "replaced": merge.replaced}
    for rows in _chunks(merge.files, ROWS_PER_STATEMENT):
        job_sts = TableName(merge.control_schema, "job_sts")
        yield Statement("insert_loaded_job_sts", {"table": job_sts, "rows": rows, **counts})


def _remember_format(merge: MergeInput) -> Iterator[Statement]:
    """Yield the statement that stores the format of the pipeline's files, where this load has decided it."""
    if merge.source_format is not None:
        audit = merge.files[0].audit
        change = {
            "kind": SOURCE_FORMAT,
            "column": None,
            "from": None,
            "to": merge.source_format,
            "reason": "the first load decides the format of the files",
        }
        values = {
            "table": TableName(merge.control_schema, "schema_changes"),
            "target": merge.target,
            "changes": [logged_row(change)],
            "pipeline": audit.pipeline,
            "run_id": merge.run_id,
            "source": audit.source.key,
            "shows_values": False,
        }
        yield Statement("insert_schema_changes", values)


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
