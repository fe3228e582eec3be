"""What a refused statement means for its load: the decision alone, without lake and warehouse."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache

import pytest

from framework.errors import (
    Cause,
    OnRefusal,
    PipelineError,
    RefusedStatement,
    SchemaChangeError,
    SourceFileError,
    SpecError,
    TransientWarehouseError,
    WarehouseError,
)
from framework.load.discover import discover
from framework.load.execute import Committed, Refusal
from framework.load.failures.refusals import (
    Attempt,
    Facts,
    LoadedByOthers,
    Question,
    Refused,
    Stale,
    Superseded,
    outcome_of,
)
from framework.load.invocation import Invocation
from framework.load.planning import from_warehouse, load_input
from framework.load.request import Pending
from framework.load.run import begin_run
from framework.load.stage import StagingPlace, stage
from framework.model.names import TableName
from framework.model.observation import LoadHistory
from framework.plan.load_plan import PlanHints
from framework.plan.steps import Statement, Transaction
from framework.warehouse.catalog import observe
from framework.warehouse.load_errors import LoadErrors
from framework.warehouse.staging_tables import Duplicates
from tests.unit.load.scenarios import ONE, SCENARIOS, Bench

VIEW = TableName("reporting", "v_names")
DUPLICATES = Duplicates(1, {0: 2}, (((1,), 2),))
COUNTED = {ONE: (2, 2, 0, 0, 0, 0)}


@cache
def attempted(scenario: str) -> Attempt:
    """Return a scenario's load as it stands when its plan is executed."""
    bench = Bench(SCENARIOS[scenario])
    invocation = Invocation(bench.services)
    run = begin_run(invocation, invocation.new_names(bench.spec), Pending())
    (files,) = discover(bench.spec, bench.services, Pending()).loads
    observed = observe(run.warehouse, run.spec, ())
    staged = stage(run, files, observed, StagingPlace(), from_warehouse(run))
    return Attempt(load_input(run, files, staged), observed, PlanHints())


def refusal_of(meaning: OnRefusal | None, cause: Cause = Cause.OTHER, *, is_transient: bool = False) -> Refusal:
    """Return the refusal of a statement about a view, or of a whole submission where it means nothing."""
    kind = TransientWarehouseError if is_transient else WarehouseError
    refused = RefusedStatement() if meaning is None else RefusedStatement(0, meaning)
    error = kind("it is refused", refused=refused, cause=cause, warehouse_message="words")
    return Refusal(Transaction("any", (Statement("any", {"view": VIEW}),)), error)


@dataclass(frozen=True)
class Row:
    """What a refusal is, what is known, and what it means; `error` is the class of the outcome's error, if it has one.

    The target is observed anew where `target_changed` is not None.
    """

    meaning: OnRefusal | None
    outcome: type[object] | Question
    error: type[PipelineError] | None = None
    words: str = ""
    scenario: str = "no drift"
    cause: Cause = Cause.OTHER
    facts: Facts = field(default_factory=Facts)
    hints: PlanHints = field(default_factory=PlanHints)
    target_changed: bool | None = None

    def __str__(self) -> str:
        outcome = self.outcome.name if isinstance(self.outcome, Question) else self.outcome.__name__
        return f"{self.meaning.name if self.meaning else None}-{self.cause.name}-{outcome}"

    @property
    def known(self) -> Facts:
        if self.target_changed is None:
            return self.facts
        seen = attempted(self.scenario).observed
        # What became of the files meanwhile is no change of the target.
        history = {attempted(self.scenario).load.files[0].source.identity: LoadHistory(failures=1)}
        now = replace(seen, history=history, schemas=frozenset({"other"}) if self.target_changed else seen.schemas)
        return replace(self.facts, target=now)


