"""What a load knows of its rows, and what rows know of the lake."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from framework.model.files import SourceBatch, SourceFile
from framework.model.measurements import BadRow, ColumnProfile, Measurements, Quarantined
from framework.model.notation import Notation
from framework.model.staging import StagingColumn

NOTHING_READ: Mapping[SourceFile, bytes] = MappingProxyType({})


class ObjectStore(Protocol):
    """The lake as tasks use it. It can be pickled; a process that unpickles it connects by its own credentials."""

    def read_range(self, file: SourceFile, start: int, end: int, heard: Callable[[int], None]) -> bytearray:
        """Return the bytes of a file from `start` up to `end`.

        `heard` is called in the caller's thread with the number of bytes that have arrived since its last call, 0
        where none has for a while; an exception that it raises ends the reading.

        Raises:
            SourceFileError: the file is gone or was replaced.
        """

    def stream(self, file: SourceFile, heard: Callable[[int], None]) -> Generator[bytes]:
        """Yield all bytes of a file in order, in pieces, while later ones are fetched; otherwise as read_range."""

    def upload(self, path: Path, url: str) -> None:
        """Write a local file to an address."""


class SourceRows(Protocol):
    """The rows of an open batch. Takes and returns values."""

    @property
    def phase_seconds(self) -> Mapping[str, float]:
        """Busy seconds by phase so far, over all threads; empty where tasks run in other processes."""

    def paths(self) -> Mapping[tuple[int, str], tuple[str, ...]]:
        """Return the paths to the fields of files whose records name them, by the file's ordinal and the member.

        In the order in which the records of a file have them, over all rows. Files without a record have none.

        Raises:
            SourceFileError: a file's quoting or bytes are broken; `keys` names the files.
        """

    def named(self, batch: SourceBatch) -> SourceRows:
        """Return the rows of the same files, with the columns that this batch gives them."""

    def profile(self, columns: Mapping[str, Notation]) -> Mapping[str, ColumnProfile]:
        """Return the profiles of columns, read by their notations, over all rows of the batch, in one pass.

        Files that lack a column add nothing to it.

        Raises:
            SourceFileError: a file's quoting or bytes are broken; `keys` names the files.
        """

    def stage(self, columns: Sequence[StagingColumn], destination: str | None) -> Measurements:
        """Write the batch's good rows as Parquet below `destination`, and return what was measured.

        Staging: one row per good source row, `columns` in their order, then feedway_file and
        feedway_row; TIMESTAMPTZ as the time in UTC without a zone, TIME as text. Bad rows (a misfit, a NULL key,
        a wrong number of fields) are counted, not written. `destination` is an empty `s3://`
        prefix; None measures and writes nothing.

        Raises:
            SourceFileError: a file's quoting or bytes are broken; `keys` names the files.
        """

    def read_bad_rows(
        self, columns: Sequence[StagingColumn], files: Sequence[int], limit: int, *, staged: bool = True
    ) -> tuple[BadRow, ...]:
        """Return the first `limit` bad rows of the files with these ordinals, by file and row.

        One entry per offending column. Rows that the last staging found good are not read, unless `staged` is False:
        then the columns have other types than they were staged as.
        """

    def quarantine(self, columns: Sequence[StagingColumn], files: Sequence[int], destination: str) -> Quarantined:
        """Write all bad rows of some files as Parquet below `destination`; return how many, and the first ones.

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


class RowEngine(Protocol):
    """Reads, profiles and stages the rows of source files."""

    @property
    def name(self) -> str:
        """The executor's name in results and logs."""

    def open(
        self, batch: SourceBatch, watch: Watch, contents: Mapping[SourceFile, bytes] = NOTHING_READ
    ) -> AbstractContextManager[SourceRows]:
        """Return a context in which the batch's rows can be read; at its end local files are removed.

        `contents` has files of the batch that were read whole already; tasks of this process do not fetch them again.
        """
