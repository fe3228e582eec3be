"""An interrupted load: recorded, cleaned up after, and raised again. Its file is not judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import pytest

from framework.errors import WarehouseError
from framework.load.run import Step
from tests.unit.load.calls import Call, Made
from tests.unit.load.expectations import has_started, require_nothing_left, require_views_and_log
from tests.unit.load.scenarios import ONE, SCENARIOS, TWO, Bench


def interrupt_at(bench: Bench, number: int) -> None:
    """Interrupt a run as it asks for the n-th time whether it is interrupted, counted from 0."""
    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked == number + 1:
            raise KeyboardInterrupt("interrupted by the user")

    bench.check_interrupted = check


def note_step(bench: Bench, steps: list[Step | None]) -> None:
    steps.append(bench.calls.step)


def checks() -> Iterator[tuple[str, int, Step]]:
    """Yield each moment at which a load of a scenario asks whether it is interrupted, with the step that it is in."""
    for name, scenario in SCENARIOS.items():
        bench = Bench(scenario)
        steps: list[Step | None] = []
        bench.check_interrupted = partial(note_step, bench, steps)
        bench.run()
        yield from ((name, number, step) for number, step in enumerate(steps) if step is not None)


CHECKS = list(checks())


@pytest.mark.parametrize(("scenario", "number", "step"), CHECKS, ids=lambda value: str(value).replace(" ", "_"))
def test_a_load_that_is_interrupted_is_recorded_and_cleaned_up_after(scenario: str, number: int, step: Step) -> None:
    bench = Bench(SCENARIOS[scenario], max_attempts=1)
    interrupt_at(bench, number)
    with pytest.raises(KeyboardInterrupt, match="by the user"):
        bench.run()

    files = bench.scenario.files
    failed = [(key, "FAILED") for key in files]
    rows = [(row.source.key, row.status) for row in bench.warehouse.audit]
    assert rows == [*((key, "STARTED") for key in files if has_started(step)), *failed]
    assert {bench.place_of(key) for key in (*files, *bench.scenario.older)} == {"in"}
    require_nothing_left(bench)


def test_a_load_that_has_not_begun_when_the_command_is_interrupted_has_not_failed() -> None:
    bench = Bench(replace(SCENARIOS["no drift"], files=(ONE, TWO)), max_attempts=1)

    def check() -> None:
        if "SUCCESS" in bench.statuses():
            raise KeyboardInterrupt("interrupted by the user")

    bench.check_interrupted = check
    with pytest.raises(KeyboardInterrupt, match="by the user"):
        bench.run()

    assert [(row.source.key, row.status) for row in bench.warehouse.audit] == [(ONE, "STARTED"), (ONE, "SUCCESS")]
    assert (bench.place_of(ONE), bench.place_of(TWO)) == ("archive", "in")
    assert bench.lake.keys("staging/") == []


def test_a_load_whose_rows_are_in_is_not_interrupted() -> None:
    assert {step for _, _, step in CHECKS} == set(Step) - {Step.DISCOVER, Step.SETTLE}


@pytest.mark.parametrize("call", [Call("run", "late_views", 1), Call("copy", ONE)], ids=str)
def test_a_load_that_is_interrupted_after_its_merge_has_not_failed(call: Call) -> None:
    bench = Bench(SCENARIOS["rewrite"], max_attempts=1)
    bench.calls.failures = {call: KeyboardInterrupt("interrupted by the user")}
    with pytest.raises(KeyboardInterrupt, match="by the user"):
        bench.run()

    assert bench.statuses() == ["STARTED", "SUCCESS"]
    assert bench.place_of(ONE) == "in"
    require_nothing_left(bench)


def test_a_log_is_exported_though_cleaning_up_is_interrupted() -> None:
    bench = Bench(SCENARIOS["no drift"], divided=True)
    bench.calls.failures = {
        Call("run", "merge"): WarehouseError("the merge is refused"),
        Call("run", "drop_staging"): KeyboardInterrupt("interrupted by the user"),
    }
    with pytest.raises(KeyboardInterrupt, match="by the user"):
        bench.run()

    assert bench.statuses() == ["STARTED", "FAILED"]
    require_views_and_log(bench)


@dataclass(frozen=True)
class Case:
    """A submission of a scenario during which the run is interrupted."""

    scenario: str
    made: Made

    def __str__(self) -> str:
        return f"{self.scenario} {self.made.call}".replace(" ", "_")


def submissions() -> Iterator[Case]:
    """Yield every submission up to the merge."""
    for name, scenario in SCENARIOS.items():
        bench = Bench(scenario)
        bench.run()
        names = [submission.transaction.name for submission in bench.warehouse.submitted]
        for submission in bench.warehouse.submitted[: names.index("merge") + 1]:
            yield Case(name, submission.made)


@pytest.mark.parametrize("case", list(submissions()), ids=str)
def test_a_load_that_is_interrupted_as_it_waits_for_the_warehouse_is_cleaned_up_after(case: Case) -> None:
    bench = Bench(SCENARIOS[case.scenario], max_attempts=1)
    bench.calls.failures = {case.made.call: KeyboardInterrupt("interrupted by the user")}
    with pytest.raises(KeyboardInterrupt, match="by the user"):
        bench.run()

    files = bench.scenario.files
    assert "SUCCESS" not in bench.statuses()
    if case.made.step is not None:
        assert bench.statuses()[-len(files) :] == ["FAILED"] * len(files)
        require_nothing_left(bench)
    assert {bench.place_of(key) for key in files} == {"in"}
    assert bench.lake.keys("staging/_alive/a001") == []


@pytest.mark.parametrize(
    "step", [Step.OBSERVE, Step.RECOVER, Step.START, Step.PREPARE, Step.EVOLVE, Step.COPY], ids=str
)
def test_cleaning_up_costs_no_submission_before_there_is_a_table_to_drop(step: Step) -> None:
    bench = Bench(SCENARIOS["no drift"])
    interrupt_at(bench, next(n for name, n, at in CHECKS if (name, at) == ("no drift", step)))
    with pytest.raises(KeyboardInterrupt):
        bench.run()

    assert bench.warehouse.of("drop_staging") == []


def test_the_table_of_a_copy_that_was_interrupted_is_dropped() -> None:
    bench = Bench(SCENARIOS["no drift"], divided=True)
    interrupt_at(bench, next(n for name, n, at in CHECKS if (name, at) == ("no drift", Step.MERGE)))
    with pytest.raises(KeyboardInterrupt):
        bench.run()

    assert bench.templates("drop_staging") == [["drop_tables"]]
