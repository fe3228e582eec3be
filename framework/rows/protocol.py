"""The interface of a frame engine. There are two implementations, with identical results."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from framework.model.files import SourceBatch, SourceFile
from framework.model.measurements import BadRow, ColumnProfile, Measurements
from framework.model.staging import StagingColumn


class ObjectStore(Protocol):
    """The lake as an engine uses it."""

    def download(self, files: Sequence[SourceFile], folder: Path) -> Generator[Iterator[bytes]]:
        """Yield each file's bytes, in order of the files; bytes fetched ahead wait in `folder`."""

    def read(self, file: SourceFile) -> Generator[bytes]:
        """Yield the bytes of a file in order, on demand."""

    def upload(self, path: Path, url: str) -> None:
        """Write a local file to an address."""


class SourceRows(Protocol):
    """The rows of an open batch. Takes and returns values."""

    @property
    def phase_seconds(self) -> Mapping[str, float]:
        """Busy seconds by phase so far, over all threads; empty where the engine does not measure them."""

    def profile(self, columns: Sequence[str]) -> Mapping[str, ColumnProfile]:
        """Return the profiles of `columns` over all rows of the batch, read in one pass.

        Files that lack a column add nothing to it.

        Raises:
            SourceFileError: a file's quoting or bytes are broken; `keys` names the files.
        """

    def stage(self, columns: Sequence[StagingColumn], destination: str | None) -> Measurements:
        """Write the batch's good rows as Parquet below `destination`, and return what was measured.

        Staging: one row per good source row, `columns` in their order, then feedway_file and
        feedway_row; TIMESTAMPTZ as the time in UTC without a zone. Bad rows (a misfit, a NULL key,
        a wrong number of fields) are counted, not written. `destination` is an empty `s3://`
        prefix; None measures and writes nothing.

        Raises:
            SourceFileError: a file's quoting or bytes are broken; `keys` names the files.
        """

    def read_bad_rows(self, columns: Sequence[StagingColumn], files: Sequence[int], limit: int) -> tuple[BadRow, ...]:
        """Return the first `limit` bad rows of the files with these ordinals, by file and row.

        One entry per offending column.
        """

    def quarantine(self, columns: Sequence[StagingColumn], files: Sequence[int], destination: str) -> int:
        """Write all bad rows of some files as Parquet below `destination`; return how many.

        `files` are the ordinals of those that hold bad rows, as staging has found, at least one.
        One row per bad row, by file and row: `file`, its FileLayout's name; `row`, BIGINT, as in
        BadRow; `column`, the first one at fault, NULL where the record is; `reason`, of every fault,
        without values; `record`, the record's fields as a JSON array of texts and nulls; `header`,
        the names of the file's fields as one. `destination` is an empty `s3://` prefix.
        """


class Watch(Protocol):
    """Receives a pass's progress, in the thread that started the pass."""

    def __call__(self, step: str, **numbers: int) -> None:
        """Receive the numbers of a pass so far; an exception raised here ends the pass."""


class FrameEngine(Protocol):
    """Reads, profiles and stages the rows of source files."""

    @property
    def name(self) -> str:
        """The engine's name in results and logs."""

    @property
    def notices_replacement(self) -> bool:
        """Whether reading fails when a file is replaced meanwhile; otherwise the caller checks afterwards."""

    def open(self, batch: SourceBatch, watch: Watch, scratch: str | None) -> AbstractContextManager[SourceRows]:
        """Return a context in which the batch's rows can be read; at its end the engine removes its local files.

        `scratch` is an empty `s3://` prefix, which the caller deletes, for objects that a cluster must
        be able to read; None where nothing may be written.
        """
