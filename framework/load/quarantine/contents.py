"""Reads the quarantine: the bad rows of loads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from framework.dataclass import dataclass
from framework.errors import SourceFileError, SpecError
from framework.lake.lake import Lake
from framework.lake.quarantine import quarantine_folder
from framework.warehouse.unsettled import QuarantinedFile

PLACE_AND_REASON = 'file, etag, row, "column", reason'
"""The columns without record and header, which are most of a row."""


@dataclass(frozen=True)
class QuarantinedRow:
    """One row in quarantine: where it came from, its first column at fault, what is wrong, and its fields."""

    file: str
    etag: str
    row: int
    column: str | None
    reason: str
    record: tuple[str | None, ...] = ()
    header: tuple[str, ...] = ()

    @property
    def first_reason(self) -> str:
        """What is wrong with the first column at fault."""
        return self.reason.partition("; ")[0]


class StoredRows:
    """The bad rows of one load, as local Parquet files in order; empty where they were deleted from the lake.

    `files` are the load's files with such rows.
    """

    def __init__(self, files: Sequence[QuarantinedFile], paths: Sequence[tuple[Path, str]]) -> None:
        self.files = files
        self._paths = paths

    @property
    def are_there(self) -> bool:
        """Whether the lake holds them."""
        return bool(self._paths)

    def of(self, file: QuarantinedFile) -> Iterator[QuarantinedRow]:
        """Yield the rows of one source file, in order."""
        return (row for row in self.rows() if _owner(row, self.files) == file)

    def rows(self, columns: str = "*") -> Iterator[QuarantinedRow]:
        """Yield the rows of all source files, in order."""
        return (_row(found) for path, url in self._paths for found in parquet_rows(path, url, columns))

    def by_file(self) -> Iterator[tuple[QuarantinedFile, QuarantinedRow]]:
        """Yield the rows with their source files, in order, without record and header."""
        for row in self.rows(PLACE_AND_REASON):
            file = _owner(row, self.files)
            if file is not None:
                yield file, row


@contextmanager
def stored_rows(lake: Lake, files: Sequence[QuarantinedFile]) -> Iterator[StoredRows]:
    """Yield the bad rows of a load, given all its files with such rows, as copies on this machine."""
    with TemporaryDirectory(prefix="feedway-quarantine-") as copies:
        paths = []
        for number, found in enumerate(lake.list_objects(folder_of(lake, files[0]))):
            path = Path(copies) / f"{number}.parquet"
            with path.open("wb") as copy:
                copy.writelines(lake.read(lake.arrived(found)))
            paths.append((path, lake.url(found.key)))
        yield StoredRows(files, paths)


def folder_of(lake: Lake, file: QuarantinedFile) -> str:
    """Return the key prefix of the bad rows of a file's load."""
    return quarantine_folder(lake, file.pipeline, file.began_at, file.run_id)


def _owner(row: QuarantinedRow, files: Sequence[QuarantinedFile]) -> QuarantinedFile | None:
    """Return the source file of a row: the file of its name, or the archive whose name its own begins with.

    Of several files whose keys end alike, it is the one with the shortest key: names begin below `source.prefix`.
    """
    names = [row.file, *(str(folder) for folder in PurePosixPath(row.file).parents)]
    for name in names:
        found = [file for file in files if file.etag == row.etag and f"/{file.key}".endswith(f"/{name}")]
        if found:
            return min(found, key=lambda file: len(file.key))
    return None


def parquet_rows(path: Path, shown: str, columns: str = "*") -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a Parquet file by column name; `shown` is how messages name it.

    Raises:
        SourceFileError: it cannot be read.
        SpecError: the package that reads it is not installed.
    """
    try:
        # imported where it is used: CSV needs none of it
        import duckdb
    except ImportError as error:
        raise SpecError(
            f"{shown}: reading Parquet needs the package 'duckdb', which is not installed: "
            "pip install 'feedway[embedded]'"
        ) from error
    try:
        found = duckdb.connect().execute(
            f"select {columns} from read_parquet(?, hive_partitioning = false)", [str(path)]
        )
        names = [column[0] for column in found.description]
        while rows := found.fetchmany(1000):
            yield from (dict(zip(names, row, strict=True)) for row in rows)
    except duckdb.Error as error:
        raise SourceFileError(f"{shown}: the Parquet file cannot be read: {error}") from error


def _row(row: Mapping[str, Any]) -> QuarantinedRow:
    fields = (tuple(json.loads(row.get(name, "[]"))) for name in ("record", "header"))
    return QuarantinedRow(row["file"], row["etag"], row["row"], row["column"], row["reason"], *fields)
