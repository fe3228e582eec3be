"""Clients of a run that crashes: from one call on, nothing of it reaches a server any more, as after kill -9."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from framework.lake.lake import Lake
from framework.log.retries import with_retry_logging
from framework.rows.engine import SplitEngine
from framework.rows.executors.embedded import EmbeddedExecutor
from framework.spec.environment import LakeSettings


class Crash(BaseException):
    """Raised in the threads of the crashed run; no handler of errors catches it, and what cleans up meets it again."""


class CrashingProcess:
    """What one run's process has for itself: clients of S3 and the Data API, and a row engine.

    Crashes at the call `crashes_at`, counted from 1: before it is sent, or, with `reply_lost`, when it was answered.
    `calls` are the operations so far; of the polls for one statement only the first counts, because
    how many follow is a matter of time.
    """

    def __init__(self, crashes_at: int | None = None, reply_lost: bool = False) -> None:
        session = boto3.session.Session()
        self.s3: Any = with_retry_logging(session.client("s3"))
        self.redshift_data: Any = with_retry_logging(session.client("redshift-data"))
        self.calls: list[str] = []
        self._crashes_at = crashes_at
        self._reply_lost = reply_lost
        self._has_crashed = False
        self._lock = threading.Lock()
        self._polled: set[str] = set()
        self._answered_last = threading.local()
        for client in (self.s3, self.redshift_data):
            client.meta.events.register_first("before-send", self._before)
            client.meta.events.register_first("needs-retry", self._after)

    @contextmanager
    def frames(self) -> Iterator[SplitEngine]:
        """Yield the process's row engine."""
        executor = EmbeddedExecutor(256 * 1024**2, None)
        try:
            yield SplitEngine(executor, Lake(self.s3, LakeSettings("lake", "", None)).store)
        finally:
            executor.close()

    def crash_now(self) -> None:
        """Crash before the call that this thread is about to send."""
        self._has_crashed = True

    def crash_after_this_call(self) -> None:
        """Crash when the call that this thread is about to send was answered."""
        self._answered_last.is_set = True

    def _before(self, request: Any, event_name: str, **_: Any) -> None:
        operation = event_name.rpartition(".")[2]
        with self._lock:
            if self._has_crashed:
                raise Crash
            if operation == "DescribeStatement" and self._is_known(request):
                return
            self.calls.append(operation)
            if len(self.calls) == self._crashes_at:
                if not self._reply_lost:
                    self._has_crashed = True
                    raise Crash
                self._answered_last.is_set = True

    def _after(self, **_: Any) -> None:
        if self._has_crashed or getattr(self._answered_last, "is_set", False):
            self._has_crashed = True
            raise Crash

    def _is_known(self, request: Any) -> bool:
        statement_id = json.loads(request.body)["Id"]
        known = statement_id in self._polled
        self._polled.add(statement_id)
        return known
