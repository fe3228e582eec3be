"""The limiter against a clock that only its own pauses move."""

from __future__ import annotations

import pytest

from framework.warehouse.rate_limit import ACCOUNT_QUOTAS, BURST_SECONDS, RateLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.mark.parametrize("operation", ACCOUNT_QUOTAS)
def test_no_second_holds_more_calls_than_burst_and_rate(operation: str) -> None:
    clock = Clock()
    rate = ACCOUNT_QUOTAS[operation]
    limiter = RateLimiter({operation: rate}, clock.sleep)
    moments = []
    for _ in range(200):
        limiter.wait(operation, lambda: clock.now)
        moments.append(clock.now)
    for start in moments:
        within = sum(start <= moment < start + 1 for moment in moments)
        assert within <= rate + max(1, rate * BURST_SECONDS) + 1
    assert moments[-1] - moments[0] == pytest.approx((199 - max(1, rate * BURST_SECONDS) + 1) / rate, rel=0.05)


def test_operations_do_not_wait_for_each_other() -> None:
    clock = Clock()
    limiter = RateLimiter({"describe_statement": 1.0}, clock.sleep)
    for _ in range(5):
        limiter.wait("execute_statement", lambda: clock.now)
    limiter.wait("describe_statement", lambda: clock.now)
    assert clock.pauses == []
    limiter.wait("describe_statement", lambda: clock.now)
    assert clock.pauses == [1.0]
