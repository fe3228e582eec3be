"""Spark's jobs under watch: how far they are, and their end when the watch raises."""

from __future__ import annotations

import time
import uuid
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from pyspark import SparkContext, SparkStageInfo
from pyspark.util import inheritable_thread_target

from framework.rows.protocol import Watch

REPORT_SECONDS = 0.5
CANCEL_SECONDS = 0.1
LONGEST_CANCEL_SECONDS = 20.0
_Result = TypeVar("_Result")


def watched(context: SparkContext, watch: Watch, step: str, work: Callable[[], _Result]) -> _Result:
    """Return what the work returns; meanwhile report how many of its job's tasks are done.

    What the watch raises cancels the job, and is raised here, when no task is left that would still write.
    """
    group = f"feedway-{uuid.uuid4().hex}"

    def run() -> _Result:
        context.setJobGroup(group, f"feedway: {step}", interruptOnCancel=True)
        return work()

    with warnings.catch_warnings():
        # Spark 4 warns that tags of the session are not inherited; Spark 3.5 has none.
        warnings.simplefilter("ignore", UserWarning)
        inheriting = inheritable_thread_target(run)
    # Spark answers a call when its job has ended, so the watch needs a thread beside it.
    with ThreadPoolExecutor(1, thread_name_prefix="spark") as pool:
        future: Future[_Result] = pool.submit(inheriting)
        try:
            while wait([future], REPORT_SECONDS).not_done:
                watch(step, **_tasks(context, group))
        except BaseException:
            _cancel(context, group, future)
            raise
        return future.result()


def _cancel(context: SparkContext, group: str, future: Future[_Result]) -> None:
    """Cancel the job, and wait until it has ended and no task is left that would still write."""
    # Repeatedly: the job may not have begun.
    while not future.done():
        context.cancelJobGroup(group)
        wait([future], CANCEL_SECONDS)
    # Spark kills the worker of a task that does not end within two to four seconds, and counts the task until then.
    patient_until = time.monotonic() + LONGEST_CANCEL_SECONDS
    while any(stage.numActiveTasks for stage in _stages(context, group)) and time.monotonic() < patient_until:
        time.sleep(CANCEL_SECONDS)


def _tasks(context: SparkContext, group: str) -> dict[str, int]:
    """Return how many tasks the group's jobs have, as far as Spark has planned them, and how many are done."""
    stages = _stages(context, group)
    return {
        "tasks_done": sum(stage.numCompletedTasks for stage in stages),
        "tasks_total": sum(stage.numTasks for stage in stages),
    }


def _stages(context: SparkContext, group: str) -> list[SparkStageInfo]:
    tracker = context.statusTracker()
    jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
    stages = [tracker.getStageInfo(stage) for job in jobs if job is not None for stage in job.stageIds]
    return [stage for stage in stages if stage is not None]
