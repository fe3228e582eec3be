"""Reads the quarantine: which files were loaded without their bad rows, and these rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from framework.errors import SourceFileError, SpecError
from framework.lake.lake import Lake
from framework.warehouse.audit import HISTORY_COLUMNS, HistoryQuery, read_history
from framework.warehouse.session import WarehouseSession


@dataclass(frozen=True)
class QuarantinedFile:
    """A source file that was loaded without its bad rows. `key` is that of its arrival, `loaded_at` in UTC.

    `folder` is the key prefix of the load's bad rows.
    """

    pipeline: str
    run_id: str
    loaded_at: datetime
    key: str
    etag: str
    rows: int
    folder: str

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rpartition("/")[2]


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


def read_quarantined_files(lake: Lake, warehouse: WarehouseSession, query: HistoryQuery) -> list[QuarantinedFile]:
    """Return the files of loads with bad rows, newest first. The query leaves out all others."""
    found = (dict(zip(HISTORY_COLUMNS, row, strict=True)) for row in read_history(warehouse, query))
    return [_bad_file(lake, load) for load in found]


def _bad_file(lake: Lake, load: Mapping[str, Any]) -> QuarantinedFile:
    loaded_at = datetime.fromisoformat(str(load["run_start_ts"]))
    folder = lake.key(f"data/quarantine/{load['pipeline']}/{loaded_at:%Y/%m}/{load['run_id']}/")
    rows = int(load["records_rejected"])
    return QuarantinedFile(
        load["pipeline"], load["run_id"], loaded_at, load["source_filename"], load["source_etag"], rows, folder
    )


class StoredRows:
    """The bad rows of one load, as local Parquet files in order; empty where they were deleted from the lake."""

    def __init__(self, files: Sequence[QuarantinedFile], paths: Sequence[tuple[Path, str]]) -> None:
        self._files = files
        self._paths = paths

    @property
    def are_there(self) -> bool:
        """Whether the lake holds them."""
        return bool(self._paths)

    def of(self, file: QuarantinedFile | None, *, with_records: bool = True) -> Iterator[QuarantinedRow]:
        """Yield the rows of one source file, or with None of all, in order."""
        asked = "*" if with_records else 'file, etag, row, "column", reason'
        for path, url in self._paths:
            for row in parquet_rows(path, url, asked):
                kept = _kept(row)
                if file is None or owner_of(kept, self._files) == file:
                    yield kept


@contextmanager
def stored_rows(lake: Lake, files: Sequence[QuarantinedFile]) -> Iterator[StoredRows]:
    """Yield the bad rows of a load, given all its files with such rows, as copies on this machine."""
    with TemporaryDirectory(prefix="feedway-quarantine-") as folder:
        paths = []
        for number, found in enumerate(lake.list_objects(files[0].folder)):
            path = Path(folder) / f"{number}.parquet"
            with path.open("wb") as copy:
                copy.writelines(lake.read(lake.arrived(found)))
            paths.append((path, lake.url(found.key)))
        yield StoredRows(files, paths)


def owner_of(row: QuarantinedRow, files: Sequence[QuarantinedFile]) -> QuarantinedFile | None:
    """Return the source file of a row: the file of its name, or the archive whose name its own begins with.

    Of several files whose keys end alike, it is the one with the shortest key: names begin below `source.prefix`.
    """
    names = [row.file, *(str(folder) for folder in PurePosixPath(row.file).parents)]
    for name in names:
        found = [file for file in files if file.etag == row.etag and f"/{file.key}".endswith(f"/{name}")]
        if found:
            return min(found, key=lambda file: len(file.key))
    return None


def parquet_rows(path: Path, shown: str, asked: str = "*") -> Iterator[Mapping[str, Any]]:
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
        found = duckdb.connect().execute(f"select {asked} from read_parquet(?, hive_partitioning = false)", [str(path)])
        names = [column[0] for column in found.description]
        while rows := found.fetchmany(1000):
            yield from (dict(zip(names, row, strict=True)) for row in rows)
    except duckdb.Error as error:
        raise SourceFileError(f"{shown}: the Parquet file cannot be read: {error}") from error


def _kept(row: Mapping[str, Any]) -> QuarantinedRow:
    fields = (tuple(json.loads(row.get(name, "[]"))) for name in ("record", "header"))
    return QuarantinedRow(row["file"], row["etag"], row["row"], row["column"], row["reason"], *fields)
