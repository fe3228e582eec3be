"""The executor in this process: tasks in threads, with one DuckDB.

More tasks are under way than there are cores, so that some fetch or upload while others work.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import TypeVar

from framework.model.files import SourceBatch
from framework.rows.bench import Bench, KeptSplit
from framework.rows.job import Job, Task, TaskResult
from framework.rows.protocol import Watch
from framework.rows.segments import SplitRecords
from framework.rows.sql.database import connect
from framework.rows.tally import Tally
from framework.rows.task import perform
from framework.rows.workspace import Workspace, disk_failures, require_space

MOST_AHEAD = 4
"""Tasks that fetch or upload while others have the cores."""
REPORT_SECONDS = 0.2
INTERRUPT_SECONDS = 0.05
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Found = TypeVar("_Found")


class EmbeddedExecutor:
    """The Executor that runs in this process. Threads may share it, with its memory and cores.

    `memory_bytes` limits DuckDB; the rest of a load's memory does not grow with its files.
    """

    name = "embedded"

    def __init__(self, memory_bytes: int, directory: str | None) -> None:
        self.workspace = Workspace(directory)
        try:
            self.database = connect(self.workspace.folder, memory_bytes)
        except BaseException:
            self.workspace.close()
            raise
        self.cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.slots = threading.BoundedSemaphore(self.cores)
        self.tasks = ThreadPoolExecutor(self.cores + min(self.cores, MOST_AHEAD), thread_name_prefix="rows")
        # A stream's task waits for its splits: they have threads of their own.
        self.splits = ThreadPoolExecutor(self.cores, thread_name_prefix="split")

    @contextmanager
    def open(self, batch: SourceBatch, watch: Watch) -> Iterator[EmbeddedSession]:
        """Yield a session; its local files are removed when the block ends."""
        folder = self.workspace.make_folder("load")
        try:
            with disk_failures(folder):
                # The files, and the same again for staging files.
                size = 2 * sum(layout.file.size_bytes for layout in batch.files)
                require_space(folder, size, "the load, with engine: embedded")
                yield EmbeddedSession(self, batch, folder, watch)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """End the threads and remove all files."""
        self.tasks.shutdown(cancel_futures=True)
        self.splits.shutdown(cancel_futures=True)
        self.database.close()
        self.workspace.close()


class EmbeddedSession:
    """Runs tasks of one batch; see Session."""

    def __init__(self, executor: EmbeddedExecutor, batch: SourceBatch, folder: Path, watch: Watch) -> None:
        self._executor = executor
        self._tally = Tally(batch, watch)
        self._bench = _SharedBench(executor, folder, self._tally)
        self.cores = executor.cores

    @property
    def phase_seconds(self) -> Mapping[str, float]:
        """Busy seconds of fetch, read (checking and cutting), stage and upload."""
        return self._bench.phases.seconds()

    def run(self, step: str, job: Job[_Found], tasks: Sequence[Task]) -> list[TaskResult[_Found]]:
        """Return the result of each task, in their order."""
        self._tally.begin(step)
        begun: list[Future[TaskResult[_Found]]] = []
        try:
            for task in tasks:
                work = partial(perform, job, task, self._bench)
                begun.append(self._executor.tasks.submit(copy_context().run, work))
            waiting: Collection[Future[TaskResult[_Found]]] = begun
            while waiting:
                ended, waiting = wait(waiting, REPORT_SECONDS, FIRST_EXCEPTION)
                self._tally.report()
                for future in ended:
                    future.result()
            return [future.result() for future in begun]
        except BaseException:
            self._give_up(begun)
            raise

    def _give_up(self, begun: Sequence[Future[TaskResult[_Found]]]) -> None:
        """Interrupt the running work and wait for its end."""
        self._bench.give_up()
        waiting: Collection[Future[TaskResult[_Found]]] = [future for future in begun if not future.cancel()]
        while waiting:
            # In a loop, because a query that is about to start misses an interrupt.
            for cursor in list(self._bench.cursors):
                cursor.interrupt()
            _, waiting = wait(waiting, INTERRUPT_SECONDS)


def _has_failed(futures: Sequence[Future[_Result]]) -> bool:
    return any(future.done() and future.exception() is not None for future in futures)


class _GivenUp(Exception):
    """The pass has ended; nobody waits for this task."""


def _has_same_files(one: SplitRecords | None, other: SplitRecords | None) -> bool:
    """Return whether records are the same, whatever their fields are called by now."""
    return one is other or (one is not None and other is not None and one.malformed_path == other.malformed_path)


class _SharedBench(Bench):
    """The bench of all threads. What a pass has read is kept for the next one."""

    def __init__(self, executor: EmbeddedExecutor, folder: Path, tally: Tally) -> None:
        super().__init__(folder, executor.database)
        self._executor = executor
        self._tally = tally
        self._kept: dict[int, dict[int, KeptSplit]] = {}
        self._is_given_up = False

    def give_up(self) -> None:
        """Make the tasks that are under way end soon, and no other begin."""
        self._is_given_up = True

    def heard(self, size_bytes: int) -> None:
        if self._is_given_up:
            raise _GivenUp
        self._tally.add_bytes(size_bytes)

    def read(self, records: int) -> None:
        self._tally.add_rows(records)

    def slot(self) -> AbstractContextManager[object]:
        if self._is_given_up:
            raise _GivenUp
        return self._executor.slots

    def each(self, do: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """Hand the items to all cores; two more than these wait at most."""
        room = threading.BoundedSemaphore(self._executor.cores + 2)
        begun: list[Future[_Result]] = []
        try:
            for item in items:
                while not room.acquire(timeout=REPORT_SECONDS):
                    self.heard(0)
                future = self._executor.splits.submit(copy_context().run, partial(do, item))
                future.add_done_callback(lambda _: room.release())
                begun.append(future)
                if _has_failed(begun[-self._executor.cores - 3 :]):
                    break
            return [future.result() for future in begun]
        finally:
            for future in begun:
                future.cancel()
            wait(begun)

    def kept(self, file: int, split: int | None) -> list[KeptSplit]:
        splits = self._kept.get(file, {})
        if split is None:
            return [splits[number] for number in sorted(splits)]
        return [splits[split]] if split in splits else []

    def keep(self, splits: Iterable[KeptSplit]) -> None:
        for report, records in splits:
            before = self._kept.setdefault(report.file, {}).get(report.split)
            if before is not None and not _has_same_files(before[1], records):
                super().keep([before])
            self._kept[report.file][report.split] = report, records
