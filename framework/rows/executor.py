"""The interface of an executor: it runs tasks, wherever that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from framework.model.files import SourceBatch
from framework.rows.job import Job, Task, TaskResult
from framework.rows.protocol import Watch

Found = TypeVar("Found")


class Session(Protocol):
    """Runs the tasks of one batch."""

    @property
    def cores(self) -> int:
        """How many tasks run at a time."""

    @property
    def phase_seconds(self) -> Mapping[str, float]:
        """Busy seconds by phase so far, over all threads; empty where tasks run in other processes."""

    def run(self, step: str, job: Job[Found], tasks: Sequence[Task]) -> list[TaskResult[Found]]:
        """Return the result of each of at least one tasks, in their order; the watch hears of `step` meanwhile.

        Raises what a task has raised, after it was repeated as often as the executor repeats tasks, and what the
        watch raises, when no task is left that would still write.
        """


class Executor(Protocol):
    """Opens sessions."""

    @property
    def name(self) -> str:
        """The executor's name in results and logs."""

    @property
    def cores(self) -> int:
        """How many tasks run at a time."""

    def open(self, batch: SourceBatch, watch: Watch) -> AbstractContextManager[Session]:
        """Return a context in which tasks of a batch can be run; at its end local files are removed."""
