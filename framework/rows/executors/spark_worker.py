"""What runs in a Spark worker: one task, in a folder and with a database of its own.

Packages that a worker may lack are imported when a task begins, so that the lack of one is reported as a result.
"""

from __future__ import annotations

import pickle
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framework import __version__
from framework.dataclass import dataclass
from framework.errors import MachineError, PipelineError, TransientWarehouseError

if TYPE_CHECKING:
    from framework.rows.job import Job, Task, TaskResult

WORKER_REMEDY = (
    "Workers must run the driver's packages: set PYSPARK_PYTHON to the same environment on every node, "
    "or ship one by spark.archives (docs/glue.md)."
)


HOLD_SECONDS = 0.5
"""A task that reaches for a worker keeps it for so long."""


@dataclass(frozen=True)
class TaskLimits:
    """What a task may use.

    `memory_bytes` limits its DuckDB. Messages say what helps `if_too_little`, and what does `if_killed`. `attempts` is
    how often Spark starts a task before it gives up. Temporary files are written to the worker's working directory,
    which a cluster removes; where it `is_local`, that is the user's own folder, and they are written to the system's
    temporary folder.
    """

    memory_bytes: int
    if_too_little: str
    if_killed: str
    threads: int
    attempts: int
    is_local: bool


@dataclass(frozen=True)
class Order:
    """What all tasks of a job share."""

    job: Job[Any]
    limits: TaskLimits


def versions() -> Mapping[str, str]:
    """Return the versions that must be the same in the driver and in its workers.

    Raises:
        ImportError: DuckDB is not installed.
    """
    import duckdb

    return {
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "feedway": __version__,
        "duckdb": duckdb.__version__,
    }


def work(driver: Mapping[str, str], order: bytes, task: bytes) -> TaskResult[Any] | PipelineError:
    """Perform a pickled task of a pickled Order; return its result, or an error that no repetition would change.

    `driver` has the driver's versions; nothing is unpickled where the worker's differ.

    Raises:
        TransientWarehouseError: S3 failed in a way that may pass, and Spark has attempts left.
    """
    try:
        mine = versions()
        if mine != driver:
            return _other_versions(driver, mine)
        given: Order = pickle.loads(order)
        return _within_limits(given, pickle.loads(task))
    except ImportError as error:
        return MachineError(f"{_here()} cannot run tasks: {error}. {WORKER_REMEDY}")


def reach(driver: Mapping[str, str], order: bytes, _: int) -> str | PipelineError:
    """Read a file by a store, both pickled in `order`; return this worker's host, or why it cannot run tasks."""
    try:
        mine = versions()
        if mine != driver:
            return _other_versions(driver, mine)
        store, file = pickle.loads(order)
        store.read_range(file, 0, file.size_bytes, _unheard)
        # The next task then starts in another worker.
        time.sleep(HOLD_SECONDS)
        return socket.gethostname()
    except ImportError as error:
        return MachineError(f"{_here()} cannot run tasks: {error}. {WORKER_REMEDY}")
    except PipelineError as error:
        return error


def _unheard(number_of_bytes: int) -> None:
    pass


def _within_limits(order: Order, task: Task) -> TaskResult[Any] | PipelineError:
    import duckdb

    try:
        return _perform(order, task)
    except TransientWarehouseError as error:
        if _attempt() < order.limits.attempts:
            raise
        return error
    except MachineError as error:
        return MachineError(f"{_here()}: {error}")
    except PipelineError as error:
        if isinstance(error.__cause__, duckdb.OutOfMemoryException):
            return PipelineError(f"DuckDB ran out of memory; {order.limits.if_too_little}: {error.__cause__}")
        return error


def _perform(order: Order, task: Task) -> TaskResult[Any]:
    from framework.rows.bench import Bench
    from framework.rows.sql.database import connect
    from framework.rows.task import perform
    from framework.rows.workspace import Workspace, disk_failures

    limits = order.limits
    # It also removes the folders of workers that were killed here.
    workspace = Workspace(None if limits.is_local else str(Path.cwd()))
    folder = workspace.folder
    try:
        with disk_failures(folder), connect(folder, limits.memory_bytes, limits.threads) as database:
            return perform(order.job, task, Bench(folder, database))
    finally:
        workspace.close()


def _attempt() -> int:
    """Return the number of this attempt of the task, from 1."""
    from pyspark import TaskContext

    context = TaskContext.get()
    assert context is not None
    return context.attemptNumber() + 1


def _other_versions(driver: Mapping[str, str], mine: Mapping[str, str]) -> MachineError:
    different = [f"{name} {mine[name]}, the driver {driver[name]}" for name in driver if mine.get(name) != driver[name]]
    return MachineError(f"{_here()} has {'; '.join(different)}. {WORKER_REMEDY}")


def _here() -> str:
    return f"the Spark worker on {socket.gethostname()} ({sys.executable})"
