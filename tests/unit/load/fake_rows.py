"""A row engine that has seen what a test says: profiles, and measurements of pass after pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from framework.model.files import SourceBatch, SourceFile
from framework.model.measurements import (
    BadRow,
    ColumnMeasurement,
    ColumnProfile,
    FileMeasurement,
    Measurements,
    Quarantined,
    StagingFile,
)
from framework.model.notation import Notation
from framework.model.staging import StagingColumn
from framework.rows.protocol import NOTHING_READ, SourceRows, Watch
from tests.unit.load.fake_lake import FakeLake

NOTHING_SEEN = ColumnMeasurement()
TEXTS = ColumnProfile(2, 0, 0, 0, 0, 0, 3, 0, 0, None, None)
WHOLE_NUMBERS = ColumnProfile(2, 2, 2, 0, 0, 0, 1, 1, 0, 1, 2)


@dataclass(frozen=True)
class Canned:
    """What is seen of the rows: each file holds `rows` good ones and `bad` others.

    `passes` holds what each pass of staging measures by column; the last one stands for those that follow.
    """

    rows: int = 2
    bad: int = 0
    profiles: Mapping[str, ColumnProfile] = field(default_factory=dict)
    passes: tuple[Mapping[str, ColumnMeasurement], ...] = ({},)


class FakeRows:
    """The rows of a batch that is open. Staging and quarantine leave an object in the lake."""

    phase_seconds: Mapping[str, float] = {}

    def __init__(self, batch: SourceBatch, canned: Canned, lake: FakeLake, watch: Watch) -> None:
        self._batch = batch
        self._canned = canned
        self._lake = lake
        self._watch = watch
        self._passes = 0

    def profile(self, columns: Mapping[str, Notation]) -> Mapping[str, ColumnProfile]:
        self._watch("profile")
        return {name: self._canned.profiles[name] for name in columns}

    def stage(self, columns: Sequence[StagingColumn], destination: str | None) -> Measurements:
        self._watch("stage")
        seen = self._canned.passes[min(self._passes, len(self._canned.passes) - 1)]
        self._passes += 1
        written = () if destination is None else (StagingFile(f"{destination}/0.parquet", 4),)
        self._write(destination)
        rows, bad = self._canned.rows, self._canned.bad
        files = tuple(FileMeasurement(file.ordinal, rows + bad, rows, bad) for file in self._batch.files)
        measured = {column.name: seen.get(column.name, NOTHING_SEEN) for column in columns}
        return Measurements(files, measured, bad * len(files), staging_files=written)

    def paths(self) -> Mapping[tuple[int, str], tuple[str, ...]]:
        raise AssertionError("the files have headers")

    def named(self, batch: SourceBatch) -> FakeRows:
        raise AssertionError("the files have headers")

    def read_bad_rows(
        self, columns: Sequence[StagingColumn], files: Sequence[int], limit: int, *, staged: bool = True
    ) -> tuple[BadRow, ...]:
        return ()

    def quarantine(self, columns: Sequence[StagingColumn], files: Sequence[int], destination: str) -> Quarantined:
        self._write(destination)
        return Quarantined(self._canned.bad * len(files))

    def _write(self, destination: str | None) -> None:
        if destination is not None:
            self._lake.put(f"{self._lake.key_of(destination)}/0.parquet", "rows")


@dataclass(frozen=True)
class FakeEngine:
    """Opens the rows of every batch as the same canned ones; `opened` has the batches."""

    canned: Canned
    lake: FakeLake
    opened: list[SourceBatch] = field(default_factory=list)
    name: str = "fake"

    @contextmanager
    def open(
        self, batch: SourceBatch, watch: Watch, contents: Mapping[SourceFile, bytes] = NOTHING_READ
    ) -> Iterator[SourceRows]:
        self.opened.append(batch)
        yield FakeRows(batch, self.canned, self.lake, watch)
