"""Planning with the warehouse at hand: questions are answered once each, and a preview writes nothing."""

from __future__ import annotations

import pytest

from framework.load.planning import plan_with_lookups
from framework.load.preview import plan_pipeline
from framework.load.request import Pending
from framework.load.run import Step
from framework.model.observation import Observation
from framework.plan.load_plan import PlanHints
from framework.plan.lookups import CompareViews, CountRows, Lookup, ReadDesign, ReadViews
from framework.warehouse.lookups import answer
from framework.warehouse.session import WarehouseSession
from tests.unit.load.failures.test_refusals import attempted
from tests.unit.load.scenarios import SCENARIOS, Bench

ASKS = {
    "no drift": [],
    "first load": [],
    "outdated view": [CompareViews],
    "growth under a view": [CountRows, ReadViews],
    "rewrite": [CountRows, ReadViews],
    "copy": [CountRows, ReadDesign],
}
READS = {"list_objects", "clock", "describe", "is_unchanged", "read_head", "get"}


@pytest.mark.parametrize("scenario", ASKS)
def test_a_planner_asks_for_what_it_needs_and_for_nothing_twice(scenario: str) -> None:
    bench, attempt = Bench(SCENARIOS[scenario]), attempted(scenario)
    session = WarehouseSession(bench.services.warehouse, "golden", bench.services.open_log("run", "golden"))
    asked: list[Lookup] = []

    def ask(observed: Observation, lookup: Lookup) -> Observation:
        asked.append(lookup)
        return answer(session, observed, lookup)

    plan_with_lookups(attempt.load, attempt.observed, PlanHints(), ask)

    assert [type(lookup) for lookup in asked] == ASKS[scenario]


@pytest.mark.parametrize("scenario", [name for name, asks in ASKS.items() if asks])
def test_a_question_whose_answer_changes_nothing_is_an_error(scenario: str) -> None:
    attempt = attempted(scenario)

    with pytest.raises(RuntimeError, match="the planner repeats lookups"):
        plan_with_lookups(attempt.load, attempt.observed, PlanHints(), lambda observed, _: observed)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_preview_plans_what_a_run_does_and_writes_nothing(scenario: str) -> None:
    bench, ran = Bench(SCENARIOS[scenario]), Bench(SCENARIOS[scenario])
    before = dict(bench.lake.objects)
    loads = plan_pipeline(bench.spec, bench.services, Pending())
    ran.run()

    planned = [transaction for load in loads for transaction in load.transactions]
    executed = [
        submission
        for submission in ran.warehouse.submitted
        if submission.made.step in (Step.EVOLVE, Step.COPY, Step.MERGE)
        and submission.transaction.name not in ("late_views", "journal")
    ]
    assert [name["name"] for name in planned] == [each.transaction.name for each in executed]
    assert [len(each["statements"]) for each in planned] == [len(each.templates) for each in executed]  # type: ignore[arg-type]

    assert bench.lake.objects == before
    assert {made.call.name for made in bench.calls.made} <= READS | {"run"}
    assert all(template.startswith("select_") for one in bench.warehouse.submitted for template in one.templates)
