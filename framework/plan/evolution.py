"""The transactions that change the target and the spec's views before a load's rows are merged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from framework.dataclass import dataclass
from framework.errors import OnRefusal, SchemaChangeError
from framework.model.column_type import ColumnType, Kind
from framework.model.names import TableName, ledger_table, literal
from framework.model.observation import Observation
from framework.plan.change_log import logged_rows
from framework.plan.guards import guard_columns
from framework.plan.schema_changes import (
    AddColumn,
    CreateTable,
    GrowVarchar,
    NewColumn,
    RewriteColumn,
    SchemaChange,
    needs_new_table,
)
from framework.plan.spelling_rows import remember_spellings
from framework.plan.steps import (
    MAX_BATCH_STATEMENTS,
    MAX_STATEMENT_BYTES,
    Statement,
    Transaction,
    in_parts,
    in_portions,
    locks_ledger,
    locks_readers,
)
from framework.plan.table_copy import becomes_text, copy_statements, copy_table, successor_name
from framework.plan.view_journal import EvolvingRun, plan_growth
from framework.plan.views import ViewWork, create_statements, drop_statements
from framework.spec.pipeline import PipelineSpec

_ADDITIONS_PER_BATCH = MAX_BATCH_STATEMENTS - 3
_LOGGED_BYTES = MAX_STATEMENT_BYTES - 1_000
"""Bytes of the changes in one INSERT, whose frame needs some more."""
_FRAME_BYTES = 140
"""Bytes of a logged change beside its literals."""


def plan_evolution(
    spec: PipelineSpec, observed: Observation, changes: Sequence[SchemaChange], views: ViewWork, run: EvolvingRun
) -> tuple[Transaction, ...]:
    """Return the transactions in order; none where nothing changes.

    Native growth runs first, and its views are restored before anything else begins (`plan_growth`).
    Added columns that do not fit one batch go before the transaction that changes views: on their own
    they affect no reader.
    The last transaction locks the ledger, as merges do, so that it sees every row they committed: a
    snapshot taken while one of them still runs would not.
    Changes are logged in the transaction that makes them.

    Raises:
        SchemaChangeError: one transaction would have more statements than a batch may have.
    """
    work = _Work(spec, observed, changes, views, run)
    early: tuple[Transaction, ...] = ()
    if needs_new_table(changes):
        preparing, replacing = copy_statements(observed, changes, run.run_id)
        last = work.last(changes, [*preparing, *replacing])
        if len(last) > MAX_BATCH_STATEMENTS:
            early, last = _prepared_copy(spec, run, preparing), work.last(changes, replacing)
    else:
        last = work.last(changes, work.in_place(changes))
        if len(last) > MAX_BATCH_STATEMENTS:
            others = [change for change in changes if not isinstance(change, AddColumn)]
            early, last = work.added_before(), work.last(others, work.in_place(others))
    if len(last) > MAX_BATCH_STATEMENTS:
        raise SchemaChangeError(
            f"{spec.target.table}: the change needs {len(last)} statements in one transaction and the Data API takes "
            f"{MAX_BATCH_STATEMENTS}. Each column, view, privilege and comment to restore takes some: widen "
            "fewer columns at a time, through types.columns, or reduce the others."
        )
    evolve = (Transaction("evolve", tuple(last), OnRefusal.REPLAN_IF_CHANGED),) if last else ()
    return (*plan_growth(spec, observed, changes, views, run), *early, *evolve)


def _prepared_copy(spec: PipelineSpec, run: EvolvingRun, preparing: Sequence[Statement]) -> tuple[Transaction, ...]:
    """Return the transactions that create the empty copy beforehand, after dropping one of an earlier plan."""
    copy = copy_table(spec.target.table, run.run_id)
    drop_own = Statement("drop_tables", {"tables": (copy.sql,)})
    parts = in_parts("prepare_copy", [drop_own, *preparing], OnRefusal.REPLAN_IF_CHANGED)
    return tuple(replace(part, leaves=copy) for part in parts)


@dataclass(frozen=True)
class _Work:
    """The changes of one load, with its spec, observation, views and run."""

    spec: PipelineSpec
    observed: Observation
    changes: Sequence[SchemaChange]
    views: ViewWork
    run: EvolvingRun

    def in_place(self, changes: Sequence[SchemaChange]) -> list[Statement]:
        """Return the statements that change the existing table, or create it."""
        target, run_id = self.spec.target.table, self.run.run_id
        return [statement for change in changes for statement in _statements(target, change, run_id)]

    def added_before(self) -> tuple[Transaction, ...]:
        """Return the transactions that add columns before anything else happens."""
        additions = [change for change in self.changes if isinstance(change, AddColumn)]
        parts = (additions[n : n + _ADDITIONS_PER_BATCH] for n in range(0, len(additions), _ADDITIONS_PER_BATCH))
        return tuple(
            Transaction("add_columns", (*self.in_place(part), *self._log(part)), OnRefusal.REPLAN_IF_CHANGED)
            for part in parts
        )

    def last(self, changes: Sequence[SchemaChange], made: Sequence[Statement]) -> list[Statement]:
        """Return the statements of the last transaction: drop views, make the changes, recreate views."""
        run = self.run
        statements = [
            *_missing_schemas(self.spec, self.observed, self.changes, self.views),
            *drop_statements(self.views),
            *made,
            *create_statements(self.views, self.observed, run.control_schema, run.run_id, run.started_at),
            *self._log(changes),
        ]
        gate = _gate(self.observed, self.spec.target.table, self.changes, self.views, run.control_schema)
        return [*gate, *statements] if statements else []

    def _log(self, changes: Sequence[SchemaChange]) -> Iterator[Statement]:
        """Yield the statements that log changes, and store the spellings of the columns they create."""
        yield from _log_statements(self.spec, self.run, [each for each in changes if not isinstance(each, GrowVarchar)])
        created = [column.name for change in changes for column in _created(change)]
        texts = {name: self.run.spellings[name] for name in created if name in self.run.spellings}
        yield from remember_spellings(self.run.control_schema, self.spec.target.table, texts, self.run.run_id)


def _created(change: SchemaChange) -> tuple[NewColumn, ...]:
    match change:
        case CreateTable(columns=columns):
            return columns
        case AddColumn(column=column):
            return (column,)
        case _:
            return ()


def _log_statements(spec: PipelineSpec, run: EvolvingRun, changes: Sequence[SchemaChange]) -> Iterator[Statement]:
    """Yield the statements that log the changes."""
    frame = _literal_bytes(run.run_id, spec.pipeline, str(spec.target.table), run.source) + _FRAME_BYTES
    rows = (row for change in changes for row in logged_rows(change))
    for part in in_portions(rows, lambda row: frame + _literal_bytes(*row.values()), _LOGGED_BYTES):
        values = {
            "table": TableName(run.control_schema, "schema_changes"),
            "target": spec.target.table,
            "changes": part,
            "pipeline": spec.pipeline,
            "run_id": run.run_id,
            "source": run.source,
            "shows_values": spec.bad_rows.log_samples,
        }
        yield Statement("insert_schema_changes", values)


def _literal_bytes(*texts: str | None) -> int:
    return sum(len(literal(text).encode("utf-8")) for text in texts)


def _gate(
    observed: Observation,
    target: TableName,
    changes: Sequence[SchemaChange],
    views: ViewWork,
    control_schema: str,
) -> Iterator[Statement]:
    """Yield the lock that keeps merges out and, where columns are rewritten, guards against an outdated plan."""
    ledger = ledger_table(control_schema, target)
    yield Statement("lock_ledger", {"table": ledger}, locks=locks_ledger(ledger, target))
    rewritten = [change for change in changes if isinstance(change, RewriteColumn)]
    if rewritten and not views.drops:
        # A query of a view locks the view before the table: locking the table before the view is dropped
        # would be a deadlock.
        yield Statement("lock_target", {"table": target}, locks=locks_readers(target))
    if rewritten:
        # A column added concurrently would be missing from a copy of the table.
        of = len(observed.table.columns) if needs_new_table(changes) and observed.table is not None else None
        yield guard_columns(target, {change.name: change.current for change in rewritten}, of)


def _missing_schemas(
    spec: PipelineSpec, observed: Observation, changes: Sequence[SchemaChange], views: ViewWork
) -> Iterator[Statement]:
    wanted = [spec.target.table.schema] if any(isinstance(change, CreateTable) for change in changes) else []
    wanted += [view.view.schema for view in views.creates]
    for schema in dict.fromkeys(wanted):
        if schema not in observed.schemas:
            yield Statement("create_schema", {"schema": schema})


def _statements(target: TableName, change: SchemaChange, run_id: str) -> Iterator[Statement]:
    match change:
        case CreateTable(columns=columns, distkey=distkey, sortkey=sortkey):
            values = {"table": target, "columns": columns, "distkey": distkey, "sortkey": sortkey}
            yield Statement("create_target_table", values)
        case AddColumn(column=column):
            yield _add_column(target, column.name, column.type)
        case RewriteColumn():
            yield from _rewrite(target, change, run_id)
        case GrowVarchar():
            return


def _rewrite(target: TableName, change: RewriteColumn, run_id: str) -> Iterator[Statement]:
    successor = successor_name(change.name, run_id)
    both = {"table": target, "name": change.name, "successor": successor}
    yield _add_column(target, successor, change.wanted, change.default, change.encoding)
    text_of = change.current if becomes_text(change.current, change.wanted) else None
    is_from_boolean = text_of == ColumnType(Kind.BOOLEAN)
    yield Statement("copy_column", {**both, "type": change.wanted, "is_from_boolean": is_from_boolean})
    yield Statement("check_copied_column", {**both, "text_of": text_of, "is_from_boolean": is_from_boolean})
    lock = locks_readers(target)
    yield Statement("drop_column", {"table": target, "name": change.name}, locks=lock)
    yield Statement("rename_column", {"table": target, "name": successor, "new_name": change.name}, locks=lock)
    if change.comment is not None:
        yield Statement("comment_on_column", {"relation": target, "name": change.name, "comment": change.comment})


def _add_column(
    target: TableName, name: str, column_type: ColumnType, default: str | None = None, encoding: str | None = None
) -> Statement:
    values = {"table": target, "name": name, "type": column_type, "default_sql": default, "encoding": encoding}
    return Statement("add_column", values, locks=locks_readers(target))
