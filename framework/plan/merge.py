"""The merge: one transaction that counts, deduplicates, replaces and records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

from framework.errors import OnRefusal
from framework.model.names import TableName, identifier, ledger_table, staging_table
from framework.model.observation import AuditRow
from framework.plan.missing import Fill
from framework.plan.spelling_rows import remember_spellings
from framework.plan.steps import MAX_BATCH_STATEMENTS, Statement, Transaction, locks_ledger, locks_writers, select
from framework.spec.pipeline import LoadSpec

T = TypeVar("T")

ROWS_PER_STATEMENT = 36
"""JOB_STS rows of one INSERT: a row takes up to 1,500 bytes and its key, which has 1,024 at most."""
LEDGER_ROWS_PER_STATEMENT = 60
"""Ledger rows of one INSERT: a row takes up to 450 bytes and its key."""
MAX_FILES_PER_LOAD = 400
"""So many files fit into one batch of 40 statements, and into the guard of the ledger."""


@dataclass(frozen=True)
class LoadedFile:
    """A source file of the load as its JOB_STS row tells it."""

    ordinal: int
    rejected: int
    audit: AuditRow


@dataclass(frozen=True)
class MergeInput:
    """All that the merge of one load needs.

    `columns` are the staging columns without feedway_file and feedway_row; empty where the load
    has no row. `observed_rows` is what was counted while staging.
    """

    target: TableName
    target_exists: bool
    control_schema: str
    load: LoadSpec
    columns: tuple[str, ...]
    fills: tuple[Fill, ...]
    files: tuple[LoadedFile, ...]
    observed_rows: int
    column_count: int | None
    """How many columns the target must have; None where the load may overwrite ones it does not know."""
    keeps_stored: bool = False
    """Whether a row loses against the target's row with its key, unless the order puts it first."""
    max_shrink: Fraction | None = None
    """In replace mode, the largest fraction of the table's rows that may go; None where all may."""
    spellings: Mapping[str, str] = field(default_factory=dict)
    """The header's text of columns that the target has and whose spelling nobody knows yet."""
    order_bounds: Mapping[str, object] | None = None
    """What a loaded file must exceed to come after one of these (Precedence.bounds); None where none can."""

    @property
    def run_id(self) -> str:
        """The load's run_id."""
        return self.files[0].audit.run_id


@dataclass(frozen=True)
class _Names:
    """The temp tables of one merge; they carry its run_id because connections are pooled."""

    staged: str
    losers: str
    winners: str
    replaced: str


def plan_merge(merge: MergeInput) -> Transaction:
    """Return the merge's statements in order: the gate and the guard first, the books last.

    Raises:
        ValueError: the load has more files than one batch of statements can record.
    """
    suffix = merge.run_id[:12]
    names = _Names(*(f"feedway_{word}_{suffix}" for word in ("staged", "losers", "winners", "replaced")))
    staging = staging_table(merge.control_schema, merge.run_id)
    ledger = ledger_table(merge.control_schema, merge.target)
    statements = [
        Statement("lock_ledger", {"table": ledger}, locks=locks_ledger(ledger, merge.target)),
        *_guard(merge, ledger),
        *_guard_columns(merge),
        Statement("count_staged", {"counts": names.staged, "staging": staging}),
        *_deduplicate(merge, staging, names),
        *_count(merge, staging, names),
        *_guard_rows(merge, names),
        Statement(
            "check_conservation",
            {
                "staged": names.staged,
                "winners": names.winners,
                "losers": names.losers,
                "observed_rows": merge.observed_rows,
            },
            OnRefusal.ROW_COUNT_MISMATCH,
        ),
        *_change_target(merge, staging),
        *_record(merge, ledger, names),
        select(
            "select_merge_counts",
            {"winners": names.winners, "staged": names.staged, "replaced": names.replaced},
        ),
        Statement("drop_tables", {"tables": _own_tables(staging, names)}),
    ]
    if len(statements) > MAX_BATCH_STATEMENTS:
        raise ValueError(f"a load of {len(merge.files)} files needs {len(statements)} statements in one transaction")
    # What does not fit is remembered by a later load.
    spellings = list(remember_spellings(merge.control_schema, merge.target, merge.spellings, merge.run_id))
    statements[-1:-1] = spellings[: MAX_BATCH_STATEMENTS - len(statements)]
    return Transaction("merge", tuple(statements))


def _own_tables(staging: TableName, names: _Names) -> tuple[str, ...]:
    temporary = (names.staged, names.losers, names.winners, names.replaced)
    return (staging.sql, *(identifier(name) for name in temporary))


def _guard(merge: MergeInput, ledger: TableName) -> Iterator[Statement]:
    generations: dict[int, list[str]] = {}
    for file in merge.files:
        generations.setdefault(file.audit.generation, []).append(file.audit.source.sha256)
    values = {"table": ledger, "generations": sorted(generations.items())}
    yield Statement("guard_ledger", values, OnRefusal.ALREADY_LOADED)
    if merge.order_bounds is not None:
        pipeline = merge.files[0].audit.pipeline
        values = {"table": ledger, "pipeline": pipeline, **merge.order_bounds}
        yield Statement("guard_order", values, OnRefusal.SUPERSEDED)


