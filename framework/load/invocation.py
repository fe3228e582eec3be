"""One invocation of Feedway: what the loads of a command share.

Its heartbeat stands for all its runs, it lists the staging folder once for all, and deletes the staging files of all
at the end. first_loads.py has what the first loads share.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Self

from framework.errors import PipelineError
from framework.lake.heartbeat import (
    Activity,
    Heartbeat,
    RunTrace,
    heartbeat_key,
    markers_prefix,
    read_activity,
)
from framework.load.first_loads import FirstLoads, Opening
from framework.load.services import Services
from framework.log.redaction import safe_message
from framework.log.retries import log_retries_to
from framework.model.names import TableName, ledger_table
from framework.parallel import map_parallel
from framework.plan.audit import RunNames
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.control_tables import Creation
from framework.warehouse.session import WarehouseSession

SHARED = "_"
"""Stands for the pipeline in the names of statements that several pipelines share."""
RUNS_PER_DELETION = 100
"""So many runs whose staging files are small have these deleted together."""


class Slot:
    """Room for one load's rows. While it is entered it is taken, unless it is given back before."""

    def __init__(self, free: threading.Semaphore) -> None:
        self._free = free
        self._is_taken = False

    def __enter__(self) -> Self:
        self._free.acquire()
        self._is_taken = True
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()

    def give_back(self) -> None:
        """Let another load begin, while this one moves its files."""
        if self._is_taken:
            self._is_taken = False
            self._free.release()


