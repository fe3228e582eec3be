"""The row engine without a server: files in memory, tasks one after the other."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pyarrow.parquet

from framework.errors import SourceFileError
from framework.model.column_type import parse_type
from framework.model.csv_options import CsvOptions
from framework.model.files import FileIdentity, FileLayout, SourceBatch, SourceFile
from framework.model.measurements import Measurements
from framework.model.staging import ROW_COLUMN, FromFile, StagingColumn
from framework.rows.bench import Bench
from framework.rows.engine import BatchRows
from framework.rows.formats import format_named
from framework.rows.formats.csv.grammar import plain_delimiter
from framework.rows.formats.json.pointer import name_of
from framework.rows.formats.recognise import first_content, require_format, require_packing
from framework.rows.formats.source import Source
from framework.rows.job import Job, Task, TaskResult
from framework.rows.segments import SplitRecords
from framework.rows.sql.database import connect
from framework.rows.task import perform
from framework.spec.load import load_pipeline_text
from tests.headers import layout_of as layout_of_file

COMMA = CsvOptions(",", "utf-8")
HEAD_BYTES = 1024**2
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
Found = TypeVar("Found")


def layout_of(
    content: bytes, options: CsvOptions = COMMA, ordinal: int = 0, head_bytes: int | None = None
) -> FileLayout:
    """Return the layout of a file in memory, its columns named as in its header, which is in the first `head_bytes`."""
    key = f"{ordinal}.csv"
    identity = FileIdentity("lake", key, "e", len(content))
    file = SourceFile("lake", key, "e", len(content), NOON, identity, NOON)
    return layout_of_file(file, ordinal, key, content[:head_bytes], options)


def batch_of(
    *contents: bytes, options: CsvOptions = COMMA, head_bytes: int | None = None, **changes: Any
) -> SourceBatch:
    """Return files in memory as a batch."""
    layouts = (layout_of(content, options, ordinal, head_bytes) for ordinal, content in enumerate(contents))
    return SourceBatch(tuple(layouts), **changes)


@dataclass
class MemoryStore:
    """An ObjectStore over files in memory, by key. `reads` has the ranges that were read."""

    contents: dict[str, bytes]
    piece_bytes: int = 7
    reads: list[tuple[str, int, int]] = field(default_factory=list)

    def read_range(self, file: SourceFile, start: int, end: int, heard: Callable[[int], None]) -> bytearray:
        assert 0 <= start <= end <= file.size_bytes
        if file.key not in self.contents:
            raise SourceFileError(f"{file.url}: the file has gone since it was listed", (file.key,))
        self.reads.append((file.key, start, end))
        return bytearray(self.contents[file.key][start:end])

    def stream(self, file: SourceFile, heard: Callable[[int], None]) -> Generator[bytes]:
        content = self.contents[file.key]
        for start in range(0, len(content), self.piece_bytes):
            yield content[start : start + self.piece_bytes]

    def upload(self, path: Path, url: str) -> None:
        raise AssertionError("nothing is written")


@dataclass
class InlineSession:
    """A Session whose tasks run one after the other, here. `rounds` has the tasks of each."""

    folder: Path
    store: MemoryStore
    cores: int = 2
    phase_seconds: Mapping[str, float] = field(default_factory=dict)
    rounds: list[Sequence[Task]] = field(default_factory=list)

    def run(self, step: str, job: Job[Found], tasks: Sequence[Task]) -> list[TaskResult[Found]]:
        self.rounds.append(tasks)
        bench = Bench(self.folder, connect_once())
        return [perform(job, task, bench) for task in tasks]


_DATABASES: list[Any] = []


def connect_once() -> Any:
    """Return one database for all tests."""
    if not _DATABASES:
        import tempfile

        _DATABASES.append(connect(Path(tempfile.mkdtemp(prefix="feedway-test-")), 256 * 1024**2))
    return _DATABASES[0]


@dataclass(frozen=True)
class CollectRecords:
    """Work that returns the records themselves, read by Python's csv module."""

    def do(self, job: Job[Any], bench: Bench, records: Sequence[SplitRecords], name: str) -> list[Any]:
        found: list[Any] = []
        for split in records:
            for segment in split.segments:
                options = segment.layout.options
                assert isinstance(options, CsvOptions)
                text = segment.path.read_bytes().decode("utf-8").removeprefix("\ufeff")
                rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=plain_delimiter(options), strict=True))
                assert len(rows) == segment.records
                found += [
                    (split.layout.ordinal, split.split, segment.place(number), tuple(row))
                    for number, row in enumerate(rows, start=1)
                ]
            found += [(split.layout.ordinal, split.split, each.place, each.record) for each in split.malformed()]
        return found


