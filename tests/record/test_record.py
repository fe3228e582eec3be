"""What loads do, call by call, as it was recorded in `expected`: a change of structure changes none of it.

`pytest --update-golden` writes the files anew; read the difference. This folder goes when the redesign is complete.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from framework.load.request import Corrections
from tests.faults import test_transient
from tests.faults.scenarios import SCENARIOS, Scenario, open_feed
from tests.harness import PENDING, FeedHarness
from tests.record.conftest import EXPECTED, Recording
from tests.record.golden import CASES, GoldenFeed
from tests.sandbox import (
    test_bad_rows,
    test_conflicts,
    test_deliveries,
    test_dropped_views,
    test_duplicates,
    test_evolution,
    test_expect,
    test_failure_policy,
    test_missing_columns,
    test_modes,
    test_precedence,
    test_privileges,
    test_quarantine_replay,
    test_replaced_files,
    test_replaced_views,
    test_replay,
    test_trust,
    test_view_journal,
    test_views,
    test_wider_copy,
)

Test = tuple[Callable[..., None], dict[str, Any]]
REPLACE, UPSERT = test_precedence.REPLACE, "{keys: [id]}"
# Tests whose loads are recorded, with the parameters of one of their cases.
TESTS: dict[str, Test] = {
    "again": (test_modes.test_again_loads_a_file_once_more_wherever_it_lies, {}),
    "already_loaded": (test_modes.test_the_same_file_twice_changes_nothing, {}),
    "bad_rows_batch": (test_bad_rows.test_in_a_batch_only_the_file_over_its_budget_moves, {}),
    "bad_rows_cleared_away": (test_bad_rows.test_a_run_whose_bad_rows_were_cleared_away_loads_nothing, {}),
    "bad_rows_forestalled": (test_bad_rows.test_a_run_that_another_has_forestalled_takes_its_bad_rows_back, {}),
    "bad_rows_killed": (test_bad_rows.test_what_a_killed_run_put_aside_is_not_there_twice, {}),
    "bad_rows_then_refused": (test_bad_rows.test_a_load_that_fails_later_leaves_nothing_in_quarantine, {}),
    "batch_partly_known": (test_trust.test_of_a_batch_only_what_is_new_is_staged, {}),
    "batch_partly_superseded": (
        test_precedence.test_of_a_batch_by_name_only_the_files_that_come_too_late_are_refused,
        {},
    ),
    "batch_partly_loaded": (test_precedence.test_a_batch_of_which_another_run_has_loaded_a_part_loads_the_rest, {}),
    "change_refused_numbers": (test_evolution.test_text_in_a_numeric_column_is_refused_with_column_row_and_sample, {}),
    "change_refused_zeros": (
        test_conflicts.test_a_number_with_leading_zeros_is_refused_unless_the_spec_says_otherwise,
        {},
    ),
    "change_refused_keys": (test_conflicts.test_a_key_becomes_text_only_where_it_is_written_in_one_way, {}),
    "conflicts_quarantined": (test_conflicts.test_conflicts_go_to_quarantine_while_other_bad_rows_refuse_the_file, {}),
    "copy_fails": (test_wider_copy.test_a_copy_that_did_not_take_the_tables_place_goes, {}),
    "delivery_again": (test_deliveries.test_a_file_that_is_sent_once_more_is_not_loaded_once_more, {}),
    "delivery_back_after_failure": (
        test_deliveries.test_a_file_that_goes_back_after_one_that_failed_is_loaded_and_the_failed_one_comes_too_late,
        {"load": UPSERT},
    ),
    "duplicates_batch": (test_duplicates.test_every_file_of_a_batch_with_a_duplicate_is_refused_and_no_other, {}),
    "duplicates_refused": (test_duplicates.test_duplicates_can_be_refused_in_every_mode, {"mode": "upsert"}),
    "foreign_key": (test_wider_copy.test_a_table_that_foreign_keys_point_at_stays_as_it_is, {}),
    "grants": (
        test_privileges.test_privileges_of_the_spec_are_granted_and_others_stay_unless_it_says_otherwise,
        {},
    ),
    "grants_refused": (
        test_privileges.test_a_privilege_for_somebody_who_is_not_there_is_the_specs_fault_and_loads_nothing,
        {},
    ),
    "growth_refused": (test_view_journal.test_a_growth_that_is_refused_leaves_the_views_as_they_were, {}),
    "growth_undone_before_merge": (
        test_view_journal.test_a_text_that_somebody_makes_shorter_before_the_merge_grows_again,
        {},
    ),
    "growth_view_gone": (
        test_view_journal.test_a_view_that_cannot_be_created_any_more_fails_the_run_after_the_load,
        {},
    ),
    "growth_killed_down": (
        test_dropped_views.test_the_next_run_restores_what_a_crashed_run_dropped,
        {"then": b"alter column"},
    ),
    "growth_killed_grown": (
        test_dropped_views.test_the_next_run_restores_what_a_crashed_run_dropped,
        {"then": b"create_view"},
    ),
    "growth_killed_then_idle": (
        test_dropped_views.test_a_run_with_nothing_to_do_restores_what_a_crashed_run_dropped,
        {},
    ),
    "late_view_broken": (test_conflicts.test_a_late_binding_view_that_the_change_breaks_is_reported_after_the_load, {}),
    "ledger_guard": (test_modes.test_the_ledger_stops_a_file_the_audit_does_not_know, {}),
    "missing_columns_batch": (
        test_missing_columns.test_a_batch_keeps_the_values_of_the_columns_that_each_file_lacks,
        {},
    ),
    "missing_columns_refused": (
        test_missing_columns.test_a_column_that_may_not_be_null_is_named_when_new_rows_lack_it,
        {},
    ),
    "superseded_picked": (
        test_precedence.test_a_file_that_was_asked_for_and_is_superseded_meanwhile_is_refused,
        {"load": UPSERT, "source": ""},
    ),
    "superseded_replace": (test_precedence.test_a_superseded_snapshot_does_not_replace_a_newer_one, {}),
    "superseded_replace_left": (
        test_precedence.test_a_superseded_snapshot_that_nobody_has_put_away_is_put_away,
        {},
    ),
    "quarantine_replay": (test_quarantine_replay.test_only_keys_that_the_table_lacks_are_added, {}),
    "quarantine_replay_twice": (test_quarantine_replay.test_the_same_corrections_load_once, {}),
    "quarantine_replay_still_bad": (
        test_quarantine_replay.test_a_row_that_is_still_bad_refuses_its_file_and_moves_nothing,
        {},
    ),
    "replaced_meanwhile": (
        test_replaced_files.test_a_file_at_fault_that_was_replaced_meanwhile_leaves_no_copy_to_replay,
        {},
    ),
    "replay": (test_replay.test_unprocessed_files_load_again_in_the_order_of_their_arrival, {}),
    "replay_fails": (test_replay.test_a_replayed_file_that_fails_again_stays_where_it_is, {}),
    "replay_too_late": (test_replay.test_a_file_older_than_a_loaded_one_is_refused_where_order_decides, {}),
    "row_lost": (test_modes.test_rows_that_get_lost_on_the_way_stop_the_merge, {}),
    "shrink_refused": (
        test_expect.test_a_replacement_that_shrinks_the_table_too_far_is_rejected,
        {"expect": "", "fewest": 5},
    ),
    "spec_wrong": (test_failure_policy.test_a_file_waits_for_a_correct_spec_however_often_it_is_run, {}),
    "view_refused": (test_conflicts.test_a_view_that_cannot_live_with_the_text_takes_the_change_back, {}),
    "view_not_replaced": (test_replaced_views.test_a_view_that_the_warehouse_refuses_to_replace_is_created_anew, {}),
    "view_of_others_refused": (
        test_views.test_a_view_of_others_that_can_no_longer_be_created_stops_the_change_before_anything_is_lost,
        {},
    ),
    "view_stays": (
        test_views.test_a_view_with_privileges_on_its_columns_stays_and_the_load_says_what_to_do,
        {},
    ),
}
MOVED_LATE = {"already_loaded", "bad_rows_forestalled", "ledger_guard", "quarantine_replay_twice"}
"""Where a file comes once more: whether its first copy may serve depends on the seconds of arrival and move."""
SUBMISSIONS = ("log_growth", "add_column", "grant_on_relation", "insert_rows")
CALLS = (
    ("s3", "PutObject", 403, "AccessDenied"),
    ("s3", "GetObject", 403, "AccessDenied"),
    ("redshift-data", "BatchExecuteStatement", 400, "ValidationException"),
    ("redshift-data", "ExecuteStatement", 400, "AccessDeniedException"),
)
_SUBMISSION = test_transient.test_a_submission_that_is_refused_as_a_whole_is_made_once_and_blames_nothing_else
TESTS |= {f"submission_refused_{step}": (_SUBMISSION, {"step": step}) for step in SUBMISSIONS}
TESTS |= {
    f"call_refused_{call[1]}": (
        test_transient.test_a_refusal_for_good_is_not_retried,
        dict(zip(("service", "operation", "status", "code"), call, strict=True)),
    )
    for call in CALLS
}


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_a_golden_case_loads_as_it_did(
    folder: Path, recording: Recording, s3: Any, redshift_data: Any, embedded_engine: Any
) -> None:
    with recording(f"golden_{folder.name}"):
        golden = GoldenFeed(folder, s3, redshift_data, embedded_engine)
        for name in ("one.csv", "two.csv"):
            key = golden.feed.land(name, golden.content)
            # As of a quarantine replay, the one load that keeps stored rows.
            golden.feed.run(Corrections(f"s3://lake/{key}") if golden.keeps_stored else PENDING)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_loads_as_it_did(
    scenario: Scenario, recording: Recording, s3: Any, redshift_data: Any, embedded_engine: Any
) -> None:
    with recording(f"faults_{scenario.name}") as calls:
        with calls.paused():
            feed = open_feed(scenario, s3, redshift_data, embedded_engine)
        feed.run()


@pytest.mark.parametrize("name", TESTS)
def test_the_loads_of_a_test_go_as_they_did(
    name: str, recording: Recording, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    test, given = TESTS[name]
    others = [parameter for parameter in inspect.signature(test).parameters if parameter not in given]
    fixtures = {parameter: request.getfixturevalue(parameter) for parameter in others}
    replay = test_quarantine_replay.replay
    with recording(name) as calls:
        calls.moves_late = name in MOVED_LATE

        def replay_recorded(feed: FeedHarness, address: str) -> Any:
            return calls.recorded(feed, "replay", lambda: replay(feed, address))

        monkeypatch.setattr(test_quarantine_replay, "replay", replay_recorded)
        test(**fixtures, **given)


def test_every_recorded_file_has_its_scenario() -> None:
    names = (
        {f"golden_{case.name}" for case in CASES} | {f"faults_{scenario.name}" for scenario in SCENARIOS} | set(TESTS)
    )

    assert {path.stem for path in EXPECTED.glob("*.txt")} == names
