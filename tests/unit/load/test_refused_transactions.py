"""Whole loads of which one transaction is refused: what comes of the file, and that nothing is left behind.

The cases are all statements and all submissions of the scenarios; what is expected follows from who must act.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from framework.errors import (
    OnRefusal,
    PipelineError,
    SchemaChangeError,
    SourceFileError,
    SpecError,
    TransientWarehouseError,
    WarehouseError,
)
from framework.load.run import Step
from framework.model.observation import OUTAGE_MARK
from framework.plan.steps import JournalStep
from tests.unit.load.expectations import (
    LOADED,
    NOT_ARCHIVED,
    Expected,
    check_load,
    failure,
    require_nothing_left,
    require_views_and_log,
)
from tests.unit.load.fake_warehouse import Refusal, Submission
from tests.unit.load.scenarios import SCENARIOS, Bench

FAILS_WITH: dict[OnRefusal, type[PipelineError] | None] = {
    OnRefusal.FAIL: WarehouseError,
    OnRefusal.REPLAN: WarehouseError,
    OnRefusal.REPLAN_IF_CHANGED: WarehouseError,
    OnRefusal.ALREADY_LOADED: WarehouseError,
    OnRefusal.SUPERSEDED: WarehouseError,
    OnRefusal.DUPLICATE_KEYS: SourceFileError,
    OnRefusal.ROW_COUNT_MISMATCH: WarehouseError,
    OnRefusal.BRINGS_NEW_KEYS: SourceFileError,
    OnRefusal.SHRINKS_TABLE: SourceFileError,
    OnRefusal.NOT_COPIED: WarehouseError,
    OnRefusal.ROWS_DO_NOT_FIT: WarehouseError,
    OnRefusal.VIEW_NOT_REPLACED: None,
    OnRefusal.BAD_VIEW: SpecError,
    OnRefusal.BAD_GRANT: SpecError,
    OnRefusal.TABLE_IN_USE: SchemaChangeError,
}
"""What a load fails with of which a statement is refused again and again; None where another plan does without it."""
BEST_EFFORT = {"late_views", "skipped"}
"""Transactions without which a load does: their failure is in the log, or keeps files from the archive."""


@dataclass(frozen=True)
class Case:
    """A submission of a scenario, and of its statements the one that is refused; none where all of it is."""

    scenario: str
    divided: bool
    submission: Submission
    template: str = ""

    def __str__(self) -> str:
        call, route = self.submission.made.call, "divided" if self.divided else "single"
        words = (self.scenario, route, call.about, str(call.nth), self.template)
        return "-".join(word for word in words if word).replace(" ", "_")

    def bench(self, max_attempts: int) -> Bench:
        return Bench(SCENARIOS[self.scenario], max_attempts, divided=self.divided)

    @property
    def copies_and_merges(self) -> bool:
        return "copy_staging" in self.submission.templates and self.name == "merge"

    @property
    def name(self) -> str:
        return self.submission.transaction.name

    @property
    def step(self) -> Step:
        """The step that meets what fails; the invocation's own submissions are repeated by the load."""
        repeated = {"observe": Step.OBSERVE, "started": Step.START}
        step = repeated[self.name] if self.is_shared else self.submission.made.step
        assert step is not None
        return step

    @property
    def is_shared(self) -> bool:
        """Whether the invocation makes it for its loads."""
        return self.submission.is_shared

    @property
    def restores_views(self) -> bool:
        return self.submission.transaction.journal is JournalStep.RESTORES_VIEWS

    @property
    def meaning(self) -> OnRefusal:
        return self.submission.transaction.refusal_of(self.submission.templates.index(self.template))


def clean_submissions() -> Iterator[Case]:
    """Yield every submission of the scenarios; of loads that are divided, those that only they make."""
    for name, scenario in SCENARIOS.items():
        for divided in (False, True):
            bench = Bench(scenario, divided=divided)
            results = bench.run()
            assert {result.status for result in results} <= {"SUCCESS", "SKIPPED"}, results
            submitted = bench.warehouse.submitted
            yield from (
                Case(name, divided, each)
                for each in submitted
                if not divided or each.transaction.name in ("copy", "merge")
            )


SUBMISSIONS = list(clean_submissions())


