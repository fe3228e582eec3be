"""The frame engine that runs on Spark."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from pyspark.sql import SparkSession

from framework.errors import SpecError
from framework.model.files import SourceBatch
from framework.model.measurements import BadRow, ColumnProfile, Measurements
from framework.model.staging import StagingColumn
from framework.rows.choice import embedded_only
from framework.rows.protocol import ObjectStore, Watch
from framework.rows.spark.bad_rows import read_bad_rows
from framework.rows.spark.copies import FileCopier
from framework.rows.spark.failures import process_failures
from framework.rows.spark.jobs import watched
from framework.rows.spark.profile import profile
from framework.rows.spark.quarantine import write_bad_rows
from framework.rows.spark.source import SparkSource
from framework.rows.spark.stage import stage
from framework.rows.workspace import Workspace, disk_failures

_Result = TypeVar("_Result")


class SparkFrames:
    """Handles rows on a session made by `make_session`; see FrameEngine.

    `directory` holds the parts of copies on their way, the system's temporary folder by default.
    """

    name = "spark"
    notices_replacement = False

    def __init__(self, session: SparkSession, store: ObjectStore, directory: str | None) -> None:
        self.session = session
        self._store = store
        self._workspace = Workspace(directory)

    @contextmanager
    def open(self, batch: SourceBatch, watch: Watch, scratch: str | None) -> Iterator[SparkRows]:
        """Yield the rows of a batch; copies of its files stay below `scratch`.

        Raises:
            SpecError: the files are written in a way that only the embedded engine reads.
        """
        if (option := embedded_only(batch)) is not None:
            raise SpecError(f"the spark engine cannot do {option}. Set engine: embedded or auto in environments.yml.")
        folder = self._workspace.make_folder("copies")
        try:
            copier = FileCopier(self._store, folder, scratch, batch.options) if scratch else None
            with disk_failures(folder):
                with process_failures():
                    source = SparkSource(self.session, batch, copier)
                yield SparkRows(source, copier, watch)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Remove what is on disk; the session is its maker's."""
        self._workspace.close()


class SparkRows:
    """The rows of one batch; see SourceRows for what each call does."""

    def __init__(self, source: SparkSource, copier: FileCopier | None, watch: Watch) -> None:
        self._source = source
        self._copier = copier
        self._watch = watch

    @property
    def phase_seconds(self) -> Mapping[str, float]:
        """Busy seconds of copying; Spark's stages combine all other phases."""
        return self._copier.phases.seconds() if self._copier else {}

    def profile(self, columns: Sequence[str]) -> Mapping[str, ColumnProfile]:
        """Return the profiles of `columns` over all rows of the batch, read in one job."""
        return self._watched("profile", lambda: profile(self._source, columns))

    def stage(self, columns: Sequence[StagingColumn], destination: str | None) -> Measurements:
        """Write the batch's good rows as Parquet below `destination`, and return what was measured."""
        return self._watched("stage", lambda: stage(self._source, columns, destination))

    def read_bad_rows(self, columns: Sequence[StagingColumn], files: Sequence[int], limit: int) -> tuple[BadRow, ...]:
        """Return the first `limit` bad rows of some files, by file and row; one entry per offending column."""
        return self._watched("bad rows", lambda: read_bad_rows(self._source, columns, files, limit))

    def quarantine(self, columns: Sequence[StagingColumn], files: Sequence[int], destination: str) -> int:
        """Write all bad rows of the files with these ordinals as Parquet below `destination`; return how many."""
        return self._watched("quarantine", lambda: write_bad_rows(self._source, columns, files, destination))

    def _watched(self, step: str, work: Callable[[], _Result]) -> _Result:
        return watched(self._source.spark, self._copier, self._watch, step, work)
