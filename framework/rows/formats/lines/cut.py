"""Cuts the text of a split into a segment of whole lines, one for each record."""

from __future__ import annotations

import codecs
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from framework.dataclass import dataclass
from framework.model.files import FileLayout
from framework.model.words import size as size_text
from framework.rows.formats.text.format import BrokenRecord, broken_bytes
from framework.rows.formats.text.reader import BLOCK_BYTES
from framework.rows.formats.text.stream import MAX_RECORD_BYTES
from framework.rows.formats.text.text import BrokenBytes, count_byte, decoded, in_blocks
from framework.rows.segments import MalformedRecord, Segment, SplitRecords, write_malformed
from framework.rows.sql.expressions import quoted
from framework.rows.workspace import require_space

_LEAST_LINE_BYTES = 2 * 1024**2
DELIMITERS = ("\x01", "\x02", "\x1e", "\x1f")
"""Part fields for DuckDB, which reads a line as one: it is given the first that no line holds."""
DELIMITER = DELIMITERS[0]
NUL = b"\0"
_BLANKS = b" \t\r"
_SWAPPED = bytes.maketrans(b"\r\n", b"\n\r")
"""In a file whose lines end with CR, a stray LF is no better than a stray CR in others."""


@dataclass
class CutLines:
    """The lines of a split in a local file, each with a line feed, and notes of those that it leaves out.

    `records` counts all lines but blank ones. `delimiter` is a character that none of them holds, None where each of
    DELIMITERS stands in one. `unended` is the file's last line where it has no line end.
    """

    path: Path
    records: int
    size_bytes: int
    longest_bytes: int
    line_ends: int
    blanks: array[int]
    malformed: list[MalformedRecord]
    delimiter: str | None = DELIMITER
    unended: bytes = b""


def lines_table(path: Path, size_bytes: int, longest_bytes: int, delimiter: str | None = DELIMITER) -> str:
    """Return DuckDB's table expression of a file of lines: one column, `l`.

    No line may hold the delimiter, nor a carriage return, which DuckDB takes for a line end. Without a delimiter, which
    takes six times as long, the file has to begin with a byte order mark.
    """
    if delimiter is None:
        text = f"read_text({quoted(str(path))})"
        return f"(select unnest(string_split(content[2:-2], chr(10))) as l from {text})"
    line = max(_LEAST_LINE_BYTES, longest_bytes + 1024)
    return (
        f"read_csv({quoted(str(path))}, columns = {{'l': 'varchar'}}, auto_detect = false, header = false, "
        f"delim = {quoted(delimiter)}, quote = '', escape = '', nullstr = '', parallel = false, "
        f"new_line = '\\n', strict_mode = false, max_line_size = {line}, "
        f"buffer_size = {max(size_bytes + 1024, 2 * line)})"
    )


class LineCutter:
    """Cuts the lines of one split, once, into a file.

    A line with one of the bytes `unsound` is malformed. With `has_mark` the file begins with a byte order mark: DuckDB
    drops one, which is a character of the first line otherwise.
    """

    def __init__(
        self,
        layout: FileLayout,
        path: Path,
        unsound: Sequence[bytes] = (NUL, DELIMITER.encode()),
        has_mark: bool = False,
    ) -> None:
        self._layout = layout
        self._is_cr = layout.rows_start.line_end == "\r"
        self._lines = CutLines(path, 0, 0, 0, 0, array("q"), [])
        self._unsound = tuple(unsound)
        self._mark = codecs.BOM_UTF8 if has_mark else b""
        self._delimiters = [delimiter.encode() for delimiter in DELIMITERS]

    def cut(self, text: Iterable[bytes], size_bytes: int, is_last: bool) -> CutLines:
        """Return the lines of a text; see Cutter.

        Raises:
            BrokenRecord: bytes are not valid in the file's encoding, or a line is far too long.
        """
        lines = self._lines
        require_space(lines.path.parent, size_bytes, f"the next rows of {self._layout.file.url}")
        pieces = (piece.translate(_SWAPPED) for piece in text) if self._is_cr else iter(text)
        rest = b""
        with lines.path.open("wb", buffering=0) as file:
            file.write(self._mark)
            try:
                for block, is_all in in_blocks(pieces, BLOCK_BYTES):
                    lines.line_ends += count_byte(block, b"\n")
                    rest = rest + block if rest else block
                    end = len(rest) if is_all else rest.rfind(b"\n") + 1
                    if is_all and rest and not rest.endswith(b"\n"):
                        lines.unended = rest[rest.rfind(b"\n") + 1 :] if is_last else b""
                        rest, end = rest + b"\n", end + 1
                    self._take(rest[:end], file)
                    rest = rest[end:]
                    if len(rest) > MAX_RECORD_BYTES:
                        reason = f"the line has more than {size_text(MAX_RECORD_BYTES)}"
                        raise BrokenRecord(lines.records + 1, reason)
            except BrokenBytes as error:
                self._take(rest[: rest.rfind(b"\n") + 1], file)
                raise broken_bytes(lines.records) from error
        lines.delimiter = self._delimiters[0].decode() if self._delimiters else None
        return lines

    def _take(self, text: bytes, file: BinaryIO) -> None:
        """Write whole lines."""
        if not text:
            return
        if not text.isascii() and not decoded(text, True)[1]:
            sound, _ = decoded(text, True)
            before = sound.encode("utf-8")
            self._take(before[: before.rfind(b"\n") + 1], file)
            raise broken_bytes(self._lines.records)
        text = text.replace(b"\r\n", b"\n")
        good = text.split(b"\n")[:-1]
        is_plain = not self._is_unsound(text) and all(map(bytes.strip, good))
        if not is_plain:
            good = [line for line in good if self._is_good(line)]
            text = b"".join(line + b"\n" for line in good)
        else:
            self._lines.records += len(good)
        self._lines.longest_bytes = max(self._lines.longest_bytes, max(map(len, good), default=0))
        self._lines.size_bytes += len(text)
        self._delimiters = [delimiter for delimiter in self._delimiters if delimiter not in text]
        file.write(text)

    def _is_good(self, line: bytes) -> bool:
        if not line.strip(_BLANKS):
            self._lines.blanks.append(self._lines.records + 1)
            return False
        self._lines.records += 1
        if self._is_unsound(line):
            record = line.translate(_SWAPPED) if self._is_cr else line
            self._lines.malformed.append(MalformedRecord(self._lines.records, record.decode("utf-8")))
            return False
        return True

    def _is_unsound(self, text: bytes) -> bool:
        return any(byte in text for byte in self._unsound)


def records_of(
    segment: Segment, lines: CutLines, malformed: Sequence[MalformedRecord], path: Path, paths: tuple[str, ...] = ()
) -> SplitRecords:
    """Return the records of a split: those of the segment, and the malformed ones, which are written to `path`."""
    write_malformed(path, malformed)
    return SplitRecords(
        layout=segment.layout,
        split=segment.split,
        segments=(segment,) if segment.records else (),
        records=lines.records,
        malformed_count=len(malformed),
        malformed_path=path,
        line_ends=lines.line_ends,
        blanks=lines.blanks,
        paths=paths,
    )