def if_changed(meaning: OnRefusal, error: type[PipelineError], words: str, **more: object) -> list[Row]:
    """Return the rows of a refusal that makes a plan stale if the target has changed, and blames somebody if not."""
    rows = [
        Row(meaning, Question.TARGET),
        Row(meaning, Stale, error, words, target_changed=True),
        Row(meaning, Refused, error, words, target_changed=False),
    ]
    return [replace(row, **more) for row in rows]  # type: ignore[arg-type]


ALREADY_DROPPED = PlanHints(views_to_drop=frozenset({VIEW}))
TABLE = [
    Row(None, Refused, WarehouseError, "it is refused"),
    Row(OnRefusal.FAIL, Refused, WarehouseError, "it is refused"),
    Row(OnRefusal.FAIL, Refused, WarehouseError, "it is refused", cause=Cause.MISSING_RELATION),
    Row(OnRefusal.VIEW_NAME_TAKEN, Refused, WarehouseError, "it is refused"),
    Row(OnRefusal.REPLAN, Stale, WarehouseError, "it is refused"),
    *if_changed(OnRefusal.REPLAN_IF_CHANGED, WarehouseError, "it is refused"),
    *if_changed(OnRefusal.REPLAN_IF_CHANGED, WarehouseError, "it is refused", cause=Cause.COLUMN_EXISTS),
    Row(OnRefusal.ALREADY_LOADED, Question.RUN_COUNTS),
    Row(OnRefusal.ALREADY_LOADED, LoadedByOthers, WarehouseError, facts=Facts(run_counts={})),
    Row(OnRefusal.ALREADY_LOADED, Committed, facts=Facts(run_counts=COUNTED)),
    Row(OnRefusal.SUPERSEDED, Superseded, WarehouseError),
    Row(OnRefusal.DUPLICATE_KEYS, Question.DUPLICATES),
    Row(OnRefusal.DUPLICATE_KEYS, Refused, SourceFileError, "2 rows share 1 key", facts=Facts(duplicates=DUPLICATES)),
    Row(OnRefusal.ROW_COUNT_MISMATCH, Question.STAGED_ROWS),
    Row(OnRefusal.ROW_COUNT_MISMATCH, Refused, WarehouseError, "Nothing was changed", facts=Facts(staged_rows=1)),
    Row(OnRefusal.BRINGS_NEW_KEYS, Refused, SourceFileError, "lacks 'name'", scenario="a column that lacks"),
    Row(OnRefusal.SHRINKS_TABLE, Question.TARGET_ROWS, scenario="replace"),
    Row(OnRefusal.SHRINKS_TABLE, Question.DUPLICATES, scenario="replace", facts=Facts(target_rows=9)),
    Row(
        OnRefusal.SHRINKS_TABLE,
        Refused,
        SourceFileError,
        "1 row, one per key of 2",
        scenario="replace",
        facts=Facts(target_rows=9, duplicates=DUPLICATES),
    ),
    Row(OnRefusal.NOT_COPIED, Question.LOAD_ERRORS),
    Row(
        OnRefusal.NOT_COPIED,
        Refused,
        WarehouseError,
        "it is refused\nnothing is logged.",
        facts=Facts(load_errors=LoadErrors(7, notes=("nothing is logged",))),
    ),
    Row(OnRefusal.ROWS_DO_NOT_FIT, Refused, WarehouseError, "it is refused"),
    Row(OnRefusal.ROWS_DO_NOT_FIT, Stale, WarehouseError, cause=Cause.VALUE_TOO_LONG),
    Row(OnRefusal.ROWS_DO_NOT_FIT, Refused, WarehouseError, "it is refused", cause=Cause.NULL_NOT_ALLOWED),
    Row(
        OnRefusal.ROWS_DO_NOT_FIT,
        Refused,
        SourceFileError,
        "lacks 'name', NOT NULL in public.customers",
        scenario="a required column that lacks",
        cause=Cause.NULL_NOT_ALLOWED,
    ),
    Row(OnRefusal.VIEW_NOT_REPLACED, Stale, SpecError, "reporting.v_names cannot be created"),
    *if_changed(OnRefusal.VIEW_NOT_REPLACED, SpecError, "reporting.v_names cannot", hints=ALREADY_DROPPED),
    *if_changed(OnRefusal.BAD_VIEW, SpecError, "The spec does not name it"),
    *if_changed(OnRefusal.BAD_VIEW, SpecError, "Correct the view's definition", scenario="outdated view"),
    *if_changed(OnRefusal.BAD_GRANT, SpecError, "a privilege that grants names"),
    *if_changed(OnRefusal.TABLE_IN_USE, SchemaChangeError, "drop that foreign key"),
]


