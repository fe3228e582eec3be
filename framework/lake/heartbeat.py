"""Heartbeats: a running load refreshes an object, so that other runs can distinguish it from a crashed one."""

from __future__ import annotations

import threading
from contextvars import copy_context
from datetime import datetime
from types import TracebackType
from typing import Self

from framework.errors import PipelineError
from framework.lake.lake import Lake
from framework.log.run_log import RunLog

RENEW_SECONDS = 30.0
_NAME = "alive"


def staging_prefix(lake: Lake, pipeline: str, run_id: str = "") -> str:
    """Return the key prefix of a run's staging files; without a run, of all runs of the pipeline."""
    return lake.key(f"staging/{pipeline}/{run_id}/" if run_id else f"staging/{pipeline}/")


class Heartbeat:
    """While it is entered, `staging/{pipeline}/{run_id}/alive` is refreshed every 30 s.

    A refresh that fails is logged, and the next one comes 30 s later: if S3 is really out of reach,
    the load itself fails.
    """

    def __init__(self, lake: Lake, pipeline: str, log: RunLog) -> None:
        self._lake = lake
        self._log = log
        self._key = staging_prefix(lake, pipeline, log.run_id) + _NAME
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._refresh,), name=f"alive-{log.run_id}", daemon=True
        )

    def __enter__(self) -> Self:
        self._lake.put(self._key, self._log.run_id)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _refresh(self) -> None:
        while not self._stop.wait(RENEW_SECONDS):
            try:
                self._lake.put(self._key, self._log.run_id)
            except PipelineError as error:
                self._log.warning("the heartbeat could not be refreshed", error=str(error))


def expired_runs(lake: Lake, pipeline: str, own_run_id: str, dead_after_seconds: int) -> list[str]:
    """Return the run_ids of a pipeline's runs whose heartbeat is too old, or missing.

    Times are S3's; the own heartbeat, just written, is the present. The latest object of a run
    counts, so that a run that crashed before its first heartbeat is found too.
    """
    latest = _latest_heartbeats(lake, pipeline)
    now = latest.get(own_run_id)
    if now is None:
        return []
    others = ((run, seen) for run, seen in latest.items() if run != own_run_id)
    return [run for run, seen in others if (now - seen).total_seconds() > dead_after_seconds]


def active_runs(lake: Lake, pipeline: str, dead_after_seconds: int) -> frozenset[str]:
    """Return the run_ids of runs with a fresh heartbeat, for callers that have no run of their own."""
    latest = _latest_heartbeats(lake, pipeline)
    if not latest:
        return frozenset()
    now = lake.clock(staging_prefix(lake, pipeline))
    return frozenset(run for run, seen in latest.items() if (now - seen).total_seconds() <= dead_after_seconds)


def _latest_heartbeats(lake: Lake, pipeline: str) -> dict[str, datetime]:
    """Return when each run of a pipeline last wrote below its staging prefix, by S3's clock."""
    prefix = staging_prefix(lake, pipeline)
    latest: dict[str, datetime] = {}
    for found in lake.list_objects(prefix):
        run_id = found.key.removeprefix(prefix).partition("/")[0]
        latest[run_id] = max(found.modified_at, latest.get(run_id, found.modified_at))
    return latest
