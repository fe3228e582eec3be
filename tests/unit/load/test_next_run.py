"""The run after one that ended badly: it finds what that one left, loads the files once, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.unit.load.calls import Died, Made
from tests.unit.load.scenarios import NOON, SCENARIOS, Bench


@dataclass(frozen=True)
class Case:
    """A call of a scenario, before which the run comes to its end."""

    scenario: str
    made: Made
    run_id: str

    def __str__(self) -> str:
        return f"{self.scenario} {self.made.call}".replace(" ", "_").replace(self.run_id, "RUN")


def calls() -> Iterator[Case]:
    """Yield every call that the scenarios make, once for the first of them that makes it in a step."""
    seen = set()
    for name, scenario in SCENARIOS.items():
        bench = Bench(scenario)
        bench.run()
        for made in bench.calls.made:
            if made not in seen:
                seen.add(made)
                yield Case(name, made, bench.run_id)


CASES = sorted(calls(), key=str)


def run_again(bench: Bench) -> None:
    """Run the pipeline an hour later, when nothing is in its way any more, and check what it leaves."""
    bench.now = NOON + timedelta(hours=1)
    bench.calls.is_dead = bench.warehouse.is_down = bench.lake.is_down = False
    bench.calls.happens.clear()
    results = bench.run()

    assert not [result for result in results if result.failure is not None]
    for key in (*bench.scenario.files, *bench.scenario.older):
        assert bench.place_of(key) == "archive"
    loaded = [row.source.key for row in bench.warehouse.audit if row.status == "SUCCESS"]
    assert sorted(loaded) == sorted(bench.scenario.files)
    assert bench.warehouse.tables == set()
    assert bench.warehouse.dropped_views == set()
    assert bench.warehouse.journal == []
    assert bench.lake.keys("staging/golden/") == []
    assert len(bench.lake.keys("data/quarantine/")) == (bench.scenario.canned.bad > 0)
    # A marker of views that are back costs nothing; a run without files removes it.
    assert bench.run() == []
    assert bench.lake.keys("staging/") == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_next_run_completes_what_a_killed_one_began(case: Case) -> None:
    bench = Bench(SCENARIOS[case.scenario])
    bench.calls.happens[case.made.call] = bench.calls.die
    with pytest.raises(Died):
        bench.run()

    run_again(bench)


@pytest.mark.parametrize("case", [case for case in CASES if case.made.call.name == "run"], ids=str)
def test_the_next_run_completes_what_one_began_whose_warehouse_went_down(case: Case) -> None:
    bench = Bench(SCENARIOS[case.scenario])

    def go_down() -> None:
        bench.warehouse.is_down = True

    bench.calls.happens[case.made.call] = go_down
    bench.run()
    # A marker shows runs without files that views have to be restored.
    assert not bench.warehouse.dropped_views or bench.lake.keys("staging/.")

    run_again(bench)
