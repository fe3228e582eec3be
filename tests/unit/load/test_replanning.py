"""A load that is replanned: because its plan is stale, or because other runs have loaded some of its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from framework.errors import SchemaChangeError, SourceFileError, SpecError, TransientWarehouseError, WarehouseError
from framework.load.request import OneFile
from framework.model.files import FileIdentity
from framework.plan.steps import Statement
from framework.warehouse.client import Row
from framework.warehouse.control_tables import SHARED_TABLES
from tests.unit.load.calls import Call
from tests.unit.load.expectations import require_nothing_left
from tests.unit.load.fake_rows import Canned
from tests.unit.load.fake_warehouse import Refusal, Rows, entered
from tests.unit.load.scenarios import NOON, ONE, SCENARIOS, TWO, Bench

STALE = Refusal("merge", "guard_columns")
LOADED = Refusal("merge", "guard_ledger")
LATER = Refusal("merge", "guard_order")
MAX_PLANS = 3
"""What docs/guarantees.md promises."""
NEWER = "data/in/golden/newer.csv"


def sha256_of(bench: Bench, key: str) -> str:
    stored = bench.lake.objects[key]
    return FileIdentity(bench.lake.bucket, key, stored.etag, len(stored.content)).sha256


def loaded_row(bench: Bench, key: str) -> Row:
    """Return the ledger's row of a file that another run has loaded."""
    return entered(sha256_of(bench, key), key, bench.lake.objects[key].modified_at)


def before_merge(bench: Bench, nth: int, action: Callable[[], object]) -> None:
    bench.calls.happens[Call("run", "merge", nth)] = lambda: [action()].clear()


@pytest.mark.parametrize("stale", range(1, MAX_PLANS))
def test_a_stale_plan_is_replaced(stale: int) -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.warehouse.refusals = [replace(STALE, times=stale)]
    (result,) = bench.run()

    assert result.status == "SUCCESS"
    assert len(bench.warehouse.of("merge")) == stale + 1
    assert bench.statuses() == ["STARTED", "SUCCESS"]
    require_nothing_left(bench)


def test_a_load_whose_plans_are_always_stale_fails_with_the_last_refusal() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.warehouse.refusals = [STALE]
    (result,) = bench.run()

    assert (result.status, len(bench.warehouse.of("merge"))) == ("FAILED", MAX_PLANS)
    assert result.failure is not None
    assert result.failure.message == "guard_columns is refused"


def test_other_runs_may_load_the_files_one_by_one_without_a_limit() -> None:
    keys = tuple(f"data/in/golden/{number}.csv" for number in range(MAX_PLANS + 3))
    bench = Bench(replace(SCENARIOS["batch"], files=keys))
    ledger: list[Row] = []
    bench.warehouse.answers["select_entered"] = lambda _: ledger
    bench.warehouse.refusals = [replace(LOADED, times=len(keys) - 1)]
    rows = [loaded_row(bench, key) for key in keys]
    for nth in range(len(keys) - 1):
        before_merge(bench, nth, lambda nth=nth: ledger.append(rows[nth]))  # type: ignore[misc]
    results = {result.source_file: result for result in bench.run()}

    assert [results[key].status for key in keys] == ["SKIPPED"] * (len(keys) - 1) + ["SUCCESS"]
    assert {bench.place_of(key) for key in keys} == {"archive"}
    assert bench.statuses() == ["STARTED"] * len(keys) + ["SKIPPED"] * (len(keys) - 1) + ["SUCCESS"]
    require_nothing_left(bench)


def test_only_stale_plans_count() -> None:
    bench = Bench(SCENARIOS["batch"])
    one = loaded_row(bench, ONE)
    bench.warehouse.answers["select_entered"] = [one]
    bench.warehouse.refusals = [replace(LOADED, times=1), replace(STALE, times=MAX_PLANS - 1)]
    results = {result.source_file: result.status for result in bench.run()}

    assert results == {ONE: "SKIPPED", TWO: "SUCCESS"}
    assert len(bench.warehouse.of("merge")) == MAX_PLANS + 1


def test_a_load_all_of_whose_files_were_loaded_by_another_run_ends() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.warehouse.answers["select_entered"] = [loaded_row(bench, ONE)]
    bench.warehouse.refusals = [LOADED]
    (result,) = bench.run()

    assert (result.status, bench.place_of(ONE)) == ("SKIPPED", "archive")
    assert "already loaded" in str(result.reason)
    assert [len(bench.warehouse.of(name)) for name in ("merge", "observe")] == [1, 1]
    require_nothing_left(bench)


