"""The frame engine that runs on Spark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from pyspark.sql import SparkSession

from framework.frames.protocol import Watch
from framework.frames.spark.bad_rows import read_bad_rows
from framework.frames.spark.jobs import watched
from framework.frames.spark.profile import profile
from framework.frames.spark.quarantine import write_bad_rows
from framework.frames.spark.stage import stage
from framework.schema.values import BadRow, ColumnProfile, Measurements, SourceBatch, StagingColumn

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class SparkFrames:
    """Handles rows on a session made by `make_session`; see FrameEngine."""

    session: SparkSession
    name: str = "spark"
    notices_replacement: bool = False

    @contextmanager
    def open(self, batch: SourceBatch, watch: Watch) -> Iterator[SparkRows]:
        """Yield the rows of a batch; Spark keeps nothing of them."""
        yield SparkRows(self.session, batch, watch)


@dataclass
class SparkRows:
    """The rows of one batch; see SourceRows for what each call does."""

    session: SparkSession
    batch: SourceBatch
    watch: Watch
    _by_lines: frozenset[int] = field(default=frozenset(), init=False)
    """The files that staging has found to be of single lines."""

    @property
    def phase_seconds(self) -> Mapping[str, float]:
        """Nothing: Spark's stages hold all phases at once."""
        return {}

    def profile(self, columns: Sequence[str]) -> Mapping[str, ColumnProfile]:
        """Say what all rows of the batch hold in `columns`, in one job."""
        return self._watched("profile", lambda: profile(self.session, self.batch, columns))

    def stage(self, columns: Sequence[StagingColumn], destination: str | None) -> Measurements:
        """Write the batch's good rows as Parquet below `destination`, and say what was seen."""
        measurements, self._by_lines = self._watched(
            "stage", lambda: stage(self.session, self.batch, columns, destination)
        )
        return measurements

    def read_bad_rows(self, columns: Sequence[StagingColumn], files: Sequence[int], limit: int) -> tuple[BadRow, ...]:
        """Return the first `limit` bad rows of some files, by file and row; one entry per offending column."""
        return self._watched("bad rows", lambda: read_bad_rows(self.session, self.batch, columns, files, limit))

    def quarantine(self, columns: Sequence[StagingColumn], files: Sequence[int], destination: str) -> int:
        """Write all bad rows of the files with these ordinals as Parquet below `destination`; return how many."""
        return self._watched(
            "quarantine",
            lambda: write_bad_rows(self.session, self.batch, columns, files, self._by_lines, destination),
        )

    def _watched(self, step: str, work: Callable[[], _Result]) -> _Result:
        return watched(self.session, self.watch, step, work)
