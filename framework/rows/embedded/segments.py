"""Segments: local files of whole, sound records, cut from a source file as its bytes arrive.

DuckDB reads segments and nothing else. All that its reader would forgive, skip or misread (a
superfluous empty field, blank or mixed line ends, quotes out of place) ends here. It drops a byte
order mark at a file's start: each segment has one of its own, so that a record that begins with
this character keeps it.
"""

from __future__ import annotations

import codecs
import json
from array import array
from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from framework.model.csv_options import CsvOptions
from framework.model.files import FileLayout
from framework.rows.embedded.records import BrokenRecord, MalformedRecord, RecordCutter, broken_bytes
from framework.rows.formats.csv.text import BrokenBytes, in_blocks
from framework.rows.reasons import UNCLOSED_QUOTE
from framework.rows.workspace import require_space

BLOCK_BYTES = 2 * 1024**2
SMALL_BYTES = 256 * 1024
"""Up to here cutting record by record takes less time than loading numpy."""
MAX_RECORD_BYTES = 64 * 1024**2
"""Maximum size of one record. More means an unclosed quote: no row of a warehouse is larger than 16 MB."""


@dataclass(frozen=True)
class Segment:
    """Consecutive sound records of one source file, UTF-8, without header, in a local file.

    `before` counts the file's records before it, malformed ones included; `dropped` are the
    ordinals of malformed records in its midst. `records` counts what is in it.
    """

    layout: FileLayout
    path: Path
    line_end: str
    before: int
    records: int
    size_bytes: int
    longest_bytes: int
    dropped: array[int]

    def ordinal(self, row: int) -> int:
        """Return the ordinal in the source file of the segment's row, both counted from 1."""
        place = self.before + row
        # The number of dropped records before it: each moves later ones by one.
        moved = bisect_right(range(len(self.dropped)), place, key=lambda index: self.dropped[index] - index)
        return place + moved


@dataclass
class _Open:
    """The segment that is being written."""

    path: Path
    file: BinaryIO
    line_end: str
    before: int
    records: int = 0
    size_bytes: int = 0
    longest_bytes: int = 0
    dropped: array[int] = field(default_factory=lambda: array("q"))

    def finished(self, layout: FileLayout) -> Segment:
        """Return the finished segment."""
        return Segment(
            layout,
            self.path,
            self.line_end,
            self.before,
            self.records,
            self.size_bytes,
            self.longest_bytes,
            self.dropped,
        )


