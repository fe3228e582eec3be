"""What the first loads of an invocation share, and when each does it for itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from framework.load.first_loads import FRESH_SECONDS
from framework.load.invocation import Invocation
from framework.load.pipeline import load_pipeline, open_pipeline
from framework.load.request import OneFile, Pending
from framework.model.failure import NOT_BEGUN
from framework.model.names import TableName, ledger_table
from framework.warehouse.control_tables import ADDED_COLUMNS, SHARED_TABLES
from tests.unit.load.expectations import require_nothing_left
from tests.unit.load.fake_warehouse import Refusal
from tests.unit.load.scenarios import EXPIRED_INVOCATION, NOON, ONE, SCENARIOS, TWO, Bench, left_by_an_expired_run
from tests.unit.load.test_settling import has_loaded


def shared(bench: Bench) -> list[str]:
    """Return the submissions that the invocation made for its loads."""
    return [each.transaction.name for each in bench.warehouse.submitted if each.is_shared]


def own(bench: Bench, name: str) -> int:
    return sum(not each.is_shared for each in bench.warehouse.of(name))


def test_a_load_without_drift_observes_nothing_and_records_no_start_itself() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.run()

    assert shared(bench) == ["observe", "started"]
    assert (own(bench, "observe"), own(bench, "started"), len(bench.warehouse.of("merge"))) == (0, 0, 1)
    assert bench.statuses() == ["STARTED", "SUCCESS"]
    require_nothing_left(bench)


def test_nothing_is_merged_before_the_start_is_recorded() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.run()

    names = [each.transaction.name for each in bench.warehouse.submitted]
    assert names.index("started") < names.index("merge")


def test_the_second_load_of_a_feed_records_its_own_start() -> None:
    bench = Bench(replace(SCENARIOS["no drift"], files=(ONE, TWO)))
    bench.run()

    assert (shared(bench), own(bench, "observe"), own(bench, "started")) == (["observe", "started"], 0, 1)


def lacks_a_control_table(bench: Bench) -> None:
    there = [*SHARED_TABLES[:-1], ledger_table("feedway", bench.spec.target.table).name]
    bench.warehouse.answers["select_control_tables"] = [*((name, None) for name in there), *ADDED_COLUMNS]


def lacks_a_control_column(bench: Bench) -> None:
    there = [*SHARED_TABLES, ledger_table("feedway", bench.spec.target.table).name]
    bench.warehouse.answers["select_control_tables"] = [(name, None) for name in there]


@pytest.mark.parametrize(
    "before",
    [lacks_a_control_table, lacks_a_control_column, left_by_an_expired_run, lambda bench: has_loaded(bench, ONE)],
    ids=["control table", "control column", "expired run", "loaded file"],
)
def test_no_start_is_shared_where_the_load_has_something_to_do_before(before: Callable[[Bench], None]) -> None:
    bench = Bench(SCENARIOS["no drift"])
    before(bench)
    bench.run()

    assert shared(bench) == ["observe"]
    assert bench.place_of(ONE) == "archive"


def test_no_start_is_shared_of_a_file_that_may_be_refused() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.run(OneFile(ONE))

    assert (shared(bench), own(bench, "started")) == (["observe"], 1)


def test_a_plan_that_changes_the_table_is_made_from_an_observation_of_its_own() -> None:
    bench = Bench(SCENARIOS["a new column"])
    bench.run()

    names = [
        each.transaction.name for each in bench.warehouse.submitted if each.transaction.name in ("observe", "evolve")
    ]
    assert names == ["observe", "observe", "evolve"]
    assert own(bench, "observe") == 1


@pytest.mark.parametrize("seconds", [FRESH_SECONDS - 1, FRESH_SECONDS + 1])
def test_the_shared_observation_serves_for_a_minute(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(SCENARIOS["no drift"])
    clock = [time.monotonic()]
    monkeypatch.setattr("framework.load.first_loads.time.monotonic", lambda: clock[0])
    with Invocation(bench.services) as invocation:
        opening = open_pipeline(bench.spec, invocation, Pending())
        invocation.prepare([opening])
        clock[0] += seconds
        assert len(list(load_pipeline(opening, invocation))) == 1

    assert own(bench, "observe") == (seconds > FRESH_SECONDS)
    assert bench.place_of(ONE) == "archive"


@pytest.mark.parametrize(
    ("changed", "serves"),
    [
        ("public.customers", False),
        ("reporting.v_names", False),
        ("public.others", True),
        ("reporting.of_others", True),
    ],
)
def test_the_shared_observation_does_not_serve_once_the_target_or_a_view_on_it_has_changed(
    changed: str, serves: bool
) -> None:
    bench = Bench(SCENARIOS["outdated view"])
    with Invocation(bench.services) as invocation:
        opening = open_pipeline(bench.spec, invocation, Pending())
        invocation.prepare([opening])
        schema, _, name = changed.partition(".")
        invocation.first_loads.changes([TableName(schema, name)])

        assert (invocation.first_loads.observation(opening) is not None) is serves


def test_of_two_feeds_of_one_target_the_second_observes_it_itself() -> None:
    bench = Bench(SCENARIOS["no drift"])
    with Invocation(bench.services) as invocation:
        first = open_pipeline(bench.spec, invocation, Pending())
        second = replace(first, spec=replace(first.spec, pipeline="second"))
        invocation.prepare([first, second])

        assert invocation.first_loads.observation(first) is not None
        assert invocation.first_loads.observation(second) is None


def test_files_that_were_listed_a_minute_ago_are_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(SCENARIOS["batch"])
    clock = [time.monotonic()]
    monkeypatch.setattr("framework.load.first_loads.time.monotonic", lambda: clock[0])
    with Invocation(bench.services) as invocation:
        opening = open_pipeline(bench.spec, invocation, Pending())
        invocation.prepare([opening])
        clock[0] += FRESH_SECONDS + 1
        gone = bench.scenario.files[0]
        del bench.lake.objects[gone]
        (results,) = load_pipeline(opening, invocation)

    assert [(result.source_file, result.status) for result in results] == [
        (key, "SUCCESS") for key in bench.scenario.files[1:]
    ]


def test_the_staging_files_of_ended_loads_are_deleted_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework.load.invocation.RUNS_PER_DELETION", 2)
    files = tuple(f"data/in/golden/{number}.csv" for number in range(5))
    bench = Bench(replace(SCENARIOS["no drift"], files=files))
    staged = []
    with Invocation(bench.services) as invocation:
        opening = open_pipeline(bench.spec, invocation, Pending())
        invocation.prepare([opening])
        for results in load_pipeline(opening, invocation):
            assert [result.status for result in results] == ["SUCCESS"]
            staged.append(len({key.split("/")[3] for key in bench.lake.keys("staging/golden/")}))

    assert staged == [1, 0, 1, 0, 1]
    assert bench.lake.keys("staging/") == []


def test_many_expired_runs_cost_no_more_calls_than_one() -> None:
    bench = Bench(SCENARIOS["after an expired run"])
    for number in range(9):
        key = f"staging/golden/{EXPIRED_INVOCATION}/{number:032x}/plan-1/rows-0/0.parquet"
        bench.lake.arrive(key, "left", NOON - timedelta(hours=1))
    bench.run()

    assert len(bench.warehouse.awaited[0]) == 10 + 1
    assert (len(bench.warehouse.awaited), len(bench.warehouse.of("drop_staging"))) == (2, 1)
    assert bench.lake.keys("staging/golden/") == []


def test_an_unreadable_audit_row_fails_the_load_of_its_file_and_no_other() -> None:
    bench = Bench(SCENARIOS["no drift"], max_attempts=1)
    has_loaded(bench, ONE)
    rows = bench.warehouse.answers["select_load_history"]
    assert not callable(rows)
    bench.warehouse.answers["select_load_history"] = [(*row[:-2], None, 2) for row in rows]
    (result,) = bench.run()

    assert (result.status, len(bench.warehouse.of("observe"))) == ("FAILED", 2)


def test_a_load_that_was_recorded_and_does_not_begin_gets_an_end() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.environment = replace(bench.environment, parallel=2)
    with Invocation(bench.services) as invocation:
        first = open_pipeline(bench.spec, invocation, Pending())
        second = replace(first, spec=replace(first.spec, pipeline="second"), names=invocation.new_names(first.spec))
        invocation.prepare([first, second])
        list(load_pipeline(first, invocation))

    by_run: dict[str, list[str]] = {}
    for row in bench.warehouse.audit:
        by_run.setdefault(row.run_id, []).append(row.status)
    assert by_run == {first.names.run_id: ["STARTED", "SUCCESS"], second.names.run_id: ["STARTED", "FAILED"]}
    assert bench.warehouse.audit[-1].error_message == "outage: the command ended before the load began"
    assert bench.warehouse.audit[-1].failure == NOT_BEGUN


@pytest.mark.parametrize("fail_fast", [True, False])
def test_a_failure_holds_loads_that_have_not_begun_if_it_may(fail_fast: bool) -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.environment = replace(bench.environment, parallel=2)
    bench.warehouse.refusals = [Refusal("merge", "insert_rows")]
    with Invocation(bench.services, fail_fast=fail_fast) as invocation:
        first = open_pipeline(bench.spec, invocation, Pending())
        second = replace(first, spec=replace(first.spec, pipeline="second"), names=invocation.new_names(first.spec))
        invocation.prepare([first, second])
        loads = [len(list(load_pipeline(opening, invocation))) for opening in (first, second)]
        held = [(invocation.has_begun(name), invocation.is_held(name)) for name in ("golden", "second")]

    assert loads == [1, 0 if fail_fast else 1]
    assert held == [(True, False), (not fail_fast, fail_fast)]
    ends = [(row.status, row.error_message) for row in bench.warehouse.audit if row.run_id == second.names.run_id]
    assert [status for status, _ in ends] == ["STARTED", "FAILED"]
    assert (ends[-1][1] == "outage: the command ended before the load began") == fail_fast


def test_nothing_is_prepared_after_a_failure_that_holds_all_loads() -> None:
    bench = Bench(SCENARIOS["no drift"])
    with Invocation(bench.services, fail_fast=True) as invocation:
        opening = open_pipeline(bench.spec, invocation, Pending())
        invocation.failed()
        invocation.prepare([opening])
        assert list(load_pipeline(opening, invocation)) == []

    assert bench.warehouse.submitted == []
    assert bench.place_of(ONE) == "in"


def test_loads_are_recorded_together_that_begin_together() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.environment = replace(bench.environment, parallel=2)
    with Invocation(bench.services) as invocation:
        first = open_pipeline(bench.spec, invocation, Pending())
        others = [replace(first, names=invocation.new_names(replace(first.spec, pipeline=f"p{n}"))) for n in range(3)]
        others = [replace(each, spec=each.names.spec) for each in others]
        bench.warehouse.answers["select_view_journal"] = []
        invocation.prepare([first, *others])
        bench.warehouse.audit.clear()
        recording = invocation.first_loads.start_of(others[1].names.run_id)
        assert recording is not None
        recording.result()

    started = [row.pipeline for row in bench.warehouse.audit if row.status == "STARTED"]
    assert started == ["p1", "p2"]


def test_a_run_that_could_not_be_cleaned_up_after_is_when_its_invocation_ends() -> None:
    bench = Bench(SCENARIOS["bad rows"], divided=True)
    bench.now = NOON + timedelta(minutes=1)
    with Invocation(bench.services) as invocation:
        opening = open_pipeline(bench.spec, invocation, Pending())
        invocation.prepare([opening])
        refuse_cleanup(bench)
        (results,) = load_pipeline(opening, invocation)
        assert [result.status for result in results] == ["FAILED"]
        assert bench.warehouse.tables
        assert bench.lake.keys("staging/golden/")
        bench.warehouse.refusals = []

    require_nothing_left(bench)
    assert bench.lake.keys("staging/") == []


def test_a_run_that_cannot_be_cleaned_up_after_keeps_the_objects_by_which_others_find_it() -> None:
    bench = Bench(SCENARIOS["bad rows"], divided=True)
    refuse_cleanup(bench)
    bench.run()

    assert bench.warehouse.tables
    assert bench.lake.keys("staging/golden/")
    assert bench.lake.keys("staging/_alive/")
    bench.warehouse.refusals = []
    bench.now = NOON + timedelta(hours=1)
    bench.run()
    assert bench.warehouse.tables == set()
    assert bench.lake.keys("staging/") == []


def refuse_cleanup(bench: Bench) -> None:
    bench.warehouse.refusals = [Refusal("merge", "insert_rows"), Refusal("drop_staging", "drop_tables")]
