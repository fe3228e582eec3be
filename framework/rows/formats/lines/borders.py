"""Where lines begin and end in a range of a file."""

from __future__ import annotations

from collections.abc import Iterator

from framework.rows.chain import Borders, Region
from framework.rows.formats.text.format import READ_AHEAD_BYTES, READ_WITH_BYTES, Fetch, SplitText

_LINE_FEED = b"\n"


def read_lines(start: int, end: int, file_end: int, is_first: bool, fetch: Fetch) -> SplitText:
    """Return the lines that begin in a range of a file, and its borders; with `is_first` one begins at its start."""
    # One byte early: a line begins at the start of the range if a line feed stands before it.
    at = start if is_first else start - 1
    text = fetch(at, min(end + READ_WITH_BYTES, file_end))
    size = end - at
    begin = 0 if is_first else text.find(_LINE_FEED, 0, size) + 1
    if not is_first and not 0 < begin < size:
        return SplitText(Borders(None, None, False), None)
    borders = Borders(at + begin, None, False)
    ahead = () if text[size - 1 : size] == _LINE_FEED else tuple(_rest_of_line(text[size:], end, file_end, fetch))
    region = Region(at + begin, end + sum(map(len, ahead)))
    return SplitText(borders, region, (memoryview(text)[begin:size], *ahead))


def last_line_end(text: bytes) -> int:
    """Return the place behind the last line feed of a text, 0 where there is none."""
    return text.rfind(_LINE_FEED) + 1


def _rest_of_line(text: bytes | bytearray, end: int, file_end: int, fetch: Fetch) -> Iterator[bytes | bytearray]:
    """Yield what belongs to the last line beyond the range; `text` is what was read with the range."""
    for size in (0, *READ_AHEAD_BYTES):
        if size:
            text = fetch(end, min(end + size, file_end))
        border = text.find(_LINE_FEED) + 1
        yield text[:border] if border else text
        end += len(text)
        if border or end == file_end:
            return