class Invocation:
    """What the loads of a command share. While it is entered, loads may run in several threads.

    With `fail_fast` no load begins after the first failure.
    """

    def __init__(self, services: Services, *, fail_fast: bool = False) -> None:
        self.services = services
        self.id = services.invocation_id
        self.creation = Creation()
        self._log = services.open_log(self.id, "run")
        self._lock = threading.RLock()
        self._pipelines: dict[str, None] = {}
        """Those that are being loaded, or wait for it."""
        self._fail_fast = fail_fast
        self._holds_loads = False
        self._begun: set[str] = set()
        self._held: set[str] = set()
        self._free_slots = threading.Semaphore(services.environment.parallel)
        self._heartbeat: Heartbeat | None = None
        self._activity: Activity | None = None
        self._recovered: set[str] = set()
        self._ended: set[str] = set()
        self._left: dict[str, Callable[[], None]] = {}
        self.first_loads = FirstLoads(services, WarehouseSession(services.warehouse, SHARED, self._log))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with log_retries_to(self._log):
            try:
                self.first_loads.close()
            finally:
                if self._heartbeat is not None:
                    self._heartbeat.stop()
                    self._clean_up()

    def slot(self) -> Slot:
        """Return one of the environment's `parallel` slots; entering it waits until one is free."""
        return Slot(self._free_slots)

    def may_begin(self, pipeline: str) -> bool:
        """Return whether a load of the pipeline may begin; it does if it may."""
        with self._lock:
            (self._held if self._holds_loads else self._begun).add(pipeline)
            return not self._holds_loads

    def has_begun(self, pipeline: str) -> bool:
        """Return whether a load of the pipeline has begun."""
        return pipeline in self._begun

    def is_held(self, pipeline: str) -> bool:
        """Return whether a load of the pipeline did not begin because of a failure."""
        return pipeline in self._held

    def failed(self) -> None:
        """Note that a load has failed, or a pipeline before its load."""
        with self._lock:
            self._holds_loads = self._fail_fast

    def new_names(self, spec: PipelineSpec) -> RunNames:
        """Return the names of a new run, which begins now."""
        services = self.services
        with self._lock:
            self._pipelines[spec.pipeline] = None
        return RunNames(
            spec,
            services.new_run_id(),
            services.job_id,
            self.id,
            services.now(),
            services.warehouse.settings.control_schema,
        )

    def prepare(self, openings: Sequence[Opening]) -> None:
        """Begin the invocation for pipelines with something to load; nothing that fails here fails a load.

        What cannot be shared, each load does for itself.
        """
        with_work = [opening for opening in openings if opening.work.loads]
        if not with_work or self._holds_loads:
            return
        with log_retries_to(self._log):
            observe = partial(self.first_loads.observe, with_work)
            shared: list[Callable[[], None]] = [self._look_around, observe, self.services.open_ahead]
            map_parallel(self._attempt, shared)
        if self._activity is not None:
            self.first_loads.group(with_work, lambda pipeline: bool(self.expired_runs(pipeline)))

    def begin(self) -> None:
        """Start the heartbeat, unless it has started.

        Raises:
            WarehouseError: it cannot be written.
        """
        with self._lock:
            if self._heartbeat is None:
                heartbeat = Heartbeat(self.services.lake, self._log, self._at_work)
                heartbeat.start()
                self._heartbeat = heartbeat

    @property
    def activity(self) -> Activity:
        """What is in the staging folder, as it was when the invocation first asked for it."""
        with self._lock:
            if self._activity is None:
                self._activity = self.read_activity()
            return self._activity

    def read_activity(self) -> Activity:
        """Return what is in the staging folder now."""
        return read_activity(self.services.lake, self.services.environment.dead_after_seconds, self.id)

    def expired_runs(self, pipeline: str) -> list[RunTrace]:
        """Return the expired runs of a pipeline that this invocation has not cleaned up after yet."""
        others = (run for run in self.activity.expired_runs if run.invocation_id != self.id)
        return [run for run in others if run.pipeline == pipeline and run.run_id not in self._recovered]

    def recovered(self, run_ids: Iterable[str]) -> None:
        """Note that runs were cleaned up after."""
        self._recovered.update(run_ids)

    def has_left_views(self, target: TableName) -> bool:
        """Return whether a run of any pipeline may have dropped views on a target and not restored them."""
        ledger = ledger_table(self.services.warehouse.settings.control_schema, target)
        prefix = markers_prefix(self.services.lake, ledger.name)
        return any(key.startswith(prefix) for key in self.activity.markers)

    def is_active(self, run_id: str, invocation_id: str | None, activity: Activity) -> bool:
        """Return whether a run may still be at work; the invocation knows which of its own runs have ended."""
        return run_id not in self._ended if invocation_id == self.id else activity.is_active(run_id, invocation_id)

    def ended(self, run_id: str) -> None:
        """Note that a run has ended; after every RUNS_PER_DELETION runs, delete their staging files."""
        with self._lock:
            self._ended.add(run_id)
            is_due = len(self._ended) % RUNS_PER_DELETION == 0
        if is_due:
            self._delete_staging()

    def not_loading(self, pipeline: str) -> None:
        """Note that a pipeline has no load left."""
        with self._lock:
            self._pipelines.pop(pipeline, None)

    def leaves(self, run_id: str, clean_up: Callable[[], None]) -> None:
        """Note that a run could not be cleaned up after; its staging files stay until `clean_up` succeeds."""
        self._left[run_id] = clean_up

    def _at_work(self) -> str:
        with self._lock:
            return "\n".join(self._pipelines)

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:
            # Whatever it is, the loads that it concerns meet it again, and the others go on.
            self._log.warning("each load does this for itself", error=safe_message(error))

    def _look_around(self) -> None:
        self.begin()
        _ = self.activity

    def _clean_up(self) -> None:
        """Clean up after runs that could not be cleaned up after before, and delete staging files and heartbeats."""
        try:
            for run_id, clean_up in list(self._left.items()):
                clean_up()
                del self._left[run_id]
        except PipelineError as error:
            self._log.warning("a run could not be cleaned up after; a later run does it", error=str(error))
        self._delete_staging(is_end=True)

    def _delete_staging(self, *, is_end: bool = False) -> None:
        """Delete the staging files of own runs that have ended; at the end those of all, and heartbeats."""
        lake = self.services.lake
        try:
            seen = self.read_activity()
            own = [run for run in seen.runs if run.invocation_id == self.id and run.run_id not in self._left]
            keys = [key for run in own if is_end or run.run_id in self._ended for key in run.keys]
            if is_end:
                ended = [*seen.expired_invocations(), *(() if self._left else (self.id,))]
                keys += [heartbeat_key(lake, each) for each in ended]
            lake.delete(keys)
        except PipelineError as error:
            self._log.warning("staging could not be deleted; a later run does it", error=str(error))
