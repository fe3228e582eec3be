"""Cuts the text of a file that cannot be divided into splits, as it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from framework.rows.formats.csv.cut import LONGEST_TAIL_BYTES, MAX_RECORD_BYTES
from framework.rows.formats.csv.text import BrokenBytes

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


def stream_splits(text: Iterator[bytes], line_end: str, size_bytes: int) -> Iterator[StreamSplit]:
    """Yield splits of at least a size, of a text that begins where a record does.

    A split in which no record ends has more bytes than a record may have; the text behind it is not read.
    """
    held: list[bytes] = []
    size, enough = 0, size_bytes
    try:
        for piece in text:
            held.append(piece)
            size += len(piece)
            if size < enough:
                continue
            block = b"".join(held)
            border = _border(block, line_end.encode())
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


def _border(block: bytes, line_end: bytes) -> int:
    """Return where to cut a block: behind its last record, or before it where nothing but line ends follows.

    More of them may come, and at the end of the file they are all of that record.
    """
    border = last_border(block, line_end)
    text = len(block.rstrip(b"\r\n"))
    if border < text or len(block) - text > LONGEST_TAIL_BYTES:
        return border
    return last_border(block[:text], line_end)


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
