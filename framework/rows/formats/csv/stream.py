"""Cuts the text of a file that cannot be divided into splits, as it arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from framework.model.files import FileLayout
from framework.rows.formats.csv.cut import LONGEST_TAIL_BYTES, MAX_RECORD_BYTES
from framework.rows.formats.csv.records import RecordCutter
from framework.rows.formats.csv.text import BrokenBytes, decoded

_QUOTE = b'"'


@dataclass(frozen=True)
class StreamSplit:
    """Whole records of a stream, UTF-8.

    `is_last` says that the file ends with it, `is_broken` that bytes follow that are not valid in its encoding.
    """

    text: bytes
    is_last: bool = False
    is_broken: bool = False

    def pieces(self) -> Iterator[bytes]:
        """Yield the text.

        Raises:
            BrokenBytes: at its end, where it is broken.
        """
        yield self.text
        if self.is_broken:
            raise BrokenBytes


def stream_splits(text: Iterator[bytes], layout: FileLayout, size_bytes: int) -> Iterator[StreamSplit]:
    """Yield splits of at least a size, of the text of a file from where its rows begin.

    A split in which no record ends has more bytes than a record may have; the text behind it is not read.
    """
    find_border = _border_finder(layout)
    held: list[bytes] = []
    size, enough = 0, size_bytes
    try:
        for piece in text:
            held.append(piece)
            size += len(piece)
            if size < enough:
                continue
            block = b"".join(held)
            border = _border(block, find_border)
            if border == 0 and size > MAX_RECORD_BYTES:
                yield StreamSplit(block)
                return
            if border:
                yield StreamSplit(block[:border])
            held = [block[border:]]
            size = len(held[0])
            enough = size_bytes if border else 2 * size
    except BrokenBytes:
        yield StreamSplit(b"".join(held), is_broken=True)
        return
    yield StreamSplit(b"".join(held), is_last=True)


def _border(block: bytes, find_border: Callable[[bytes], int]) -> int:
    """Return where to cut a block: behind its last record, or before it where nothing but line ends follows.

    More of them may come, and at the end of the file they are all of that record.
    """
    border = find_border(block)
    text = len(block.rstrip(b"\r\n"))
    if border < text or len(block) - text > LONGEST_TAIL_BYTES:
        return border
    return find_border(block[:text])


def _border_finder(layout: FileLayout) -> Callable[[bytes], int]:
    """Return a function that finds the place behind the last record of a text, 0 where none ends in it."""
    line_end = layout.rows_start.line_end
    if layout.options.has_parity:
        return partial(last_border, line_end=line_end.encode())
    cutter = RecordCutter(layout.options, len(layout.columns), line_end)

    def find(block: bytes) -> int:
        text, _ = decoded(block, False)
        return len(text[: cutter.border(text)].encode("utf-8"))

    return find


def last_border(text: bytes, line_end: bytes) -> int:
    """Return the place behind the last line end outside quotes, 0 where there is none. The text begins outside."""
    is_inside = text.count(_QUOTE) % 2 == 1
    end = len(text)
    while (place := text.rfind(line_end, 0, end)) >= 0:
        is_inside ^= text.count(_QUOTE, place, end) % 2 == 1
        if not is_inside:
            return place + 1
        # No line end back to the quote that opens the field ends a record.
        end, is_inside = text.rindex(_QUOTE, 0, place), False
    return 0