@pytest.mark.parametrize("refusal", [LOADED, LATER], ids=["guard_ledger", "guard_order"])
def test_a_guard_that_stops_the_merge_for_nothing_the_ledger_shows_is_an_error(refusal: Refusal) -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.warehouse.refusals = [refusal]
    (result,) = bench.run()

    assert result.failure is not None
    assert type(result.failure.error) is WarehouseError
    assert len(bench.warehouse.of("merge")) == 1


def test_a_merge_that_was_committed_though_its_reply_was_lost_is_a_success() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.warehouse.refusals = [LOADED]
    bench.warehouse.answers["select_run_counts"] = [(ONE, 9, 5, 4, 0, 0, 0)]
    (result,) = bench.run()

    assert result.status == "SUCCESS"
    assert (result.counts.read, result.counts.inserted, result.counts.updated) == (9, 5, 4)
    assert bench.place_of(ONE) == "archive"


def test_the_staging_table_of_a_load_that_was_divided_although_it_was_committed_is_dropped() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.calls.failures = {Call("run", "merge"): TransientWarehouseError("the connection was lost")}
    bench.warehouse.refusals = [LOADED]
    bench.warehouse.answers["select_run_counts"] = [(ONE, 9, 5, 4, 0, 0, 0)]
    (result,) = bench.run()

    (cleanup,) = bench.warehouse.of("drop_staging")
    assert (result.status, len(bench.warehouse.of("copy"))) == ("SUCCESS", 1)
    # The warehouse answers, so that a transient failure of the cleanup is retried.
    assert cleanup.attempts is None
    require_nothing_left(bench)


def test_a_file_that_is_loaded_again_by_two_runs_is_skipped_by_the_slower_one() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.warehouse.answers["select_entered"] = [loaded_row(bench, ONE)]
    bench.warehouse.refusals = [LOADED]
    (result,) = bench.run(OneFile(ONE, again=True))

    assert (result.status, result.reason) == ("SKIPPED", "another run has loaded it meanwhile")
    assert {row.generation for row in bench.warehouse.audit} == {2}


def superseded(name: str) -> Bench:
    """Return a scenario whose merge finds that another run has loaded a newer file."""
    bench = Bench(SCENARIOS[name])
    bench.warehouse.refusals = [LATER]
    bench.warehouse.answers["select_later_files"] = [entered("f" * 64, NEWER, NOON)]
    return bench


def test_a_superseded_file_that_would_replace_the_table_is_skipped() -> None:
    bench = superseded("replace")
    results = {result.source_file: result for result in bench.run()}

    assert results[TWO].status == "SKIPPED"
    assert "a newer file, which another run has loaded" in str(results[TWO].reason)
    assert bench.place_of(TWO) == "archive"
    require_nothing_left(bench)


def test_a_superseded_file_of_an_upsert_is_refused_and_stays() -> None:
    bench = superseded("no drift")
    (result,) = bench.run()

    assert (result.status, bench.place_of(ONE)) == ("REFUSED", "in")
    assert NEWER in str(result.reason)
    assert bench.statuses() == ["STARTED", "SKIPPED"]
    require_nothing_left(bench)


def test_a_superseded_file_that_has_gone_is_skipped() -> None:
    bench = superseded("no drift")
    before_merge(bench, 0, lambda: bench.lake.objects.pop(ONE))
    (result,) = bench.run()

    assert (result.status, result.reason) == ("SKIPPED", "another run has taken the file")
    assert bench.warehouse.of("later_files") == []


def test_a_loaded_file_that_comes_after_none_of_these_stops_one_merge_only() -> None:
    bench = superseded("no drift")
    bench.warehouse.refusals = [replace(LATER, times=1)]
    bench.warehouse.answers["select_later_files"] = [entered("f" * 64, NEWER, NOON - timedelta(days=1))]
    (result,) = bench.run()

    assert result.status == "SUCCESS"
    _, second = bench.warehouse.of("merge")
    (guard,) = [each for each in second.transaction.statements if each.template == "guard_order"]
    assert "f" * 64 in str(guard.values)


def test_a_replan_stages_nothing_where_files_and_columns_are_the_same() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.warehouse.refusals = [replace(STALE, times=2)]
    bench.run()

    assert len(bench.engine.opened) == 1
    assert len({id(each.transaction) for each in bench.warehouse.of("merge")}) == 3


def test_a_replan_stages_again_where_the_columns_have_changed() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.warehouse.refusals = [replace(STALE, times=1)]
    columns = bench.warehouse.answers["select_columns"]
    assert not callable(columns)
    changed = [*columns, (*columns[0][:2], "added", "integer", None, None, None, "YES", None)]
    before_merge(bench, 0, lambda: bench.warehouse.answers.update(select_columns=changed))
    (result,) = bench.run()

    assert result.status == "SUCCESS"
    assert len(bench.engine.opened) == 2


