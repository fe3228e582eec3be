"""The services of a load."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from framework.dataclass import dataclass
from framework.lake.lake import Lake
from framework.log.run_log import RunLog
from framework.model.files import SourceBatch, SourceFile
from framework.model.program import PLAIN, Program
from framework.rows.protocol import RowEngine
from framework.spec.environment import Environment
from framework.spec.pipeline import SourceSpec
from framework.warehouse.client import Warehouse


def never_interrupted() -> None:
    """Go on."""


@dataclass(frozen=True)
class Services:
    """All external services of a load; made by the command and passed in.

    `frames` chooses the row engine for a batch, and opens it at the first call: a run with nothing to do starts none.
    `invocation_id` is new for each command, `job_id` is that of the job that runs it. `check_interrupted` raises
    KeyboardInterrupt where the command was interrupted.
    """

    environment: Environment
    lake: Lake
    warehouse: Warehouse
    frames: Callable[[SourceBatch], RowEngine]
    now: Callable[[], datetime]
    new_run_id: Callable[[], str]
    open_log: Callable[[str, str], RunLog]
    job_id: str | None
    invocation_id: str
    check_interrupted: Callable[[], None] = never_interrupted
    open_ahead: Callable[[], None] = lambda: None
    """Opens what reading rows takes; called while a command with something to load waits for the warehouse."""
    reach_spark: Callable[[SourceFile], Sequence[str]] = lambda file: ()
    """Reads a small file of the lake by tasks in Spark's workers; returns the host of each task."""
    sources: Callable[[], Mapping[str, SourceSpec]] = dict
    """The sources of all feeds of the project, by pipeline, without feeds whose spec cannot be read."""
    program: Program = PLAIN
    """How messages spell a command to go on with."""
