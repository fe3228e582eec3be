"""A rate limiter that keeps a process below the Data API's quotas, however many feeds it loads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ACCOUNT_QUOTAS: Mapping[str, float] = {
    "execute_statement": 30,
    "batch_execute_statement": 20,
    "describe_statement": 100,
    "get_statement_result": 20,
    "list_statements": 20,
    "cancel_statement": 3,
}
"""Calls per second and account. Source: https://docs.aws.amazon.com/redshift/latest/mgmt/amazon-redshift-limits.html;
ListStatements has no published quota, so the lowest one of a query is used."""
SHARE = 0.75
"""Share of the quotas to use. A second with a burst reaches 94 % of a quota; the rest is for the account's others."""
BURST_SECONDS = 0.25
"""After a pause, this many seconds' worth of calls is sent without spacing."""


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


class RateLimiter:
    """Spaces the calls of a process, per operation. Operations without a rate never wait."""

    def __init__(self, calls_per_second: Mapping[str, float], sleep: Callable[[float], None] = time.sleep) -> None:
        self._rates = dict(calls_per_second)
        self._sleep = sleep
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, operation: str, now: Callable[[], float] = time.monotonic) -> None:
        """Wait until the next call of the operation is allowed."""
        rate = self._rates.get(operation)
        if rate is None:
            return
        burst = max(1.0, rate * BURST_SECONDS)
        with self._lock:
            moment = now()
            bucket = self._buckets.setdefault(operation, _Bucket(burst, moment))
            bucket.tokens = min(burst, bucket.tokens + (moment - bucket.filled_at) * rate) - 1
            bucket.filled_at = moment
            pause = -bucket.tokens / rate
        if pause > 0:
            self._sleep(pause)


def account_limiter() -> RateLimiter:
    """Return the limiter for an AWS account."""
    return RateLimiter({operation: quota * SHARE for operation, quota in ACCOUNT_QUOTAS.items()})
