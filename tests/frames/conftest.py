"""A bucket to put source files in, and to read staging files from."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from framework.column_type import parse_type
from framework.frames.header import is_gzip, read_header
from framework.frames.protocol import FrameEngine
from framework.schema.values import (
    FileIdentity,
    FileLayout,
    FromFile,
    Measurements,
    SourceBatch,
    SourceFile,
    StagingColumn,
)
from framework.spec.pipeline import CsvOptions

COMMA = CsvOptions(",", "utf-8", True, ())
ARRIVED = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def column(name: str, type_text: str, **changes: Any) -> StagingColumn:
    values: dict[str, Any] = {"value": FromFile()} | changes
    return StagingColumn(name, parse_type(type_text), **values)


@dataclass
class Bench:
    """One bucket and one engine. Every batch has a folder of its own."""

    engine: FrameEngine
    folder: Path
    numbers: itertools.count[int]

    def batch(self, files: Mapping[str, bytes] | bytes, options: CsvOptions = COMMA) -> SourceBatch:
        """Put files into the bucket and return them as a batch, in order."""
        below = f"data/in/{next(self.numbers)}"
        named = {"a.csv": files} if isinstance(files, bytes) else files
        layouts = []
        for ordinal, (name, content) in enumerate(named.items()):
            path = self.folder / below / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            key = f"{below}/{name}"
            identity = FileIdentity("lake", key, "etag", len(content))
            file = SourceFile("lake", key, "etag", len(content), ARRIVED, identity, ARRIVED)
            heads = (read_header(content[:size], options, size >= len(content)) for size in (9, 99, 9999, 10**6))
            names = next(names for names in heads if names is not None)
            layouts.append(FileLayout(file, ordinal, name, names, is_gzip(content)))
        return SourceBatch(tuple(layouts), options)

    def stage(self, batch: SourceBatch, columns: Sequence[StagingColumn]) -> tuple[Measurements, list[tuple[Any, ...]]]:
        """Stage the batch; return what was seen, and the staging rows by file and row."""
        below = f"staging/{next(self.numbers)}"
        seen = self.engine.stage(batch, columns, f"s3://lake/{below}")
        return seen, self.rows(below)

    def rows(self, below: str) -> list[tuple[Any, ...]]:
        """Return the rows of all staging files below a prefix, by file and row."""
        found: list[tuple[Any, ...]] = []
        for path in self.parquet_files(below):
            table = pyarrow.parquet.read_table(path)
            found += zip(*(column.to_pylist() for column in table.columns), strict=True)
        return sorted(found, key=lambda row: row[-2:])

    def parquet_files(self, below: str) -> list[Path]:
        """Return the staging files below a prefix; nothing else may stand there."""
        paths = sorted((self.folder / below).iterdir())
        assert all(path.suffix == ".parquet" for path in paths), paths
        return paths

    def texts(self, content: bytes, options: CsvOptions = COMMA) -> list[tuple[Any, ...]]:
        """Return the rows of one file, every column as text, without file and row."""
        batch = self.batch(content, options)
        columns = [column(name, "varchar(65535)") for name in batch.files[0].columns]
        seen, rows = self.stage(batch, columns)
        assert seen.rows_bad == 0
        assert seen.rows_staged == len(rows)
        return [row[:-2] for row in rows]


@pytest.fixture(scope="session")
def bench(spark_engine: Any, sandbox: Any) -> Bench:
    return Bench(spark_engine, sandbox.s3_folder / "lake", itertools.count(1))
