"""The embedded frame engine: DuckDB in the same process, on segments of the source files.

Bytes from S3 are cut into segments of sound records, and each segment becomes a staging file in
S3. The stages run concurrently, with at most a few segments in memory.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from framework.model.files import SourceBatch
from framework.model.measurements import BadRow, ColumnProfile, FileMeasurement, Measurements
from framework.model.staging import StagingColumn
from framework.rows.embedded.bad_rows import bad_rows_of_file, write_bad_rows
from framework.rows.embedded.database import connect, database_failures, new_cursor
from framework.rows.embedded.measure import column_measurements, merged_numbers, value_counts
from framework.rows.embedded.profile import Groups, column_profiles, profile_segment
from framework.rows.embedded.segments import FileCutter, Segment
from framework.rows.embedded.source import SourceSegments
from framework.rows.embedded.stage import StagedPart, measure_part, parts, stage_part
from framework.rows.embedded.tally import Tally
from framework.rows.phases import Phases
from framework.rows.protocol import ObjectStore, Watch
from framework.rows.workspace import Workspace, disk_failures, require_space

MAX_UPLOADS = 4
REPORT_SECONDS = 0.2
INTERRUPT_SECONDS = 0.05
_Result = TypeVar("_Result")


class EmbeddedFrames:
    """The FrameEngine that runs in this process. Threads may share it, with its memory and workers.

    `memory_bytes` limits DuckDB; the rest of a load's memory does not grow with its files.
    """

    name = "embedded"
    notices_replacement = True

    def __init__(self, store: ObjectStore, memory_bytes: int, directory: str | None) -> None:
        self._store = store
        self._workspace = Workspace(directory)
        try:
            self._database = connect(self._workspace.folder, memory_bytes)
        except BaseException:
            self._workspace.close()
            raise
        self._workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="rows")
        self._uploads = ThreadPoolExecutor(MAX_UPLOADS, thread_name_prefix="upload")

    @contextmanager
    def open(self, batch: SourceBatch, watch: Watch, scratch: str | None) -> Iterator[EmbeddedRows]:
        """Yield the rows of a batch; their local files are removed when the block ends. `scratch` stays empty."""
        folder = self._workspace.make_folder("load")
        try:
            with disk_failures(folder):
                # The files, and the same again for staging files.
                size = 2 * sum(layout.file.size_bytes for layout in batch.files)
                require_space(folder, size, "the load, with engine: embedded")
                yield EmbeddedRows(self, batch, folder, watch)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """End the workers and remove all files."""
        self._pool.shutdown(cancel_futures=True)
        self._uploads.shutdown(cancel_futures=True)
        self._database.close()
        self._workspace.close()


class EmbeddedRows:
    """The rows of one batch; see SourceRows."""

    def __init__(self, frames: EmbeddedFrames, batch: SourceBatch, folder: Path, watch: Watch) -> None:
        self._frames = frames
        self._batch = batch
        self._folder = folder
        self._phases = Phases()
        self._tally = Tally(batch, watch)
        self._segments = SourceSegments(batch, frames._store, folder, frames._workers, self._phases, self._tally)
        self._own = threading.local()
        self._cursors: list[duckdb.DuckDBPyConnection] = []

    @property
    def phase_seconds(self) -> Mapping[str, float]:
        """Busy seconds of fetch, read (cutting, the wait for bytes included), stage and upload."""
        return self._phases.seconds()

    def profile(self, columns: Sequence[str]) -> Mapping[str, ColumnProfile]:
        """Return the profiles of `columns` over all rows of the batch."""
        self._tally.begin("profile")

        def profile(segment: Segment) -> Groups:
            found = profile_segment(self._cursor(), segment, columns, self._batch.options)
            self._tally.add_rows(segment.records)
            return found

        return column_profiles(columns, self._run(partial(profile, segment) for segment in self._segments))

    def stage(self, columns: Sequence[StagingColumn], destination: str | None) -> Measurements:
        """Write the batch's good rows as Parquet below `destination`, and return what was measured."""
        self._tally.begin("stage")
        uploads: list[Future[None]] = []
        numbers = count()

        def stage(part: Sequence[Segment], number: int) -> StagedPart:
            if destination is None:
                staged = measure_part(self._cursor(), part, columns, self._batch.options)
            else:
                target = self._folder / f"part-{number:05d}.parquet"
                staged = stage_part(self._cursor(), part, columns, self._batch.options, target)
                if staged.rows_staged:
                    upload = partial(self._upload, target, f"{destination}/{target.name}")
                    uploads.append(self._frames._uploads.submit(copy_context().run, upload))
            self._tally.add_rows(staged.rows_read)
            return staged

        try:
            groups = parts(iter(self._segments), self._segments.segment_bytes)
            staged = self._run(partial(stage, part, next(numbers)) for part in groups)
            self._await(uploads)
        finally:
            for upload in uploads:
                upload.cancel()
            wait(uploads)
        return self._measurements(columns, staged)

    def read_bad_rows(self, columns: Sequence[StagingColumn], files: Sequence[int], limit: int) -> tuple[BadRow, ...]:
        """Return the first `limit` bad rows of some files, by file and row; one entry per offending column."""
        self._tally.begin("bad rows")
        rows: list[list[BadRow]] = []
        with database_failures():
            for cutter in self._cutters_of(files):
                segments = self._reported(self._segments.of_file(cutter.layout))
                rows += bad_rows_of_file(
                    self._cursor(), cutter, segments, columns, self._batch.options, limit - len(rows)
                )
                if len(rows) >= limit:
                    break
        return tuple(entry for row in rows for entry in row)

    def quarantine(self, columns: Sequence[StagingColumn], files: Sequence[int], destination: str) -> int:
        """Write all bad rows of the files with these ordinals as Parquet below `destination`; return how many."""
        self._tally.begin("quarantine")
        target = self._folder / "bad-rows.parquet"
        with database_failures():
            sources = [
                (cutter, self._reported(self._segments.of_file(cutter.layout))) for cutter in self._cutters_of(files)
            ]
            written = write_bad_rows(self._cursor(), sources, columns, self._batch.options, target)
        self._upload(target, f"{destination}/part-00000.parquet")
        return written

    def _cutters_of(self, files: Sequence[int]) -> list[FileCutter]:
        return [cutter for cutter in self._segments.cutters if cutter.layout.ordinal in files]

    def _run(self, work: Iterable[Callable[[], _Result]]) -> list[_Result]:
        """Run the pieces of work concurrently, each as soon as it arrives; return their results in order."""
        begun: list[Future[_Result]] = []
        try:
            for piece in work:
                begun.append(self._frames._pool.submit(copy_context().run, self._stage_phase, piece))
                # A failure stops the fetching of later files.
                for ended in [future for future in begun if future.done() and future.exception() is not None]:
                    ended.result()
            self._await(begun)
            return [future.result() for future in begun]
        except BaseException:
            self._give_up(begun)
            raise

    def _await(self, begun: Sequence[Future[Any]]) -> None:
        """Wait for work and report progress meanwhile; raise the first failure."""
        waiting: Collection[Future[Any]] = begun
        while waiting:
            ended, waiting = wait(waiting, REPORT_SECONDS, FIRST_EXCEPTION)
            self._tally.report()
            for future in (future for future in begun if future in ended):
                future.result()

    def _give_up(self, begun: Sequence[Future[Any]]) -> None:
        """Interrupt the running work and wait for its end."""
        waiting: Collection[Future[Any]] = [future for future in begun if not future.cancel()]
        while waiting:
            # In a loop, because a query that is about to start misses an interrupt.
            for cursor in list(self._cursors):
                cursor.interrupt()
            _, waiting = wait(waiting, INTERRUPT_SECONDS)

    def _reported(self, segments: Iterable[Segment]) -> Iterator[Segment]:
        for segment in segments:
            self._tally.report()
            yield segment
            self._tally.add_rows(segment.records)

    def _stage_phase(self, piece: Callable[[], _Result]) -> _Result:
        with self._phases.busy("stage"), database_failures():
            return piece()

    def _upload(self, path: Path, url: str) -> None:
        with self._phases.busy("upload"):
            self._frames._store.upload(path, url)
        path.unlink()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """Return this thread's cursor; threads may not share one."""
        if not hasattr(self._own, "cursor"):
            self._own.cursor = new_cursor(self._frames._database)
            self._cursors.append(self._own.cursor)
        cursor: duckdb.DuckDBPyConnection = self._own.cursor
        return cursor

    def _measurements(self, columns: Sequence[StagingColumn], staged: Sequence[StagedPart]) -> Measurements:
        found = merged_numbers(columns, [part.numbers for part in staged])
        files = []
        for cutter in self._segments.cutters:
            ordinal = cutter.layout.ordinal
            bad = cutter.malformed_count + sum(part.bad_by_file.get(ordinal, 0) for part in staged)
            files.append(FileMeasurement(ordinal, cutter.records, cutter.records - bad, bad))
        return Measurements(
            files=tuple(files),
            columns=column_measurements(columns, found),
            malformed_rows=sum(cutter.malformed_count for cutter in self._segments.cutters),
            values=value_counts(columns, found) if all(part.is_measured for part in staged) else {},
        )
