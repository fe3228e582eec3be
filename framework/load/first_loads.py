"""The first loads of an invocation's pipelines: observed together, and recorded as STARTED together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from framework.dataclass import dataclass
from framework.errors import PipelineError
from framework.load.discover import Worklist
from framework.load.request import LoadRequest, names_files
from framework.load.services import Services
from framework.log.retries import log_retries_to
from framework.model.failure import NOT_BEGUN
from framework.model.names import TableName
from framework.model.observation import OUTAGE_MARK, Observation
from framework.plan.audit import RunNames
from framework.plan.schema_changes import views_above
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.audit import write_audit
from framework.warehouse.catalog import ToObserve, observe_all
from framework.warehouse.control_tables import lacks_nothing
from framework.warehouse.session import WarehouseSession

FRESH_SECONDS = 60.0
"""How long the listing and the observation that an invocation begins with serve a pipeline's first load."""


@dataclass(frozen=True)
class Opening:
    """A pipeline whose files are listed. `names` are those of its first load; `unmatched` files are to be reported."""

    spec: PipelineSpec
    request: LoadRequest
    work: Worklist
    unmatched: tuple[str, ...]
    names: RunNames

    @property
    def target(self) -> TableName:
        """The table that is loaded."""
        return self.spec.target.table


class _StartGroup:
    """First loads that are recorded as STARTED together."""

    def __init__(self, members: Sequence[Opening], record: Callable[[], Future[None]]) -> None:
        self.members = members
        self._record = record
        self._recording: Future[None] | None = None

    @property
    def is_recorded(self) -> bool:
        """Whether the loads are in the audit."""
        recording = self._recording
        return recording is not None and not recording.cancelled() and recording.exception() is None

    def recording(self) -> Future[None]:
        """Return the recording, which begins with the first call."""
        if self._recording is None:
            self._recording = self._record()
        return self._recording


class FirstLoads:
    """What the first loads of the pipelines share. Loads in several threads may ask for it."""

    def __init__(self, services: Services, warehouse: WarehouseSession) -> None:
        self._services = services
        self._warehouse = warehouse
        self._lock = threading.Lock()
        self._observed: dict[str, Observation] = {}
        self._observed_at = 0.0
        self._begun: set[TableName] = set()
        self._changed: set[TableName] = set()
        self._starts: dict[str, _StartGroup] = {}
        self._begun_runs: set[str] = set()
        self._writers = ThreadPoolExecutor(1, thread_name_prefix="started")

    def close(self) -> None:
        """Record an end for loads that were recorded as STARTED and have not begun."""
        self._writers.shutdown(cancel_futures=True)
        groups = dict.fromkeys(self._starts.values())
        recorded = [opening for group in groups if group.is_recorded for opening in group.members]
        now, message = self._services.now(), f"{OUTAGE_MARK}the command ended before the load began"
        rows = [
            replace(opening.names.audit_row(file, "FAILED", now, message), failure=NOT_BEGUN)
            for opening in recorded
            if opening.names.run_id not in self._begun_runs
            for file in opening.work.loads[0]
        ]
        try:
            if rows:
                write_audit(self._warehouse, rows, attempts=1)
        except PipelineError as error:
            self._warehouse.log.error("could not record that loads have not begun", error=str(error))

    def observe(self, openings: Sequence[Opening]) -> None:
        """Observe the targets of all openings, in one submission if it has room for them.

        Raises:
            WarehouseError: the warehouse refuses, or does not answer.
        """
        feeds = [ToObserve(opening.spec, opening.work.etags) for opening in openings]
        self._observed_at = time.monotonic()
        for opening, found in zip(openings, observe_all(self._warehouse, feeds, attempts=1), strict=True):
            # A target that is unusable fails its own load, which finds it so.
            if isinstance(found, Observation):
                self._observed[opening.spec.pipeline] = found

    def observation(self, opening: Opening) -> Observation | None:
        """Return the shared observation for a pipeline's first load, which begins; None where it observes itself.

        It serves for FRESH_SECONDS, unless a load of this invocation may have changed the target or a view since.
        """
        with self._lock:
            is_first = opening.target not in self._begun
            self._begun.add(opening.target)
            self._begun_runs.add(opening.names.run_id)
            observed = self._observed.pop(opening.spec.pipeline, None)
            if observed is None or not is_first or time.monotonic() - self._observed_at > FRESH_SECONDS:
                return None
            above = views_above([opening.target], observed.dependencies)
            own = {opening.target, *above, *(view.view for view in opening.spec.views)}
            return None if own & self._changed else observed

    def changes(self, relations: Iterable[TableName]) -> None:
        """Note that a load is about to change a target or views."""
        with self._lock:
            self._changed.update(relations)

    def start_of(self, run_id: str) -> Future[None] | None:
        """Return the recording of a first load as STARTED, which may still be under way; None where it is not shared.

        The first load of a group records all of the group: they begin about now.
        """
        with self._lock:
            group = self._starts.get(run_id)
            return None if group is None else group.recording()

    def group(self, openings: Sequence[Opening], has_expired_runs: Callable[[str], bool]) -> None:
        """Group the first loads that begin at the same time, without those that have something to do before."""
        size = self._services.environment.parallel
        for place in range(0, len(openings), size):
            side_by_side = openings[place : place + size]
            members = [
                each for each in side_by_side if self._is_ready(each) and not has_expired_runs(each.spec.pipeline)
            ]
            group = _StartGroup(members, partial(self._writers.submit, self._record, members))
            self._starts.update((opening.names.run_id, group) for opening in members)

    def _is_ready(self, opening: Opening) -> bool:
        """Return whether all that a first load does before it is recorded as STARTED is known to be nothing."""
        observed = self._observed.get(opening.spec.pipeline)
        if observed is None or names_files(opening.request) or observed.journal:
            return False
        files = opening.work.loads[0]
        if any(observed.history_of(file.source.identity).generation for file in files):
            return False
        return lacks_nothing(self._warehouse.control_schema, opening.target, observed)

    def _record(self, openings: Sequence[Opening]) -> None:
        rows = [opening.names.audit_row(file, "STARTED") for opening in openings for file in opening.work.loads[0]]
        with log_retries_to(self._warehouse.log):
            write_audit(self._warehouse, rows, attempts=1)