class FileCutter:
    """Cuts one source file into segments, once; afterwards it knows how many records it has.

    `malformed_count` counts records with a wrong number of fields or a NUL; `malformed_records` has them.
    """

    def __init__(self, layout: FileLayout, options: CsvOptions, folder: Path, segment_bytes: int) -> None:
        self.layout = layout
        self.records = 0
        self.malformed_count = 0
        self._options = options
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._cutter = RecordCutter(options, len(layout.columns))
        self._line_end = "\n"
        self._header_is_read = False
        self._open: _Open | None = None
        self._done: list[Segment] = []
        self._number = 0
        self._malformed_path = folder / f"malformed-{layout.ordinal}.jsonl"

    def cut(self, text: Iterator[bytes]) -> Generator[Segment]:
        """Yield the segments of a file's text, each as soon as it is complete.

        Raises:
            BrokenRecord: the file is broken.
        """
        rest = b""
        try:
            for block, is_all in in_blocks(text, BLOCK_BYTES):
                rest += block
                if is_all or len(rest) >= min(2 * (len(rest) - len(block)), MAX_RECORD_BYTES):
                    rest = rest[self._take(rest, is_all) :]
                    yield from self._finished(is_all)
                if len(rest) > MAX_RECORD_BYTES:
                    raise BrokenRecord(self.records + 1, UNCLOSED_QUOTE)
        except BrokenBytes as error:
            self._take(rest, is_all=False)
            raise broken_bytes(self.records) from error
        finally:
            if self._open is not None:
                self._open.file.close()

    def malformed_records(self) -> Iterator[tuple[int, str]]:
        """Yield the ordinal and the text of each malformed record."""
        if self.malformed_count:
            with self._malformed_path.open(encoding="ascii") as lines:
                for line in lines:
                    ordinal, record = json.loads(line)
                    yield ordinal, record

    def _take(self, rest: bytes, is_all: bool) -> int:
        """Write the complete records at the start of the text; return where they end."""
        start = 0
        if not self._header_is_read:
            start = self._skip_header(rest, is_all)
            if not self._header_is_read:
                return 0
        rest = rest[start:] if start else rest
        end = self._take_plain(rest) if self._is_worth_checking(rest) else None
        if end is None:
            end = self._take_exactly(rest, is_all)
        elif is_all and end < len(rest):
            end += self._take_exactly(rest[end:], is_all)
        return start + end

    def _skip_header(self, rest: bytes, is_all: bool) -> int:
        text, _ = _decoded(rest, is_all)
        has_header = self._options.header is not False
        try:
            found = self._cutter.header(text, is_all and len(text.encode()) == len(rest))
        except BrokenRecord as error:
            raise BrokenRecord(None if has_header else 1, error.reason) from error
        if found is None:
            return 0
        end, self._line_end = found
        self._header_is_read = True
        if self._line_end != "\n":
            self._cutter = RecordCutter(self._options, len(self.layout.columns), self._line_end)
        return len(text[:end].encode("utf-8")) if has_header else 0

    def _is_worth_checking(self, rest: bytes) -> bool:
        return len(rest) > SMALL_BYTES and self._line_end == "\n" and self._options.delimiter.isascii()

    def _take_plain(self, rest: bytes) -> int | None:
        # imported where it is used: small loads do without numpy
        from framework.rows.formats.csv.blocks import check_block

        block = check_block(rest, self._options.delimiter, len(self.layout.columns), self._options.multiline)
        if block is None:
            return None
        self._write(memoryview(rest)[: block.end], block.records, block.line_end, block.longest_bytes)
        self.records += block.records
        return block.end

    def _take_exactly(self, rest: bytes, is_all: bool) -> int:
        text, is_sound = _decoded(rest, is_all)
        cut = self._cutter.cut(text, self.records, is_all and is_sound)
        if cut.records:
            line_end = self._open.line_end if self._open is not None else "\n"
            lines = [(record + line_end).encode("utf-8") for record in cut.good]
            longest = max(map(len, lines), default=0)
            self._write(memoryview(b"".join(lines)), len(lines), line_end, longest, cut.malformed)
            self.records += cut.records
        if not is_sound:
            raise broken_bytes(self.records)
        return len(text[: cut.end].encode("utf-8"))

    def _write(
        self,
        lines: memoryview,
        records: int,
        line_end: str,
        longest_bytes: int,
        malformed: Sequence[MalformedRecord] = (),
    ) -> None:
        if self._open is not None and self._open.line_end != line_end:
            self._close()
        target = self._open = self._open or self._begin(line_end)
        target.file.write(lines)
        target.records += records
        target.size_bytes += len(lines)
        target.longest_bytes = max(target.longest_bytes, longest_bytes)
        if malformed:
            target.dropped.extend(found.ordinal for found in malformed)
            self.malformed_count += len(malformed)
            with self._malformed_path.open("a", encoding="ascii") as notes:
                notes.writelines(json.dumps([found.ordinal, found.record]) + "\n" for found in malformed)

    def _begin(self, line_end: str) -> _Open:
        require_space(self._folder, self._segment_bytes, f"the next rows of {self.layout.file.url}")
        self._number += 1
        path = self._folder / f"{self.layout.ordinal}-{self._number}.csv"
        file = path.open("wb")
        file.write(codecs.BOM_UTF8)
        return _Open(path, file, line_end, self.records)

    def _close(self) -> None:
        if self._open is not None:
            self._open.file.close()
            if self._open.records:
                self._done.append(self._open.finished(self.layout))
            else:
                self._open.path.unlink()
            self._open = None

    def _finished(self, is_all: bool) -> Iterator[Segment]:
        if is_all or (self._open is not None and self._open.size_bytes >= self._segment_bytes):
            self._close()
        done, self._done = self._done, []
        yield from done


def _decoded(text: bytes, is_all: bool) -> tuple[str, bool]:
    """Return the text up to the first byte that is not UTF-8, and whether there is none.

    A character that is cut off at the end is left out, and wrong only where `is_all`.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return decoder.decode(text, final=is_all), True
    except UnicodeDecodeError as error:
        return text[: error.start].decode("utf-8"), False
