"""What a failure makes of a statement and its parts."""

from __future__ import annotations

from framework.sandbox.data_api.statement import (
    PRIOR_FAILED,
    Ending,
    Outcome,
    Statement,
    Status,
    Submission,
    Warehouse,
    ended,
    part_ended,
    part_finished,
    submitted,
)


def batch(*sqls: str, is_batch: bool = True) -> Statement:
    return submitted(Submission("id", sqls, is_batch, Warehouse("WorkgroupName", "wg"), "dev", 1.0))


def test_parts_before_a_failure_stay_finished_and_later_ones_are_aborted() -> None:
    statement = part_finished(batch("a", "b", "c"), 0, Outcome(rows=1), 5, 2.0)
    failed = part_ended(statement, 1, Ending(Status.FAILED, "ERROR: no"), 7, 3.0)
    assert [part.status for part in failed.parts] == [Status.FINISHED, Status.FAILED, Status.ABORTED]
    assert [part.error for part in failed.parts] == [None, "ERROR: no", PRIOR_FAILED]
    assert failed.error == "Query #2 failed with ERROR: no"


def test_a_single_statement_fails_in_its_own_words() -> None:
    failed = part_ended(batch("a", is_batch=False), 0, Ending(Status.FAILED, "ERROR: no"), 7, 3.0)
    assert (failed.status, failed.error) == (Status.FAILED, "ERROR: no")


def test_without_a_connection_no_part_has_run() -> None:
    failed = ended(batch("a", "b"), Ending(Status.FAILED, "FATAL: no"), 3.0)
    assert {(part.status, part.error) for part in failed.parts} == {(Status.ABORTED, PRIOR_FAILED)}