def test_a_replan_stages_again_where_files_are_left_out() -> None:
    bench = Bench(SCENARIOS["batch"])
    bench.warehouse.answers["select_entered"] = [loaded_row(bench, ONE)]
    bench.warehouse.refusals = [replace(LOADED, times=1)]
    bench.run()

    assert [[layout.file.key for layout in batch.files] for batch in bench.engine.opened] == [[ONE, TWO], [TWO]]


def test_the_bad_rows_of_files_that_are_left_out_leave_the_quarantine() -> None:
    bench = Bench(SCENARIOS["a batch with bad rows"])
    bench.warehouse.answers["select_entered"] = [loaded_row(bench, ONE)]
    bench.warehouse.refusals = [replace(LOADED, times=1)]

    def see_no_more_bad_rows() -> None:
        bench.engine = replace(bench.engine, canned=Canned())

    before_merge(bench, 0, see_no_more_bad_rows)
    results = {result.source_file: result for result in bench.run()}

    assert (results[ONE].status, results[TWO].status) == ("SKIPPED", "SUCCESS")
    assert results[TWO].quarantine is None
    assert bench.lake.keys("data/quarantine/") == []


def test_values_that_a_table_has_got_meanwhile_are_asked_for_again() -> None:
    bench = Bench(SCENARIOS["a replacement that lacks a column"])
    bench.warehouse.refusals = [Refusal("merge", "check_columns_empty")]
    before_merge(bench, 0, lambda: bench.warehouse.answers.update(select_filled_columns=[(1,)]))
    (result,) = bench.run()

    assert result.failure is not None
    assert type(result.failure.error) is SourceFileError
    assert (len(bench.warehouse.of("filled_columns")), len(bench.engine.opened)) == (2, 1)
    assert bench.place_of(ONE) == "unprocessed"


def test_the_hint_to_drop_a_view_is_carried_from_plan_to_plan() -> None:
    bench = Bench(SCENARIOS["outdated view"])
    bench.warehouse.refusals = [Refusal("evolve", "replace_view"), replace(STALE, times=1)]
    (result,) = bench.run()

    assert result.status == "SUCCESS"
    first, second, third = bench.templates("evolve")
    assert "replace_view" in first
    assert second == third
    assert {"drop_view", "create_view"} <= set(second)
    assert len(bench.warehouse.of("compare_view")) == 1


def test_a_column_that_another_run_adds_at_the_same_time_is_planned_for() -> None:
    bench = Bench(SCENARIOS["a new column"])
    columns = bench.warehouse.answers["select_columns"]
    assert not callable(columns)
    changed = [*columns, (*columns[0][:2], "added", "character varying", 256, None, None, "YES", None)]
    bench.calls.happens[Call("run", "evolve")] = lambda: bench.warehouse.answers.update(select_columns=changed)
    bench.warehouse.refusals = [Refusal("evolve", "add_column")]
    (result,) = bench.run()

    assert result.status == "SUCCESS"
    assert len(bench.warehouse.of("evolve")) == 1
    # The invocation looks, the load before it changes anything, and the load after the refusal.
    assert len(bench.warehouse.of("observe")) == 3


def test_control_tables_that_the_run_has_created_are_no_change_of_the_target() -> None:
    bench = Bench(SCENARIOS["first load"])
    created = [(name, None) for name in SHARED_TABLES]
    bench.calls.happens[Call("run", "evolve")] = lambda: bench.warehouse.answers.update(select_control_tables=created)
    bench.warehouse.refusals = [Refusal("evolve", "create_view")]
    (result,) = bench.run()

    assert result.failure is not None
    assert type(result.failure.error) is SpecError
    assert len(bench.warehouse.of("evolve")) == 1


def test_a_view_that_another_run_has_dropped_since_the_observation_has_the_load_replanned() -> None:
    bench = Bench(SCENARIOS["growth under a view"])
    shown = bench.warehouse.answers["select_dependents"]
    hidden = [True]

    def first_hidden(statement: Statement) -> Rows:
        assert callable(shown)
        return [] if hidden and hidden.pop() else shown(statement)

    bench.warehouse.answers["select_dependents"] = first_hidden
    (result,) = bench.run()

    assert result.status == "SUCCESS"
    assert bench.warehouse.dropped_views == set()
    assert hidden == []


def test_the_target_is_observed_once_for_a_refusal_and_its_next_plan() -> None:
    bench = Bench(SCENARIOS["copy"])
    bench.warehouse.refusals = [Refusal("evolve", "drop_copied_table")]
    (result,) = bench.run()

    assert result.failure is not None
    assert type(result.failure.error) is SchemaChangeError
    # The invocation's look and the load's own, two lookups of the planner, and the look for a change.
    assert len(bench.warehouse.of("observe")) == 5
