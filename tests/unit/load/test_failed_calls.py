"""Whole loads of which one call of the lake fails: what comes of the file, and that nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from framework.errors import WarehouseError
from framework.load.run import Step
from tests.unit.load.calls import Call, Made
from tests.unit.load.expectations import (
    LOADED,
    NOT_ARCHIVED,
    check_load,
    failure,
    require_nothing_left,
    require_views_and_log,
)
from tests.unit.load.scenarios import FIRST_INVOCATION, ONE, SCENARIOS, Bench


@dataclass(frozen=True)
class Case:
    """A call of a scenario, and the run's id."""

    scenario: str
    made: Made
    run_id: str

    def __str__(self) -> str:
        words = f"{self.scenario} {self.made.call}".replace(" ", "_").replace(self.run_id, "RUN")
        return words.replace(FIRST_INVOCATION, "INVOCATION")

    @property
    def step(self) -> Step:
        assert self.made.step is not None
        return self.made.step

    @property
    def is_last(self) -> bool:
        """Whether the call cleans up or exports the log."""
        call = self.made.call
        return (call.name, call.about) in (("put", f"logs/golden/2026/01/{self.run_id}.jsonl"),) or (
            self.step is Step.SETTLE and "staging/" in call.about
        )


def calls() -> Iterator[Case]:
    """Yield every call of the lake that the scenarios make, once for the first of them that makes it in a step."""
    seen = set()
    for name, scenario in SCENARIOS.items():
        bench = Bench(scenario)
        bench.run()
        for made in bench.calls.made:
            if made.call.name not in ("run", "await") and made not in seen:
                seen.add(made)
                yield Case(name, made, bench.run_id)


CASES = list(calls())
NO_RUN_YET = [case for case in CASES if case.made.step is None]
OF_A_LOAD = [case for case in CASES if case not in NO_RUN_YET]


@pytest.mark.parametrize("max_attempts", [3, 1])
@pytest.mark.parametrize("is_outage", [False, True])
@pytest.mark.parametrize("case", OF_A_LOAD, ids=str)
def test_a_call_that_fails_ends_the_load_or_is_left_to_the_next_run(
    case: Case, is_outage: bool, max_attempts: int
) -> None:
    bench = Bench(SCENARIOS[case.scenario], max_attempts)
    bench.calls.failures = {case.made.call: WarehouseError("S3 refuses", is_outage=is_outage)}
    if case.step is Step.SETTLE:
        wanted = LOADED if case.is_last else NOT_ARCHIVED
    else:
        wanted = failure(WarehouseError, max_attempts, is_outage=is_outage)

    if case.step is Step.SETTLE and case.scenario == "batch" and not case.is_last:
        check_batch_of_which_one_is_not_archived(bench, case.made.call.about.rpartition("/")[2])
    else:
        check_load(bench, case.step, wanted)
    if not case.is_last:
        require_nothing_left(bench)


def check_batch_of_which_one_is_not_archived(bench: Bench, name: str) -> None:
    results = bench.run()

    assert [result.status for result in results] == ["SUCCESS", "SUCCESS"]
    for result in results:
        assert result.source_file is not None
        is_it = result.source_file.endswith(name)
        assert bench.place_of(result.source_file) == ("in" if is_it else "archive")
        assert [warning.rule for warning in result.warnings] == ["not-archived"] * is_it


@pytest.mark.parametrize("case", OF_A_LOAD, ids=str)
def test_files_stay_where_they_are_when_the_lake_goes_down_for_good(case: Case) -> None:
    bench = Bench(SCENARIOS[case.scenario], max_attempts=1)

    def go_down() -> None:
        bench.lake.is_down = True

    bench.calls.happens = {case.made.call: go_down}
    wanted = failure(WarehouseError, 1, is_outage=True)
    if case.step is Step.SETTLE:
        wanted = LOADED if case.is_last else NOT_ARCHIVED

    if case.step is Step.SETTLE and case.scenario == "batch":
        assert [result.status for result in bench.run()] == ["SUCCESS", "SUCCESS"]
    else:
        check_load(bench, case.step, wanted)
    assert bench.warehouse.tables == set()
    assert bench.warehouse.dropped_views == {str(row.view) for row in bench.warehouse.journal}


IS_LISTING_OF_FILES = Call("list_objects", "data/in/golden/")


def test_before_a_load_there_are_listings_and_a_heartbeat() -> None:
    heartbeat, staging = Call("put", f"staging/_alive/{FIRST_INVOCATION}"), Call("list_objects", "staging/")

    assert {case.made.call for case in NO_RUN_YET} == {
        IS_LISTING_OF_FILES,
        heartbeat,
        staging,
    }


@pytest.mark.parametrize("case", NO_RUN_YET, ids=str)
def test_a_call_of_the_invocation_that_fails_once_is_repeated_by_the_load(case: Case) -> None:
    bench = Bench(SCENARIOS[case.scenario], max_attempts=1)
    bench.calls.failures = {case.made.call: WarehouseError("S3 refuses")}
    if case.made.call == IS_LISTING_OF_FILES:
        with pytest.raises(WarehouseError, match="S3 refuses"):
            bench.run()
        assert bench.lake.keys("staging/_alive/") == []
        assert (bench.warehouse.submitted, bench.place_of(ONE)) == ([], "in")
    else:
        check_load(bench, Step.SETTLE, LOADED)
        require_nothing_left(bench)


def test_without_a_heartbeat_there_is_no_load() -> None:
    bench = Bench(SCENARIOS["no drift"], max_attempts=1)
    heartbeat = f"staging/_alive/{FIRST_INVOCATION}"
    bench.calls.failures = {Call("put", heartbeat, nth): WarehouseError("S3 refuses") for nth in range(2)}
    (result,) = bench.run()

    assert (result.source_file, result.status) == (None, "FAILED")
    assert (bench.warehouse.audit, bench.place_of(ONE)) == ([], "in")
    require_views_and_log(bench)


def test_the_cases_hold_every_method_of_the_lake_that_a_load_calls() -> None:
    assert {case.made.call.name for case in CASES} == {
        "list_objects",
        "describe",
        "read_head",
        "head",
        "copy",
        "delete_unchanged",
        "put",
        "delete",
    }
