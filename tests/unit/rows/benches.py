"""The row engine without a server: files in memory, tasks one after the other."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from framework.errors import SourceFileError
from framework.model.csv_options import CsvOptions
from framework.model.files import FileIdentity, FileLayout, SourceBatch, SourceFile
from framework.rows.bench import Bench
from framework.rows.engine import BatchRows
from framework.rows.formats.csv.grammar import plain_delimiter
from framework.rows.job import Job, Task, TaskResult
from framework.rows.segments import SplitRecords
from framework.rows.sql.database import connect
from framework.rows.task import perform
from tests.headers import layout_of as layout_of_file

COMMA = CsvOptions(",", "utf-8")
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
