"""Cuts the text of a split into segments of whole, sound records.

DuckDB reads segments and nothing else. All that its reader would forgive, skip or misread (a superfluous empty field,
blank or mixed line ends, quotes out of place) ends here. It drops a byte order mark at a file's start: each segment
has one of its own, so that a record that begins with this character keeps it.
"""

from __future__ import annotations

import codecs
import json
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import field
from pathlib import Path
from typing import BinaryIO

from framework.dataclass import dataclass
from framework.model.csv_options import CsvOptions
from framework.model.files import FileLayout
from framework.rows.formats.csv.grammar import marks_of_others
from framework.rows.formats.csv.records import RecordCutter
from framework.rows.formats.csv.table import CsvTable
from framework.rows.formats.text.format import BrokenRecord, broken_bytes
from framework.rows.formats.text.reader import BLOCK_BYTES
from framework.rows.formats.text.stream import MAX_RECORD_BYTES
from framework.rows.formats.text.text import BrokenBytes, count_byte, decoded, in_blocks
from framework.rows.reasons import BAD_QUOTING, UNCLOSED_QUOTE
from framework.rows.segments import MalformedRecord, Segment, SplitRecords
from framework.rows.workspace import require_space

SMALL_BYTES = 256 * 1024
"""Up to here cutting record by record takes less time than loading numpy."""


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


class SplitCutter:
    """Cuts one split, once. Its files are in `folder`, under names that begin with `stem`."""

    def __init__(self, layout: FileLayout, options: CsvOptions, split: int, folder: Path, stem: str) -> None:
        self._layout = layout
        self._split = split
        self._folder = folder
        self._stem = stem
        self._line_end = layout.rows_start.line_end
        self._cutter = RecordCutter(options, len(layout.columns), self._line_end)
        self._marks = marks_of_others(options)
        self._records = 0
        self._malformed = 0
        self._malformed_path = folder / f"{stem}-malformed.jsonl"
        self._line_ends = 0
        self._blanks = array("q")
        self._open: _Open | None = None
        self._segments: list[Segment] = []

    def cut(self, text: Iterable[bytes], size_bytes: int, is_last: bool) -> SplitRecords:
        """Return the records of a text, UTF-8, that begins where a record does and ends where one ends.

        `size_bytes` is its size or more. `is_last` says that it ends where its file does.

        Raises:
            BrokenRecord: the file is broken.
        """
        require_space(self._folder, size_bytes, f"the next rows of {self._layout.file.url}")
        rest = b""
        try:
            for block, is_all in in_blocks(iter(text), BLOCK_BYTES):
                self._line_ends += count_byte(block, self._line_end.encode())
                rest = rest + block if rest else block
                if is_all or len(rest) >= min(2 * (len(rest) - len(block)), MAX_RECORD_BYTES):
                    rest = rest[self._take(rest, is_all and is_last, is_all) :]
                if len(rest) > MAX_RECORD_BYTES:
                    raise BrokenRecord(self._records + 1, UNCLOSED_QUOTE)
            if rest:
                # A line end outside quotes was found here, and yet no record ends; or its end is too far away.
                is_open = rest.count(b'"') % 2 == 1
                raise BrokenRecord(self._records + 1, UNCLOSED_QUOTE if is_open else BAD_QUOTING)
        except BrokenBytes as error:
            self._take(rest, is_last=False, is_whole=False)
            raise broken_bytes(self._records) from error
        finally:
            self._close()
        return SplitRecords(
            layout=self._layout,
            split=self._split,
            segments=tuple(self._segments),
            records=self._records,
            malformed_count=self._malformed,
            malformed_path=self._malformed_path,
            line_ends=self._line_ends,
            blanks=self._blanks,
        )

    def _take(self, rest: bytes, is_last: bool, is_whole: bool) -> int:
        """Write the complete records at the start of the text; return where they end.

        `is_whole` says that the text ends where a record does, `is_last` that the file does.
        """
        end = self._take_plain(rest) if self._is_worth_checking(rest) else None
        if end is None:
            return self._take_exactly(rest, is_last, is_whole)
        if is_whole and end < len(rest):
            end += self._take_exactly(rest[end:], is_last, is_whole)
        return end

    def _is_worth_checking(self, rest: bytes) -> bool:
        if len(rest) <= SMALL_BYTES or self._line_end != "\n" or not self._cutter.delimiter.isascii():
            return False
        text = b"\n%b\n" % rest if self._marks else rest
        return not any(mark in text for mark in self._marks)

    def _take_plain(self, rest: bytes) -> int | None:
        # imported where it is used: small loads do without numpy
        from framework.rows.formats.csv.blocks import check_block

        block = check_block(rest, self._cutter.delimiter, len(self._layout.columns))
        if block is None:
            return None
        self._write(memoryview(rest)[: block.end], block.records, block.line_end, block.longest_bytes)
        self._records += block.records
        return block.end

    def _take_exactly(self, rest: bytes, is_last: bool, is_whole: bool) -> int:
        text, is_sound = decoded(rest, is_last)
        cut = self._cutter.cut(text, self._records, is_last and is_sound, is_whole=is_whole and is_sound)
        self._blanks.extend(cut.blanks)
        if cut.records:
            line_end = self._open.line_end if self._open is not None else "\n"
            lines = [(record + line_end).encode("utf-8") for record in cut.good]
            longest = max(map(len, lines), default=0)
            self._write(memoryview(b"".join(lines)), len(lines), line_end, longest, cut.malformed)
            self._records += cut.records
        if not is_sound:
            raise broken_bytes(self._records)
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
        target = self._open or self._begin(line_end)
        target.file.write(lines)
        target.records += records
        target.size_bytes += len(lines)
        target.longest_bytes = max(target.longest_bytes, longest_bytes)
        if malformed:
            target.dropped.extend(found.place for found in malformed)
            with self._malformed_path.open("a" if self._malformed else "w", encoding="ascii") as notes:
                notes.write(json.dumps([(found.place, found.record) for found in malformed]) + "\n")
            self._malformed += len(malformed)

    def _begin(self, line_end: str) -> _Open:
        path = self._folder / f"{self._stem}-{len(self._segments)}.csv"
        begun = self._open = _Open(path, path.open("wb", buffering=0), line_end, self._records)
        begun.file.write(codecs.BOM_UTF8)
        return begun

    def _close(self) -> None:
        done, self._open = self._open, None
        if done is None:
            return
        done.file.close()
        if not done.records:
            done.path.unlink()
            return
        table = CsvTable(done.path, self._cutter.delimiter, done.line_end, done.size_bytes, done.longest_bytes)
        self._segments.append(
            Segment(
                layout=self._layout,
                split=self._split,
                path=done.path,
                table=table,
                before=done.before,
                records=done.records,
                size_bytes=done.size_bytes,
                dropped=done.dropped,
            )
        )
