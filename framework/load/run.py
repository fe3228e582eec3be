"""One run of a pipeline: its services, names and progress."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from framework.dataclass import dataclass
from framework.lake.heartbeat import run_prefix
from framework.lake.lake import Lake
from framework.lake.local import LocalFiles
from framework.lake.quarantine import quarantine_folder
from framework.load.first_look import Files
from framework.load.invocation import Invocation, Slot
from framework.load.request import Arriving, LoadRequest
from framework.load.services import Services
from framework.log.run_log import Event, RunLog
from framework.model.load_warning import LoadWarning
from framework.model.measurements import BadRow
from framework.model.names import TableName
from framework.plan.audit import RunNames
from framework.plan.load_plan import LoadPlan
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.session import WarehouseSession


class Step(StrEnum):
    """The steps of a load, as results and logs name them."""

    DISCOVER = "discover"
    OBSERVE = "observe"
    RECOVER = "recover"
    START = "start"
    PREPARE = "prepare"
    EVOLVE = "evolve"
    COPY = "copy"
    MERGE = "merge"
    SETTLE = "settle"

    @property
    def may_read_files(self) -> bool:
        """Whether the source files may still be read in this step."""
        return self in (Step.DISCOVER, Step.OBSERVE, Step.RECOVER, Step.START, Step.PREPARE)


class Progress:
    """The progress of a run: its step, engine, plan and duration, and the first bad rows by the key of their file."""

    def __init__(self, log: RunLog, services: Services) -> None:
        self.step = Step.DISCOVER
        self.engine: str | None = None
        self.plan: LoadPlan | None = None
        self.bad_rows: Mapping[str, tuple[BadRow, ...]] = {}
        self._log = log
        self._check_interrupted = services.check_interrupted
        self._clock_start = time.monotonic()

    @property
    def seconds(self) -> float:
        """The duration of the run so far."""
        return time.monotonic() - self._clock_start

    def enter(self, step: Step) -> None:
        """Begin a step, unless the command was interrupted: before the rows are in, a load may end between steps.

        Raises:
            KeyboardInterrupt: it was.
        """
        self.step = step
        self._log.info(Event.STEP, step=step.value)
        if step is not Step.SETTLE:
            self._check_interrupted()

    def chose(self, engine: str) -> None:
        """Set the engine that handles the rows."""
        self.engine = engine

    def plans(self, plan: LoadPlan) -> None:
        """Set the plan that the run executes next."""
        self.plan = plan

    def found_bad_rows(self, first: Mapping[str, tuple[BadRow, ...]]) -> None:
        """Set the first bad rows that the last staging has found."""
        self.bad_rows = first

    def watch(self, step: str, **numbers: int) -> None:
        """Show the progress of a pass over the rows; an interruption ends the pass, as its rows are only staged.

        Raises:
            KeyboardInterrupt: the command was interrupted.
        """
        self._log.progress(step, **numbers)
        self._check_interrupted()


class Leftovers:
    """Objects of a run that must be deleted unless they are used: its own tables, and bad rows in quarantine."""

    def __init__(self) -> None:
        self.tables: tuple[TableName, ...] = ()
        self.has_quarantine = False
        self.attempts: int | None = 1
        """Attempts per statement of the cleanup: after a failure one, as more would delay its report."""

    def made_table(self, table: TableName) -> None:
        """Note a table that exists from now on, or may."""
        self.tables = tuple(dict.fromkeys((*self.tables, table)))

    def lost_table(self, table: TableName) -> None:
        """Note that a table is gone, or is no leftover any more."""
        self.tables = tuple(each for each in self.tables if each != table)

    def wrote_bad_rows(self) -> None:
        """Note that there are bad rows in quarantine."""
        self.has_quarantine = True

    def deleted_bad_rows(self) -> None:
        """Note that there are no bad rows."""
        self.has_quarantine = False

    def loaded(self) -> None:
        """Note that the load is in: its bad rows stay, and the warehouse answers."""
        self.has_quarantine = False
        self.attempts = None


@dataclass(frozen=True)
class Run:
    """One run of a pipeline. `warnings` were found of its files before it began.

    `slot` is its room among concurrent loads, None where it reads no rows.
    """

    invocation: Invocation
    request: LoadRequest
    log: RunLog
    warehouse: WarehouseSession
    names: RunNames
    progress: Progress
    leftovers: Leftovers
    warnings: tuple[LoadWarning, ...]
    slot: Slot | None

    @property
    def spec(self) -> PipelineSpec:
        """The pipeline's spec."""
        return self.names.spec

    @property
    def services(self) -> Services:
        """All external services."""
        return self.invocation.services

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.names.run_id

    @property
    def lake(self) -> Lake:
        """The lake."""
        return self.services.lake

    @property
    def files(self) -> Files:
        """The place where the source files are read: the lake, or this machine."""
        return LocalFiles(self.lake.prefix) if isinstance(self.request, Arriving) else self.lake

    @property
    def target(self) -> TableName:
        """The table that is loaded."""
        return self.spec.target.table

    @property
    def prefix(self) -> str:
        """The key prefix of the run's staging files."""
        return run_prefix(self.lake, self.spec.pipeline, self.invocation.id, self.run_id)

    @property
    def month(self) -> str:
        """The folder of the month in which the run began."""
        return f"{self.names.started_at:%Y/%m}"

    @property
    def manifest_key(self) -> str:
        """The key under which the run lists its staging files for COPY."""
        return f"{self.prefix}manifest.json"

    @property
    def quarantine_prefix(self) -> str:
        """The key prefix of the run's bad rows."""
        return quarantine_folder(self.lake, self.spec.pipeline, self.names.started_at, self.run_id)

    @property
    def quarantine_url(self) -> str:
        """The address below which the run keeps its bad rows."""
        return self.lake.url(self.quarantine_prefix)


def begin_run(
    invocation: Invocation,
    names: RunNames,
    request: LoadRequest,
    warnings: tuple[LoadWarning, ...] = (),
    slot: Slot | None = None,
) -> Run:
    """Return a run with a log of its own, which begins now. Nothing is called yet."""
    services, pipeline = invocation.services, names.spec.pipeline
    log = services.open_log(names.run_id, pipeline)
    return Run(
        invocation,
        request,
        log,
        WarehouseSession(services.warehouse, pipeline, log),
        replace(names, started_at=services.now()),
        Progress(log, services),
        Leftovers(),
        warnings,
        slot,
    )


def log_warning(log: RunLog, warning: LoadWarning) -> None:
    """Enter a warning into the log."""
    log.warning(warning.message, rule=warning.rule, column=warning.column)
