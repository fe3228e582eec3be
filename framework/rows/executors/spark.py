"""The executor on Spark: each round of tasks is one job, and its tasks run in Spark's Python workers."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from pyspark.sql import SparkSession

from framework.errors import PipelineError
from framework.model.files import SourceBatch, SourceFile
from framework.rows.executors.spark_failures import spark_failures
from framework.rows.executors.spark_jobs import watched
from framework.rows.executors.spark_limits import concurrent_tasks, task_cpus, task_limits
from framework.rows.executors.spark_session import context_of
from framework.rows.executors.spark_worker import Order, reach, versions, work
from framework.rows.job import Job, Task, TaskResult
from framework.rows.protocol import ObjectStore, Watch

_Found = TypeVar("_Found")


class SparkExecutor:
    """The Executor whose tasks run in the workers of a Spark session. Threads may share it.

    `memory_bytes` limits DuckDB, in a task on a cluster and in all concurrent tasks of a local session.
    """

    name = "spark"

    def __init__(self, session: SparkSession, memory_bytes: int) -> None:
        """Use a session, which the caller stops.

        Raises:
            SpecError: it is a session of Spark Connect.
            MachineError: its executors have too little memory.
        """
        self.context = context_of(session)
        self._settings = dict(self.context.getConf().getAll())
        self.limits = task_limits(self._settings, memory_bytes)

    @property
    def cores(self) -> int:
        """How many tasks run at a time, or will where Spark may start more executors than there are now.

        Raises:
            WarehouseError: Spark has ended.
        """
        with spark_failures(self.context, self.limits):
            now = self.context.defaultParallelism // task_cpus(self._settings)
        later = 0
        if self._settings.get("spark.dynamicAllocation.enabled") == "true":
            executors = int(self._settings.get("spark.dynamicAllocation.maxExecutors", 0))
            later = executors * concurrent_tasks(self._settings)
        return max(1, now, later)

    def reach(self, store: ObjectStore, file: SourceFile) -> list[str]:
        """Read a small file in as many tasks as run at a time; return the host of each.

        Raises:
            PipelineError: a worker has other versions, lacks a package, or cannot read the file.
            WarehouseError: Spark has ended.
        """
        tasks = self.cores
        look = partial(reach, versions(), pickle.dumps((store, file)))
        with spark_failures(self.context, self.limits):
            outcomes = self.context.parallelize(range(tasks), tasks).map(look).collect()
        for outcome in outcomes:
            if isinstance(outcome, PipelineError):
                raise outcome
        return [str(outcome) for outcome in outcomes]

    @contextmanager
    def open(self, batch: SourceBatch, watch: Watch) -> Iterator[SparkRun]:
        """Yield a session; it keeps no files."""
        yield SparkRun(self, watch)


class SparkRun:
    """Runs tasks of one batch; see Session."""

    def __init__(self, executor: SparkExecutor, watch: Watch) -> None:
        self._executor = executor
        self._watch = watch
        self.cores = executor.cores
        self.phase_seconds: Mapping[str, float] = {}

    def run(self, step: str, job: Job[_Found], tasks: Sequence[Task]) -> list[TaskResult[_Found]]:
        """Return the result of each task, in their order, by one job.

        Raises:
            PipelineError: a task could not do its work, after Spark has repeated what may pass.
            MachineError: workers have ended, as without memory, or lack what they need.
            WarehouseError: Spark has ended.
        """
        context, limits = self._executor.context, self._executor.limits
        # Pickled apart, so that a worker compares versions before it unpickles anything of ours.
        perform = partial(work, versions(), pickle.dumps(Order(job, limits)))
        pickled = [pickle.dumps(task) for task in tasks]

        def collect() -> list[TaskResult[_Found] | PipelineError]:
            return context.parallelize(pickled, len(pickled)).map(perform).collect()

        with spark_failures(context, limits):
            outcomes = watched(context, self._watch, step, collect)
        results = []
        for outcome in outcomes:
            if isinstance(outcome, PipelineError):
                raise outcome
            results.append(outcome)
        return results