def outcome(row: Row, facts: Facts) -> object:
    attempt = replace(attempted(row.scenario), hints=row.hints)
    return outcome_of(attempt, refusal_of(row.meaning, row.cause), facts)


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_refusal_means_what_the_table_says(row: Row) -> None:
    found = outcome(row, row.known)

    if isinstance(row.outcome, Question):
        assert found is row.outcome
    else:
        assert type(found) is row.outcome
    assert type(getattr(found, "error", None)) is (row.error or type(None))
    assert row.words in str(getattr(found, "error", ""))


def test_the_table_holds_every_meaning_of_a_refusal() -> None:
    assert {row.meaning for row in TABLE} == {None, *OnRefusal}
    assert {row.cause for row in TABLE if row.meaning is OnRefusal.ROWS_DO_NOT_FIT} >= {
        Cause.OTHER,
        Cause.VALUE_TOO_LONG,
        Cause.NULL_NOT_ALLOWED,
    }


ANSWERS = {
    Question.RUN_COUNTS: {"run_counts": {}},
    Question.DUPLICATES: {"duplicates": DUPLICATES},
    Question.STAGED_ROWS: {"staged_rows": 0},
    Question.TARGET_ROWS: {"target_rows": 0},
    Question.LOAD_ERRORS: {"load_errors": LoadErrors(None)},
}


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_every_question_is_asked_once_at_most(row: Row) -> None:
    facts = Facts()
    asked = []
    while isinstance(found := outcome(row, facts), Question):
        assert found not in asked
        asked.append(found)
        answer = ANSWERS.get(found, {"target": attempted(row.scenario).observed})
        facts = replace(facts, **answer)  # type: ignore[arg-type]

    assert len(asked) <= 2


@pytest.mark.parametrize("meaning", [None, *OnRefusal], ids=str)
def test_what_every_retry_met_is_no_judgement_of_the_target(meaning: OnRefusal | None) -> None:
    refusal = refusal_of(meaning, is_transient=True)

    assert outcome_of(attempted("no drift"), refusal, Facts()) == Refused(refusal.error)


def test_a_view_that_was_not_replaced_is_dropped_by_the_next_plan() -> None:
    found = outcome_of(attempted("no drift"), refusal_of(OnRefusal.VIEW_NOT_REPLACED), Facts())

    assert isinstance(found, Stale)
    assert found.hints == ALREADY_DROPPED


def test_rows_that_were_merged_though_the_reply_was_lost_count() -> None:
    attempt = attempted("no drift")
    found = outcome_of(attempt, refusal_of(OnRefusal.ALREADY_LOADED), Facts(run_counts=COUNTED))

    assert isinstance(found, Committed)
    assert {file.source.key: counts.inserted for file, counts in found.counts.items()} == {ONE: 2}


@pytest.mark.parametrize("meaning", [OnRefusal.REPLAN_IF_CHANGED, OnRefusal.BAD_VIEW])
def test_a_target_that_was_observed_anew_is_not_observed_once_more(meaning: OnRefusal) -> None:
    row = Row(meaning, Stale, target_changed=True)
    found = outcome(row, row.known)

    assert isinstance(found, Stale)
    assert found.observed == row.known.target
