"""Where records begin and end in a range of a file that is divided by the parity of its quotes."""

from __future__ import annotations

from collections.abc import Iterator

from framework.rows.chain import Borders, Region
from framework.rows.formats.text.format import READ_AHEAD_BYTES, READ_WITH_BYTES, Fetch, SplitText
from framework.rows.formats.text.text import count_byte

_FIRST_WINDOW_BYTES = 16 * 1024
"""A border is mostly near; the windows in which it is looked for grow."""
_JUDGED_BYTES = 1024**2
"""How far quotes are held against both assumptions. A wrong one is found in any case, and costs a second reading."""
_QUOTE = b'"'


def read_split(start: int, end: int, file_end: int, is_first: bool, delimiter: str, fetch: Fetch) -> SplitText:
    """Return the records that begin in a range of a file, and its borders.

    The range is taken to begin outside quotes, unless the quotes in it say otherwise. With `is_first` a record begins
    at its start. The text of a last record that goes on for too long is cut off.
    """
    # One byte early: a record begins at the start of the range if a line feed stands before it.
    early = 0 if is_first else 1
    at = start - early
    text = fetch(at, min(end + READ_WITH_BYTES, file_end))
    size = end - at
    borders = _borders(text, at, early, size)
    is_inside = _is_better_inside(memoryview(text)[:size], at, borders, delimiter)
    begin = borders.inside if is_inside else borders.outside
    if begin is None:
        return SplitText(borders, None)
    rest = text[size:]
    ends_here = text[size - 1 : size] == b"\n" and is_inside == borders.flips
    ahead = () if ends_here else tuple(_read_ahead(rest, end, file_end, is_inside ^ borders.flips, fetch))
    region = Region(begin, end + sum(map(len, ahead)))
    return SplitText(borders, region, (memoryview(text)[begin - at : size], *ahead))


def first_border(text: bytes | bytearray, start: int, is_inside: bool) -> int | None:
    """Return the place behind the first line feed outside quotes, from `start` on; None where there is none.

    `is_inside` says whether the text at `start` is inside quotes.
    """
    # imported where it is used: small loads do without numpy
    import numpy as np

    if is_inside and text.find(_QUOTE, start) < 0:
        return None
    size = _FIRST_WINDOW_BYTES
    while start < len(text):
        window = np.frombuffer(text, np.uint8, min(size, len(text) - start), start)
        quotes = np.flatnonzero(window == ord(_QUOTE))
        line_feeds = np.flatnonzero(window == ord("\n"))
        ends = line_feeds[np.searchsorted(quotes, line_feeds) % 2 == is_inside]
        if len(ends):
            return start + int(ends[0]) + 1
        is_inside ^= len(quotes) % 2 == 1
        start += len(window)
        size *= 4
    return None


def _borders(text: bytes | bytearray, at: int, early: int, size: int) -> Borders:
    """Return the borders of a range: `size` bytes of a text that begins at a place of the file, `early` before it."""
    # The state is that behind the early byte: a quote there is one of the split before.
    flips = count_byte(memoryview(text)[early:size], _QUOTE) % 2 == 1
    if not early:
        return Borders(at, None, flips)
    outside = early if text[:early] == b"\n" else first_border(text, early, False)
    inside = first_border(text, early, True)
    # A border at the end of the range is that of a later split.
    found = [None if place is None or place >= size else at + place for place in (outside, inside)]
    return Borders(found[0], found[1], flips)


def _is_better_inside(text: memoryview, at: int, borders: Borders, delimiter: str) -> bool:
    """Return whether a range more likely begins inside quotes."""
    if borders.inside is None:
        return False
    if borders.outside is not None and _quotes_fit(text, borders.outside - at, delimiter):
        return False
    return _quotes_fit(text, borders.inside - at, delimiter)


def _quotes_fit(text: memoryview, start: int, delimiter: str) -> bool:
    """Return whether each quote that would open a field follows a mark, and each that would close one precedes one.

    A record begins at `start`.
    """
    # imported where it is used: small loads do without numpy
    import numpy as np

    bytes_ = np.frombuffer(text[start : start + _JUDGED_BYTES], dtype=np.uint8)
    quotes = np.flatnonzero(bytes_ == ord(_QUOTE))
    is_mark = np.zeros(256, np.bool_)
    is_mark[[ord(mark) for mark in ('"', "\r", "\n", delimiter)]] = True
    opening, closing = quotes[::2], quotes[1::2]
    before = opening[1:] if len(opening) and opening[0] == 0 else opening
    behind = closing[:-1] if len(closing) and closing[-1] == len(bytes_) - 1 else closing
    return bool(is_mark[bytes_[before - 1]].all() and is_mark[bytes_[behind + 1]].all())


def _read_ahead(
    text: bytes | bytearray, end: int, file_end: int, is_inside: bool, fetch: Fetch
) -> Iterator[bytes | bytearray]:
    """Yield what belongs to the last record beyond the range; `text` is what was read with the range."""
    for size in (0, *READ_AHEAD_BYTES):
        if size:
            text = fetch(end, min(end + size, file_end))
        border = first_border(text, 0, is_inside)
        if border is not None:
            yield text[:border]
            return
        yield text
        is_inside ^= text.count(_QUOTE) % 2 == 1
        end += len(text)
        if end == file_end:
            return


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
