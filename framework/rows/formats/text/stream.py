"""Cuts the text of a file that cannot be divided into splits, as it arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from framework.dataclass import dataclass
from framework.rows.formats.text.text import BrokenBytes

MAX_RECORD_BYTES = 64 * 1024**2
"""Maximum size of one record. More means an unclosed quote: no row of a warehouse is larger than 16 MB."""
LONGEST_TAIL_BYTES = 1024**2
"""A last record may end in any run of line ends up to here, wherever its file is divided."""


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


def stream_splits(text: Iterator[bytes], find_border: Callable[[bytes], int], size_bytes: int) -> Iterator[StreamSplit]:
    """Yield splits of at least a size, of the text of a file from where its rows begin.

    `find_border`: see TextFormat.

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