def rows_of(
    batch: SourceBatch, contents: Sequence[bytes], folder: Path, size_bytes: int
) -> tuple[BatchRows, InlineSession]:
    """Return the rows of a batch in memory, split at a size, and the session that reads them."""
    store = MemoryStore({f"{ordinal}.csv": content for ordinal, content in enumerate(contents)})
    session = InlineSession(folder, store)
    return BatchRows(session, store, batch, size_bytes), session


@dataclass
class KeptFiles(MemoryStore):
    """A MemoryStore that keeps what is written: `written` has the local copies."""

    written: list[Path] = field(default_factory=list)

    def upload(self, path: Path, url: str) -> None:
        self.written.append(Path(tempfile.mkdtemp(prefix="feedway-test-")) / path.name)
        shutil.copy(path, self.written[-1])


def look_of(content: bytes, source: str, ordinal: int = 0) -> FileLayout:
    """Return the layout of a file of any format in memory; `source` are fields of the spec's source, as YAML."""
    text = f"pipeline: p\nsource: {{prefix: data/in/p/, {source}}}\ntarget: {{table: t}}\nload: {{mode: append}}\n"
    spec = load_pipeline_text(text, "p.yml", "p").source
    key = f"{ordinal}.csv"
    identity = FileIdentity("lake", key, "e", len(content))
    file = SourceFile("lake", key, "e", len(content), NOON, identity, NOON)
    head = content[:HEAD_BYTES]
    packing = require_packing(head, "auto")
    beginning = first_content(head, len(head) == len(content), packing, HEAD_BYTES)
    found = require_format(beginning, None if spec.format == "auto" else spec.format, is_written=True)
    look = format_named(found).look(Source(file, spec, beginning, lambda start, end: content[start:end]))
    assert look is not None
    names = look.header or ()
    return FileLayout(
        file, ordinal, key, names, look.options, look.rows_start, packing, names,
        paths=look.paths, types=look.types, row_groups=look.row_groups,
    )  # fmt: skip


def open_rows(
    content: bytes, source: str, folder: Path, size_bytes: int = 1024**2
) -> tuple[BatchRows, FileLayout, KeptFiles]:
    """Return the rows of a file of any format in memory, named by its header or by its records."""
    layout = look_of(content, source)
    store = KeptFiles({"0.csv": content}, piece_bytes=max(7, size_bytes))
    rows = BatchRows(InlineSession(folder, store), store, SourceBatch((layout,)), size_bytes)
    if not layout.columns:
        paths = rows.paths().get((0, ""), ())
        names = tuple(map(name_of, paths))
        layout = replace(layout, columns=names, header=names, paths=paths)
        rows = rows.named(SourceBatch((layout,)))
    return rows, layout, store


def stage_rows(
    content: bytes, source: str, types: Mapping[str, str], folder: Path, size_bytes: int = 1024**2
) -> tuple[list[dict[str, Any]], Measurements]:
    """Return the staging rows of a file of any format, in order, by name, and what was measured; NULL is None."""
    rows, layout, store = open_rows(content, source, folder, size_bytes)
    columns = [
        StagingColumn(name, parse_type(types.get(name, "varchar(65535)")), FromFile()) for name in layout.columns
    ]
    seen = rows.stage(columns, "s3://lake/staging")
    found = [row for path in store.written for row in pyarrow.parquet.read_table(path).to_pylist()]
    found.sort(key=lambda row: row[ROW_COLUMN])
    return [{name: row[name] for name in layout.columns} for row in found], seen
