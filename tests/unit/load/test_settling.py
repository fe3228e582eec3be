"""What becomes of files beside the usual: of several in one load, of archived and corrected ones, of attempts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from framework.errors import SchemaChangeError, SourceFileError, WarehouseError
from framework.load import discover
from framework.load.request import Corrections, OneFile
from framework.warehouse.client import Row
from tests.unit.load.calls import Call
from tests.unit.load.expectations import require_nothing_left, require_views_and_log
from tests.unit.load.fake_warehouse import Refusal, entered
from tests.unit.load.scenarios import (
    EXPIRED_INVOCATION,
    EXPIRED_RUN,
    ONE,
    SCENARIOS,
    TWO,
    Bench,
    Scenario,
    left_by_an_expired_run,
)

DUPLICATES = Refusal("merge", "check_no_duplicates")


def two_files(name: str) -> Scenario:
    return replace(SCENARIOS[name], files=(ONE, TWO))


def history_row(bench: Bench, key: str, status: str) -> Row:
    stored = bench.lake.objects[key]
    identity = (bench.lake.bucket, key, stored.etag, len(stored.content))
    return (str(bench.spec.target.table), *identity, status, 1, "other", "2026-01-01 00:00:00", 2)


def has_loaded(bench: Bench, key: str) -> None:
    """Let audit and ledger say that another run has loaded a file before."""
    file = bench.lake.describe(key)
    assert file is not None
    bench.warehouse.answers["select_load_history"] = [history_row(bench, key, "SUCCESS")]
    bench.warehouse.answers["select_entered"] = [entered(file.identity.sha256, key, file.arrived_at)]


def replace_file(bench: Bench, key: str) -> Callable[[], None]:
    return lambda: bench.lake.arrive(key, "another content")


def test_a_file_that_was_skipped_is_no_failure_of_what_comes_after() -> None:
    bench = Bench(replace(SCENARIOS["batch"], before=left_by_an_expired_run), max_attempts=1)
    has_loaded(bench, ONE)
    bench.calls.failures = {Call("run", "drop_staging"): WarehouseError("it is refused")}
    results = {result.source_file: result.status for result in bench.run()}

    assert results == {ONE: "SKIPPED", TWO: "FAILED"}
    assert [(row.source.key, row.status) for row in bench.warehouse.audit] == [(ONE, "SKIPPED"), (TWO, "FAILED")]
    assert (bench.place_of(ONE), bench.place_of(TWO)) == ("archive", "unprocessed")


def test_a_file_that_has_gone_is_no_failure_of_those_that_are_superseded() -> None:
    bench = Bench(SCENARIOS["batch"])
    bench.warehouse.refusals = [Refusal("merge", "guard_order")]
    bench.calls.happens = {Call("run", "merge"): lambda: [bench.lake.objects.pop(ONE)].clear()}
    bench.calls.failures = {Call("run", "later_files"): WarehouseError("it is refused")}
    results = {result.source_file: result.status for result in bench.run()}

    rows = [(row.source.key, row.status) for row in bench.warehouse.audit if row.status != "STARTED"]
    assert sorted(rows) == sorted((key, status) for key, status in results.items())
    assert results[TWO] == "FAILED"


def test_a_bug_while_a_file_is_archived_hides_no_result_of_rows_that_are_in() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.calls.failures = {Call("copy", ONE): AttributeError("a bug")}
    results = bench.run()

    assert [(result.source_file, result.status) for result in results] == [(ONE, "SUCCESS"), (None, "FAILED")]
    assert isinstance(results[1].failure and results[1].failure.error, AttributeError)
    assert bench.place_of(ONE) == "in"


def test_the_file_at_fault_is_set_aside_and_the_others_of_its_load_stay() -> None:
    bench = Bench(replace(SCENARIOS["batch"], spec=SCENARIOS["batch"].spec.replace("[id]", "[id], duplicates: reject")))
    bench.warehouse.refusals = [DUPLICATES]
    bench.warehouse.answers["select_duplicate_rows"] = [(1, 2)]
    results = bench.run()

    assert [result.status for result in results] == ["FAILED", "FAILED"]
    assert (bench.place_of(ONE), bench.place_of(TWO)) == ("in", "unprocessed")


def test_an_error_keeps_the_refusal_that_it_explains_as_its_cause() -> None:
    bench = Bench(replace(SCENARIOS["batch"], spec=SCENARIOS["batch"].spec.replace("[id]", "[id], duplicates: reject")))
    bench.warehouse.refusals = [DUPLICATES]
    bench.warehouse.answers["select_duplicate_rows"] = [(1, 2)]
    failure = bench.run()[0].failure

    assert failure is not None
    assert isinstance(failure.error, SourceFileError)
    assert isinstance(failure.error.__cause__, WarehouseError)


@pytest.mark.parametrize(("failures", "folder"), [(1, "in"), (2, "unprocessed")])
def test_earlier_attempts_count(failures: int, folder: str) -> None:
    bench = Bench(SCENARIOS["no drift"], max_attempts=3)
    bench.warehouse.answers["select_load_history"] = [history_row(bench, ONE, "FAILED")] * failures
    bench.warehouse.refusals = [Refusal("merge", "insert_rows")]
    bench.run()

    assert bench.place_of(ONE) == folder


def test_a_failure_that_cannot_be_recorded_moves_no_file() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.warehouse.refusals = [DUPLICATES, Refusal("failed", "insert_job_sts")]
    (result,) = bench.run()

    assert result.failure is not None
    assert type(result.failure.error) is SourceFileError
    assert (bench.statuses(), bench.place_of(ONE)) == (["STARTED"], "in")
    require_nothing_left(bench)


def test_what_is_done_on_the_way_out_is_tried_once() -> None:
    bench = Bench(SCENARIOS["bad rows"], divided=True)
    bench.warehouse.refusals = [Refusal("merge", "insert_rows")]
    bench.run()

    own = [each for each in bench.warehouse.submitted if not each.is_shared]
    way_out = {each.transaction.name: each.attempts for each in own if each.attempts is not None}
    assert way_out == {"failed": 1, "drop_staging": 1, "run_counts": 1}


@pytest.mark.parametrize("template", ["guard_columns", "log_growth", "grow_varchar"])
def test_views_that_were_dropped_for_a_change_that_fails_are_restored_by_the_same_run(template: str) -> None:
    bench = Bench(SCENARIOS["growth under a view"])
    bench.warehouse.refusals = [Refusal("", template)]
    (result,) = bench.run()

    assert result.status == "FAILED"
    assert bench.warehouse.of("drop_views")
    assert (bench.warehouse.dropped_views, bench.warehouse.journal) == (set(), [])
    assert bench.lake.keys("staging/") == []


def test_bad_rows_go_with_a_load_that_has_failed() -> None:
    bench = Bench(SCENARIOS["bad rows"])
    bench.warehouse.refusals = [Refusal("merge", "insert_rows")]
    (result,) = bench.run()

    assert (result.status, result.quarantine) == ("FAILED", None)
    assert bench.lake.keys("data/quarantine/") == []


def test_bad_rows_stay_where_the_merge_was_committed_though_its_reply_was_lost() -> None:
    bench = Bench(SCENARIOS["bad rows"])
    bench.warehouse.refusals = [Refusal("merge", "insert_rows")]
    bench.warehouse.answers["select_run_counts"] = [(ONE, 3, 2, 0, 0, 0, 1)]
    bench.run()

    assert len(bench.lake.keys("data/quarantine/")) == 1


def test_nothing_is_merged_once_the_bad_rows_have_been_cleared_away() -> None:
    bench = Bench(SCENARIOS["bad rows"], divided=True)

    def clear() -> None:
        for key in bench.lake.keys("data/quarantine/"):
            del bench.lake.objects[key]

    bench.calls.happens = {Call("run", "copy"): clear}
    (result,) = bench.run()

    assert (result.status, bench.warehouse.of("merge")) == ("FAILED", [])


def test_a_file_that_is_replaced_after_it_was_read_is_only_not_archived() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.calls.happens = {Call("run", "merge"): replace_file(bench, ONE)}
    (result,) = bench.run()

    assert result.status == "SUCCESS"
    assert bench.statuses() == ["STARTED", "SUCCESS"]
    assert bench.lake.objects[ONE].content == b"another content"


def test_a_failure_is_no_failure_where_the_file_was_taken_by_another_run() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.calls.happens = {Call("read_head", ONE): lambda: [bench.lake.objects.pop(ONE)].clear()}
    bench.calls.failures = {Call("read_head", ONE): SourceFileError("the file has gone")}
    (result,) = bench.run()

    assert result.status == "SKIPPED"
    assert "another run has taken" in str(result.reason)


def test_a_later_load_leaves_out_files_that_are_gone_since_they_were_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "MAX_FILES_PER_LOAD", 2)
    one, two, taken, three = keys = tuple(f"data/in/golden/{number}.csv" for number in range(4))
    bench = Bench(replace(SCENARIOS["batch"], files=keys))
    bench.calls.happens = {Call("copy", one): lambda: [bench.lake.objects.pop(taken)].clear()}

    results = bench.run()

    assert [(result.source_file, result.status) for result in results] == [
        (key, "SUCCESS") for key in (one, two, three)
    ]


def test_a_file_of_the_archive_stays_there_though_it_cannot_be_loaded_again() -> None:
    bench = Bench(SCENARIOS["no drift"], max_attempts=1)
    bench.run()
    bench.warehouse.refusals = [DUPLICATES]
    (archived,) = bench.lake.keys("data/archive/")
    (result,) = bench.run(OneFile(archived, again=True))

    assert (result.status, bench.lake.keys("data/")) == ("FAILED", [archived])


def test_corrected_rows_that_cannot_be_loaded_stay_where_they_are() -> None:
    bench = Bench(SCENARIOS["no drift"], max_attempts=1)
    bench.warehouse.refusals = [DUPLICATES]
    (result,) = bench.run(Corrections(ONE, "1.csv", ()))

    assert (result.status, bench.place_of(ONE)) == ("FAILED", "in")
    assert result.failure is not None
    assert result.failure.next_step is None


def test_one_reading_of_the_target_serves_loads_that_change_nothing_of_it() -> None:
    bench = Bench(two_files("no drift"))
    results = bench.run()

    assert [result.status for result in results] == ["SUCCESS", "SUCCESS"]
    assert len(bench.warehouse.of("observe")) == 1


def test_the_target_is_observed_anew_for_the_load_after_one_that_has_changed_it() -> None:
    bench = Bench(two_files("copy"))
    bench.run()

    # The invocation looks once, and each load, which looks up the rows and the design of the table too.
    assert len(bench.warehouse.of("observe")) == 7


@pytest.mark.parametrize(
    ("policy", "is_outage", "loads"), [("stop", False, 1), ("continue", False, 2), ("continue", True, 1)]
)
def test_the_next_load_follows_a_failure_where_the_spec_says_so_and_it_can_fare_better(
    policy: str, is_outage: bool, loads: int
) -> None:
    scenario = two_files("no drift")
    spec = scenario.spec.replace("golden/}", f"golden/, on_failure: {policy}}}")
    bench = Bench(replace(scenario, spec=spec))
    bench.calls.failures = {Call("run", "merge"): WarehouseError("it is refused", is_outage=is_outage)}

    assert [result.status for result in bench.run()] == ["FAILED", "SUCCESS"][:loads]


def test_a_run_with_nothing_to_load_clears_away_what_an_expired_run_has_left() -> None:
    bench = Bench(replace(SCENARIOS["after an expired run"], files=()))

    assert bench.run() == []
    assert bench.lake.keys() == [bench.log_key]
    own, shared = f"feedway/golden/{EXPIRED_RUN}/", f"feedway/_/{EXPIRED_INVOCATION}/"
    assert bench.warehouse.awaited == [[shared, own], [own]]
    require_nothing_left(bench)


def test_a_run_with_nothing_to_load_reports_views_that_cannot_be_restored() -> None:
    bench = Bench(replace(SCENARIOS["after an expired run"], files=()))
    bench.warehouse.refusals = [Refusal("", "create_view")]
    (result,) = bench.run()

    assert (result.source_file, result.status) == (None, "FAILED")
    assert result.failure is not None
    assert type(result.failure.error) is SchemaChangeError
    require_views_and_log(bench)


def test_a_run_with_nothing_to_load_costs_no_submission_where_nothing_is_left() -> None:
    bench = Bench(replace(SCENARIOS["no drift"], files=()))

    assert bench.run() == []
    assert bench.warehouse.submitted == []
    assert bench.lake.keys() == []