def _guard_columns(merge: MergeInput) -> Iterator[Statement]:
    if merge.column_count is not None:
        values = {"table": merge.target, "columns": merge.column_count}
        yield Statement("guard_column_count", values, OnRefusal.REPLAN)


def _guard_rows(merge: MergeInput, names: _Names) -> Iterator[Statement]:
    """Check what only the counts and the target's values can tell, behind the lock."""
    without_new = {ordinal for fill in merge.fills if fill.rejects_new for ordinal in fill.files}
    if without_new and merge.columns:
        lacking = {"winners": names.winners, "files": sorted(without_new)}
        yield Statement("check_no_new_rows", lacking, OnRefusal.BRINGS_NEW_KEYS)
    if merge.load.mode != "replace" or not merge.target_exists:
        return
    emptied = [fill.column for fill in merge.fills if fill.unless_filled]
    if emptied:
        yield Statement("check_columns_empty", {"table": merge.target, "columns": emptied}, OnRefusal.REPLAN)
    if merge.max_shrink is not None and merge.max_shrink < 1:
        kept, of = (1 - merge.max_shrink).as_integer_ratio()
        values = {"winners": names.winners, "replaced": names.replaced, "kept": kept, "of": of}
        yield Statement("check_shrinkage", values, OnRefusal.SHRINKS_TABLE)


def _deduplicate(merge: MergeInput, staging: TableName, names: _Names) -> Iterator[Statement]:
    if not merge.load.keys or not merge.columns:
        yield Statement("create_no_losers", {"losers": names.losers})
        return
    keys, order_by = merge.load.keys, merge.load.order_by
    delete = Statement("delete_losers", {"losers": names.losers, "staging": staging})
    yield Statement("find_losers", {"losers": names.losers, "staging": staging, "keys": keys, "order_by": order_by})
    if merge.load.duplicates == "reject":
        yield Statement("check_no_duplicates", {"losers": names.losers}, OnRefusal.DUPLICATE_KEYS)
    else:
        yield delete
    if merge.load.mode == "upsert":
        for statement in _find_rows_that_lose(merge, staging, names):
            yield statement
            yield delete


def _find_rows_that_lose(merge: MergeInput, staging: TableName, names: _Names) -> Iterator[Statement]:
    """Find the winners which lose against the row the target holds."""
    values = {"losers": names.losers, "staging": staging, "target": merge.target, "keys": merge.load.keys}
    order_by = merge.load.order_by
    if order_by:
        yield Statement("find_stale_rows", values | {"order_by": order_by})
    if order_by and merge.keeps_stored:
        yield Statement("find_tied_rows", values | {"order_by": order_by})
    elif merge.keeps_stored:
        yield Statement("find_stored_rows", values)


def _count(merge: MergeInput, staging: TableName, names: _Names) -> Iterator[Statement]:
    if merge.load.mode == "upsert" and merge.columns:
        yield Statement(
            "count_winners",
            {"counts": names.winners, "staging": staging, "target": merge.target, "keys": merge.load.keys},
        )
    else:
        yield Statement("count_inserts", {"counts": names.winners, "staging": staging})
    if merge.load.mode == "replace" and merge.target_exists:
        yield Statement("count_replaced", {"counts": names.replaced, "target": merge.target})
    else:
        yield Statement("count_none_replaced", {"counts": names.replaced})


def _change_target(merge: MergeInput, staging: TableName) -> Iterator[Statement]:
    target, keys, lock = merge.target, merge.load.keys, locks_writers(merge.target)
    if merge.load.mode == "replace" and merge.target_exists:
        yield Statement("delete_all_rows", {"table": target}, locks=lock)
    if not merge.columns:
        return
    for columns, files in _kept(merge.fills):
        yield Statement(
            "keep_stored_values",
            {"staging": staging, "target": target, "keys": keys, "columns": columns, "files": files},
        )
    if merge.load.mode == "upsert":
        values = {"target": target, "staging": staging, "keys": keys}
        yield Statement("delete_matching_rows", values, locks=lock)
    insert = {"target": target, "staging": staging, "columns": merge.columns}
    yield Statement("insert_rows", insert, OnRefusal.ROWS_DO_NOT_FIT, lock)


def _kept(fills: Sequence[Fill]) -> list[tuple[list[str], tuple[int, ...]]]:
    """Group the columns that keep stored values by the files that lack them."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for fill in fills:
        if fill.keeps_stored:
            groups.setdefault(fill.files, []).append(fill.column)
    return [(columns, files) for files, columns in groups.items()]


def _record(merge: MergeInput, ledger: TableName, names: _Names) -> Iterator[Statement]:
    for files in _chunks(merge.files, LEDGER_ROWS_PER_STATEMENT):
        entries = [file.audit for file in files]
        yield Statement("insert_ledger", {"table": ledger, "rows": entries, "keeps_stored": merge.keeps_stored})
    for rows in _chunks(merge.files, ROWS_PER_STATEMENT):
        yield Statement(
            "insert_loaded_job_sts",
            {
                "table": TableName(merge.control_schema, "job_sts"),
                "rows": rows,
                "staged": names.staged,
                "winners": names.winners,
                "replaced": names.replaced,
            },
        )


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
