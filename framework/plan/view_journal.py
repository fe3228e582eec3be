"""Native growth of VARCHAR columns, which runs outside any transaction, with the steps before and after it.

Bound views on the column are dropped beforehand, each in the transaction that enters it in the view journal, and
restored in the one that removes it again. Wherever a run crashes, every view exists or is in the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from framework.dataclass import dataclass
from framework.errors import OnRefusal
from framework.model.names import TableName
from framework.model.observation import JournalEntry, Observation, ObservedView
from framework.plan.change_log import logged_row
from framework.plan.guards import guard_columns
from framework.plan.journal_rows import as_rows
from framework.plan.schema_changes import GrowVarchar, SchemaChange, describe_change
from framework.plan.steps import MAX_BATCH_STATEMENTS, JournalStep, Statement, Transaction, in_parts, locks_readers
from framework.plan.views import ViewWork, drop_view, guard_view, query_of, restore_surroundings
from framework.spec.pipeline import PipelineSpec

JOURNAL = "view_journal"
"""The journal's table in the control schema."""


@dataclass(frozen=True)
class EvolvingRun:
    """The run that changes the target. `source` names the load's files, `spellings` the headers of new columns."""

    run_id: str
    invocation_id: str
    started_at: datetime
    source: str
    control_schema: str
    spellings: Mapping[str, str]


def plan_growth(
    spec: PipelineSpec, observed: Observation, changes: Sequence[SchemaChange], views: ViewWork, run: EvolvingRun
) -> Iterator[Transaction]:
    """Yield the transactions in order; none where no column grows natively.

    Just before each growth a guard checks that the column is still as planned for: a column that another session
    has grown meanwhile must not become narrower.
    """
    grown = [change for change in changes if isinstance(change, GrowVarchar)]
    entries = _entries(spec, observed, views, run)
    yield from drop_views(entries, run.control_schema)
    for change in grown:
        values = {"table": spec.target.table, "name": change.name, "type": change.wanted}
        logged = (guard_columns(spec.target.table, {change.name: change.current}), _logged(spec, run, change))
        grow = Statement("grow_varchar", values, locks=locks_readers(spec.target.table))
        yield Transaction("log_growth", logged, OnRefusal.REPLAN_IF_CHANGED)
        yield Transaction("grow", (grow,), OnRefusal.REPLAN_IF_CHANGED)
    for entry in entries:
        yield from restore_view(entry, run.control_schema, is_there=False)


def _logged(spec: PipelineSpec, run: EvolvingRun, change: GrowVarchar) -> Statement:
    values = {
        "table": TableName(run.control_schema, "schema_changes"),
        "target": spec.target.table,
        "change": logged_row(describe_change(change), change.reason),
        "pipeline": spec.pipeline,
        "run_id": run.run_id,
        "source": run.source,
        "shows_values": spec.bad_rows.log_samples,
    }
    return Statement("log_growth", values)


def _entries(spec: PipelineSpec, observed: Observation, views: ViewWork, run: EvolvingRun) -> tuple[JournalEntry, ...]:
    of_spec = {view.view for view in spec.views}
    return tuple(
        JournalEntry(
            run.run_id,
            run.invocation_id,
            spec.pipeline,
            spec.target.table,
            place,
            view,
            tuple(comment for comment in observed.comments if comment.relation == view.view),
            view.view in of_spec,
        )
        for place, view in enumerate(views.in_the_way)
    )


def drop_views(entries: Sequence[JournalEntry], control_schema: str) -> Iterator[Transaction]:
    """Yield the transactions that enter views in the journal and drop them, highest first; each guards its view."""
    journal = TableName(control_schema, JOURNAL)
    together: list[Statement] = []
    for entry in reversed(entries):
        view = entry.view
        own = [
            guard_view(view),
            *(Statement("insert_view_journal", {"table": journal, "row": row}) for row in as_rows(entry)),
            drop_view(view.view),
        ]
        if len(together) + len(own) > MAX_BATCH_STATEMENTS:
            yield _drop_together(together)
            together = []
        together += own
    if together:
        yield _drop_together(together)


def _drop_together(statements: Sequence[Statement]) -> Transaction:
    return Transaction("drop_views", tuple(statements), OnRefusal.REPLAN_IF_CHANGED, JournalStep.DROPS_VIEWS)


def restore_view(entry: JournalEntry, control_schema: str, *, is_there: bool) -> Iterator[Transaction]:
    """Yield the transactions that restore a view and remove it from the journal; several for many privileges.

    A view that `is_there` gets only its privileges, comments and owner; if no spec names it, it must still have
    the definition in the journal.
    """
    view = entry.view
    if not is_there:
        first = [_create(view)]
    elif entry.is_of_spec:
        first = []
    else:
        values = {"view": view.view, "owner": view.owner, "definition": view.definition}
        first = [Statement("guard_returned_view", values, OnRefusal.VIEW_NAME_TAKEN)]
    taken_out = {"table": TableName(control_schema, JOURNAL), "run_id": entry.run_id, "view": view.view}
    statements = [*first, *restore_surroundings(view, entry.comments), Statement("delete_view_journal", taken_out)]
    for part in in_parts("restore_views", statements):
        yield replace(part, journal=JournalStep.RESTORES_VIEWS)


def create_again(entry: JournalEntry) -> Iterator[Statement]:
    """Yield the statements that restore a view by hand."""
    yield _create(entry.view)
    yield from restore_surroundings(entry.view, entry.comments)


def _create(view: ObservedView) -> Statement:
    assert view.definition is not None
    values = {"view": view.view, "definition": query_of(view.definition), "late_binding": False}
    return Statement("create_view", values, OnRefusal.BAD_VIEW)
