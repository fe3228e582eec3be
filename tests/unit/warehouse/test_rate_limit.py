"""The limiter against a clock that only its own pauses move."""

from __future__ import annotations

import pytest

from framework.warehouse.rate_limit import ACCOUNT_QUOTAS, RateLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.mark.parametrize("operation", ACCOUNT_QUOTAS)
def test_no_second_holds_more_calls_than_the_rate_and_a_burst_is_not_spaced(operation: str) -> None:
    clock = Clock()
    most = int(ACCOUNT_QUOTAS[operation])
    limiter = RateLimiter({operation: most}, clock.sleep)
    moments = []
    for number in range(200):
        # Now and then the process does something else, so that calls do not begin with a second.
        clock.now += 0.3 if number % 7 == 0 else 0
        limiter.wait(operation, lambda: clock.now)
        moments.append(clock.now)
    for start in moments:
        assert sum(start <= moment < start + 1 - 1e-9 for moment in moments) <= most
    assert moments[min(most, 7) - 1] == moments[0]


def test_calls_in_progress_side_by_side_are_limited_together() -> None:
    pauses: list[float] = []
    # Two threads reserve their times before either has slept.
    limiter = RateLimiter({"list_statements": 2.0}, pauses.append)
    for _ in range(5):
        limiter.wait("list_statements", lambda: 100.0)

    assert pauses == [1.0, 1.0, 2.0]


def test_operations_do_not_wait_for_each_other() -> None:
    clock = Clock()
    limiter = RateLimiter({"describe_statement": 1.0}, clock.sleep)
    for _ in range(5):
        limiter.wait("execute_statement", lambda: clock.now)
    limiter.wait("describe_statement", lambda: clock.now)
    assert clock.pauses == []
    limiter.wait("describe_statement", lambda: clock.now)
    assert clock.pauses == [1.0]
