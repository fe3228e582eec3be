"""A bucket to put source files in, and to read staging files from."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from framework.lake.lake import Lake
from framework.model.column_type import parse_type
from framework.model.csv_options import CsvOptions
from framework.model.files import SourceBatch
from framework.model.measurements import FIRST_BAD_ROWS, BadRow, ColumnProfile, Measurements, Quarantined
from framework.model.notation import PLAIN, Notation
from framework.model.staging import FromFile, StagingColumn
from framework.rows.protocol import RowEngine, SourceRows
from framework.sandbox import SandboxAddress
from framework.spec.environment import LakeSettings
from tests.headers import layout_of

COMMA = CsvOptions(",", "utf-8")
ARRIVED = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


QUARANTINE_TYPES = [pyarrow.string(), pyarrow.int64(), *[pyarrow.string()] * 5]


def column(name: str, type_text: str, **changes: Any) -> StagingColumn:
    values: dict[str, Any] = {"value": FromFile()} | changes
    return StagingColumn(name, parse_type(type_text), **values)


def unwatched(step: str, **numbers: int) -> None:
    """Hear how far a pass is, and go on."""


@dataclass
class Bench:
    """One bucket and one engine. Every batch has a folder of its own."""

    engine: RowEngine
    lake: Lake
    s3: Any
    folder: Path
    numbers: itertools.count[int]

    def batch(self, files: Mapping[str, bytes] | bytes, options: CsvOptions = COMMA) -> SourceBatch:
        """Put files into the bucket and return them as a batch, in order."""
        below = f"data/in/{next(self.numbers)}"
        named = {"a.csv": files} if isinstance(files, bytes) else files
        layouts = []
        for ordinal, (name, content) in enumerate(named.items()):
            key = f"{below}/{name}"
            self.s3.put_object(Bucket="lake", Key=key, Body=content)
            file = self.lake.describe(key)
            assert file is not None
            layouts.append(layout_of(file, ordinal, name, content, options))
        return SourceBatch(tuple(layouts))

    def stage(self, batch: SourceBatch, columns: Sequence[StagingColumn]) -> tuple[Measurements, list[tuple[Any, ...]]]:
        """Stage the batch; return what was seen, and the staging rows by file and row."""
        below = f"staging/{next(self.numbers)}"
        seen = self.measure(batch, columns, f"s3://lake/{below}")
        return seen, self.rows(seen)

    def measure(self, batch: SourceBatch, columns: Sequence[StagingColumn], destination: str | None) -> Measurements:
        """Stage the batch at an address, or only measure it; return what was seen."""
        with self.open(batch) as rows:
            return rows.stage(columns, destination)

    def open(self, batch: SourceBatch) -> AbstractContextManager[SourceRows]:
        """Open a batch."""
        return self.engine.open(batch, unwatched)

    def profile(
        self, batch: SourceBatch, columns: Sequence[str], notation: Notation = PLAIN
    ) -> Mapping[str, ColumnProfile]:
        """Return the profile of columns."""
        with self.open(batch) as rows:
            return rows.profile(dict.fromkeys(columns, notation))

    def read_bad_rows(self, batch: SourceBatch, columns: Sequence[StagingColumn], limit: int) -> tuple[BadRow, ...]:
        """Return the first bad rows."""
        with self.open(batch) as rows:
            return rows.read_bad_rows(columns, [layout.ordinal for layout in batch.files], limit)

    def quarantine(self, batch: SourceBatch, columns: Sequence[StagingColumn]) -> list[dict[str, Any]]:
        """Write the bad rows of all files to quarantine; return its rows, in the order of the files there."""
        return self.measure_and_quarantine(batch, columns)[1]

    def measure_and_quarantine(
        self, batch: SourceBatch, columns: Sequence[StagingColumn]
    ) -> tuple[Measurements, list[dict[str, Any]]]:
        """Measure the batch, as a load does before, and write its bad rows; return what was seen, and the rows.

        The rows come without their file's ETag, which was checked.
        """
        below = f"data/quarantine/{next(self.numbers)}"
        with self.open(batch) as rows:
            seen = rows.stage(columns, None)
            files = [file.ordinal for file in seen.files if file.rows_bad]
            kept = rows.quarantine(columns, files, f"s3://lake/{below}") if files else Quarantined(0)
            for file in files:
                entries = rows.read_bad_rows(columns, [file], FIRST_BAD_ROWS)
                of_rows = {(entry.file, entry.row): entry.in_short for entry in reversed(entries)}
                assert kept.first[file] == tuple(reversed(of_rows.values()))
        written = kept.rows
        assert written == seen.rows_bad
        tables = [pyarrow.parquet.read_table(path) for path in self.parquet_files(below)]
        assert all(table.schema.types == QUARANTINE_TYPES for table in tables)
        found: list[dict[str, Any]] = [row for table in tables for row in table.to_pylist()]
        assert len(found) == written
        etags = {layout.name: layout.file.identity.etag for layout in batch.files}
        assert all(row.pop("etag") == etags[row["file"]] for row in found)
        return seen, found

    def rows(self, seen: Measurements) -> list[tuple[Any, ...]]:
        """Return the rows of the staging files, by file and row.

        Files of splits that were read under a wrong assumption may stand beside them.
        """
        found: list[tuple[Any, ...]] = []
        for file in seen.staging_files:
            table = pyarrow.parquet.read_table(self.folder / file.url.removeprefix("s3://lake/"))
            found += zip(*(column.to_pylist() for column in table.columns), strict=True)
        return sorted(found, key=lambda row: row[-2:])

    def parquet_files(self, below: str) -> list[Path]:
        """Return the staging files below a prefix; nothing else may stand there."""
        folder = self.folder / below
        paths = sorted(folder.iterdir()) if folder.exists() else []
        assert all(path.suffix == ".parquet" for path in paths), paths
        return paths

    def texts(self, content: bytes, options: CsvOptions = COMMA, notation: Notation = PLAIN) -> list[tuple[Any, ...]]:
        """Return the rows of one file, every column as text, without file and row."""
        batch = self.batch(content, options)
        columns = [column(name, "varchar(65535)", notation=notation) for name in batch.files[0].columns]
        seen, rows = self.stage(batch, columns)
        assert seen.rows_bad == 0
        assert seen.rows_staged == len(rows)
        return [row[:-2] for row in rows]


_NUMBERS = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a Spark session here: `make test-spark` runs it, and `make test` the rest."""
    for item in (each for each in items if each.path.is_relative_to(Path(__file__).parent)):
        parameters = getattr(item, "callspec", None)
        of_bench = None if parameters is None else parameters.params.get("bench")
        fixtures = getattr(item, "fixturenames", ())
        if of_bench == "spark" or any(name.startswith("spark") for name in fixtures):
            item.add_marker("spark")


@pytest.fixture(scope="session", params=["embedded", "spark"])
def bench(request: pytest.FixtureRequest, sandbox: SandboxAddress, s3: Any) -> Bench:
    """Each executor in turn: what a test says, it says of both."""
    return make_bench(request.getfixturevalue(f"{request.param}_engine"), sandbox, s3)


@pytest.fixture(scope="session")
def embedded_bench(embedded_engine: Any, sandbox: SandboxAddress, s3: Any) -> Bench:
    """The tasks of this process alone."""
    return make_bench(embedded_engine, sandbox, s3)


def make_bench(engine: RowEngine, sandbox: SandboxAddress, s3: Any) -> Bench:
    return Bench(engine, Lake(s3, LakeSettings("lake", "", None)), s3, sandbox.s3_folder / "lake", _NUMBERS)
