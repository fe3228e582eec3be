"""A rate limiter that keeps a process below the Data API's quotas, however many feeds it loads."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

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
"""Share of the quotas to use within any second; the rest is for the account's others."""
SECOND = 1.0


class RateLimiter:
    """Limits the calls of a process within any second, per operation. Operations without a rate never wait.

    A burst is sent without spacing: the calls of a load come in bursts, and the quotas hold for a second.
    """

    def __init__(self, calls_per_second: Mapping[str, float], sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self._latest = {name: deque[float](maxlen=max(1, int(rate))) for name, rate in calls_per_second.items()}
        """When the latest calls of an operation were sent, or will be: as many as a second may hold."""

    def wait(self, operation: str, now: Callable[[], float] = time.monotonic) -> None:
        """Wait until the next call of the operation is allowed."""
        latest = self._latest.get(operation)
        if latest is None:
            return
        with self._lock:
            moment = now()
            sent_at = max(moment, latest[0] + SECOND) if len(latest) == latest.maxlen else moment
            latest.append(sent_at)
        if sent_at > moment:
            self._sleep(sent_at - moment)


def account_limiter() -> RateLimiter:
    """Return the limiter for an AWS account."""
    return RateLimiter({operation: quota * SHARE for operation, quota in ACCOUNT_QUOTAS.items()})