def statements() -> Iterator[Case]:
    """Yield every statement of every transaction once, and once more where its refusal means something else."""
    seen = set()
    for case in SUBMISSIONS:
        for template in case.submission.templates:
            found = replace(case, template=template)
            kind = (case.name, template, found.meaning, case.divided)
            if kind not in seen:
                seen.add(kind)
                yield found


STATEMENTS = list(statements())


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("max_attempts", [3, 1])
@pytest.mark.parametrize("case", STATEMENTS, ids=str)
def test_a_statement_that_is_always_refused_ends_as_its_meaning_says(case: Case, max_attempts: int) -> None:
    bench = case.bench(max_attempts)
    bench.warehouse.refusals = [Refusal(case.name, case.template)]
    if case.restores_views:
        wanted = Expected(None, "archive", has_problem=True)
    elif case.name in BEST_EFFORT | {"compare_view"}:
        wanted = NOT_ARCHIVED if case.name == "skipped" else LOADED
    else:
        error = FAILS_WITH[case.meaning]
        wanted = LOADED if error is None else failure(error, max_attempts)

    check_load(bench, case.step, wanted)
    require_nothing_left(bench)


ERRORS = {
    "refused": WarehouseError("the submission is refused"),
    "conflict": TransientWarehouseError("every retry met a conflict"),
    "outage": TransientWarehouseError("nobody answers", is_outage=True),
}


@pytest.mark.exhaustive(every=5)
@pytest.mark.parametrize("max_attempts", [3, 1])
@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("case", SUBMISSIONS, ids=str)
def test_a_submission_that_is_refused_as_a_whole_fails_the_load_or_is_divided(
    case: Case, kind: str, max_attempts: int
) -> None:
    bench = case.bench(max_attempts)
    error = ERRORS[kind]
    bench.calls.failures = {case.submission.made.call: error}
    passes = isinstance(error, TransientWarehouseError)
    if case.name in BEST_EFFORT:
        wanted = NOT_ARCHIVED if case.name == "skipped" else LOADED
    elif not passes and (case.restores_views or case.name == "compare_view"):
        # A run restores its own views twice; those of an expired run once, and what fails is left to the next run.
        wanted = Expected(None, "archive", has_problem=case.step is Step.RECOVER)
    elif case.is_shared or (passes and case.copies_and_merges):
        # It is repeated by the load, or in two submissions, which meet nothing.
        wanted = LOADED
    else:
        wanted = failure(type(error), max_attempts, is_outage=error.is_outage)

    check_load(bench, case.step, wanted)
    require_nothing_left(bench)
    messages = [row.error_message or "" for row in bench.warehouse.audit if row.status == "FAILED"]
    assert all(message.startswith(OUTAGE_MARK) == error.is_outage for message in messages)


@pytest.mark.parametrize("case", SUBMISSIONS, ids=str)
def test_files_stay_where_they_are_when_the_warehouse_goes_down_for_good(case: Case) -> None:
    bench = case.bench(max_attempts=1)

    def go_down() -> None:
        bench.warehouse.is_down = True

    bench.calls.happens = {case.submission.made.call: go_down}
    results = {result.source_file: result for result in bench.run()}

    is_loaded = "SUCCESS" in bench.statuses()
    for key in bench.scenario.files:
        assert results[key].status == ("SUCCESS" if is_loaded else "FAILED")
        assert bench.place_of(key) == ("archive" if is_loaded and case.name != "skipped" else "in")
    assert "FAILED" not in bench.statuses()
    require_views_and_log(bench)


def test_the_cases_hold_every_meaning_of_a_refusal_that_a_load_can_meet() -> None:
    assert {case.meaning for case in STATEMENTS} == set(FAILS_WITH)
    assert set(OnRefusal) - set(FAILS_WITH) == {OnRefusal.VIEW_NAME_TAKEN}


def test_the_fake_warehouse_knows_only_templates_that_there_are() -> None:
    folder = Path(__file__).resolve().parents[3] / "templates" / "sql"
    packaged = {path.name.removesuffix(".sql.j2") for path in folder.iterdir()}

    assert Bench(SCENARIOS["outdated view"]).warehouse.templates <= packaged
