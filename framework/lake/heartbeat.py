"""Heartbeats and traces: how runs distinguish a running invocation from a crashed one, and find what it has left."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from contextvars import copy_context
from datetime import datetime
from functools import cached_property

from framework.dataclass import dataclass
from framework.errors import PipelineError
from framework.lake.bucket import LakeObject
from framework.lake.lake import Lake
from framework.log.run_log import RunLog

RENEW_SECONDS = 30.0
RUNNING, UNFINISHED = "RUNNING", "UNFINISHED"
_STAGING = "staging/"
_HEARTBEATS = "_alive"
_MARKERS = ".views-down"
_ID = re.compile("[0-9a-f]{32}")
"""An invocation_id or run_id. Objects below other names were written by an earlier release, or by somebody else."""


def run_prefix(lake: Lake, pipeline: str, invocation_id: str, run_id: str) -> str:
    """Return the key prefix of a run's staging files."""
    return lake.key(f"{_STAGING}{pipeline}/{invocation_id}/{run_id}/")


def heartbeat_key(lake: Lake, invocation_id: str) -> str:
    """Return the key of an invocation's heartbeat."""
    return lake.key(f"{_STAGING}{_HEARTBEATS}/{invocation_id}")


def markers_prefix(lake: Lake, ledger: str) -> str:
    """Return the prefix of the markers that runs leave while they have dropped views on a target.

    The markers are `{pipeline}/{invocation_id}/{run_id}` below it. A run with nothing to load sees them in a listing,
    which costs no call to the warehouse.
    """
    return lake.key(f"{_STAGING}{_MARKERS}/{ledger}/")


class Heartbeat:
    """From its start to its stop, `staging/_alive/{invocation_id}` is refreshed every 30 s.

    The object holds what `content` returns. A refresh that fails is logged, and the next one comes 30 s later: if S3 is
    really out of reach, the loads themselves fail.
    """

    def __init__(self, lake: Lake, log: RunLog, content: Callable[[], str]) -> None:
        self._lake = lake
        self._log = log
        self._content = content
        self._key = heartbeat_key(lake, log.run_id)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._refresh,), name=f"alive-{log.run_id}", daemon=True
        )

    def start(self) -> None:
        """Write the heartbeat, and refresh it from now on.

        Raises:
            WarehouseError: it cannot be written.
        """
        self._lake.put(self._key, self._content())
        self._thread.start()

    def stop(self) -> None:
        """End the refreshing; the object stays."""
        self._stop.set()
        self._thread.join()

    def _refresh(self) -> None:
        while not self._stop.wait(RENEW_SECONDS):
            try:
                self._lake.put(self._key, self._content())
            except PipelineError as error:
                self._log.warning("the heartbeat could not be refreshed", error=str(error))


@dataclass(frozen=True)
class RunTrace:
    """A run and the keys of its objects in the staging folder; `seen_at` is when it last wrote one, by S3's clock."""

    pipeline: str
    invocation_id: str
    run_id: str
    seen_at: datetime
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Activity:
    """What invocations have in the staging folder: heartbeats, traces of runs, and the keys of markers.

    `now` is S3's time, None where the folder is empty.
    """

    now: datetime | None
    dead_after_seconds: int
    heartbeats: Mapping[str, datetime]
    runs: tuple[RunTrace, ...]
    markers: tuple[str, ...]

    def is_active(self, run_id: str, invocation_id: str | None) -> bool:
        """Return whether a run may still be at work: its invocation's heartbeat or its own latest object is fresh."""
        seen_at = self.seen_at(run_id, invocation_id)
        return seen_at is not None and self._is_fresh(seen_at)

    def status_of(self, run_id: str, invocation_id: str | None) -> str:
        """Return the status of a load that has no end: RUNNING, or UNFINISHED where it was killed."""
        return RUNNING if self.is_active(run_id, invocation_id) else UNFINISHED

    def seen_at(self, run_id: str, invocation_id: str | None) -> datetime | None:
        """Return when a run or its invocation last wrote an object; None where none of them is there."""
        seen = [self._by_run_id[run_id].seen_at] if run_id in self._by_run_id else []
        if invocation_id is not None and invocation_id in self.heartbeats:
            seen.append(self.heartbeats[invocation_id])
        return max(seen, default=None)

    @cached_property
    def _by_run_id(self) -> Mapping[str, RunTrace]:
        return {run.run_id: run for run in self.runs}

    @cached_property
    def expired_runs(self) -> list[RunTrace]:
        """Return the runs that have left something and are not at work any more."""
        return [run for run in self.runs if not self.is_active(run.run_id, run.invocation_id)]

    def expired_invocations(self) -> list[str]:
        """Return the invocations whose heartbeat has expired and none of whose runs has left anything."""
        with_runs = {run.invocation_id for run in self.runs}
        return [each for each, at in self.heartbeats.items() if not self._is_fresh(at) and each not in with_runs]

    def active_invocations(self) -> list[str]:
        """Return the invocations whose heartbeat is fresh."""
        return [each for each, at in self.heartbeats.items() if self._is_fresh(at)]

    def _is_fresh(self, seen_at: datetime) -> bool:
        return self.now is not None and (self.now - seen_at).total_seconds() <= self.dead_after_seconds


def read_activity(lake: Lake, dead_after_seconds: int, own_invocation_id: str | None = None) -> Activity:
    """Return what is in the staging folder, by one listing. Times are S3's.

    The own heartbeat, just written, is the present; without one, S3 is asked for it.
    """
    folder = lake.key(_STAGING)
    heartbeats: dict[str, datetime] = {}
    runs: dict[tuple[str, str, str], list[LakeObject]] = {}
    markers = []
    for found in lake.list_objects(folder):
        pipeline, *rest = found.key.removeprefix(folder).split("/")
        if pipeline == _MARKERS:
            markers.append(found.key)
        elif pipeline == _HEARTBEATS and rest != [""]:
            heartbeats["/".join(rest)] = found.modified_at
        elif len(rest) > 2 and all(map(_ID.fullmatch, rest[:2])):
            runs.setdefault((pipeline, rest[0], rest[1]), []).append(found)
    now = None if own_invocation_id is None else heartbeats.get(own_invocation_id)
    if now is None and (heartbeats or runs):
        now = lake.clock(folder)
    traces = tuple(
        RunTrace(*run, max(found.modified_at for found in objects), tuple(found.key for found in objects))
        for run, objects in runs.items()
    )
    return Activity(now, dead_after_seconds, heartbeats, traces, tuple(markers))


def pipelines_at_work(lake: Lake, activity: Activity) -> dict[str, datetime]:
    """Return the pipelines that active invocations are loading or about to load, each with the latest heartbeat."""
    found: dict[str, datetime] = {}
    for invocation_id in sorted(activity.active_invocations(), key=lambda each: activity.heartbeats[each]):
        content = lake.get(heartbeat_key(lake, invocation_id)) or b""
        found |= dict.fromkeys(content.decode("utf-8").split(), activity.heartbeats[invocation_id])
    return found
