"""Calls for many objects at a time."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime

import pytest

from framework.log.retries import log_retries_to, log_retry
from framework.log.run_log import RunLog
from framework.parallel import map_parallel

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def test_results_come_in_the_order_of_the_items() -> None:
    later = threading.Event()

    def answer(number: int) -> int:
        # The first ends after the last.
        assert later.wait(5) if number == 0 else True
        if number == 7:
            later.set()
        return number * 2

    assert map_parallel(answer, range(8)) == [0, 2, 4, 6, 8, 10, 12, 14]


def test_nothing_and_one_are_worth_no_thread() -> None:
    assert map_parallel(str, []) == []
    assert map_parallel(lambda item: threading.current_thread() is threading.main_thread(), [1]) == [True]


def test_a_failure_is_raised_and_what_has_not_begun_does_not_begin() -> None:
    begun: list[int] = []

    def fail(number: int) -> None:
        begun.append(number)
        raise LookupError(number)

    with pytest.raises(LookupError, match="0"):
        map_parallel(fail, range(10_000))
    assert len(begun) < 10_000


def test_retries_are_in_the_log_of_whoever_asked() -> None:
    log = RunLog("run-1", "customers", io.StringIO())

    with log_retries_to(log):
        map_parallel(lambda number: log_retry("HeadObject", str(number)), range(3))

    assert [f'"reason": "{number}"' in log.text() for number in range(3)] == [True] * 3
