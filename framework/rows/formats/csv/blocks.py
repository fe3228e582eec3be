"""Checks big blocks of plain CSV at memory speed: are they sound, and where do their records end?

One bit per byte for quotes, delimiters and line ends; which bytes stand inside quotes follows from
the parity of the quotes before them, computed for 64 bytes at a time. A block that is not plain
(blank lines, mixed line ends, a wrong field count, broken quoting) is left to RecordCutter.
"""

from __future__ import annotations

import codecs
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from framework.dataclass import dataclass

Words: TypeAlias = NDArray[np.uint64]
Places: TypeAlias = NDArray[np.int64]

_LF, _CR, _QUOTE = 10, 13, 34
_DECODED_BYTES = 64 * 1024


@dataclass(frozen=True)
class PlainBlock:
    """The sound records at the start of a block. `end` is the byte after the last one."""

    end: int
    records: int
    line_end: str
    longest_bytes: int


def check_block(block: bytes, delimiter: str, columns: int) -> PlainBlock | None:
    """Return the block's complete records where they are plain, None where they need the exact reader.

    Plain: quoting by RFC 4180, `columns` fields each, one kind of line end, no blank line, no NUL,
    valid UTF-8. The delimiter is one ASCII character.
    """
    if not block or b"\0" in block:
        return None
    found = _find(block, ord(delimiter))
    if len(found.ends) == 0 or not found.has_sound_quotes:
        return None
    end = int(found.ends[-1]) + 1
    lengths = np.diff(found.ends, prepend=-1)
    line_end = _line_end(block, found.ends)
    has_plain_lines = line_end is not None and int(lengths.min()) > len(line_end)
    if line_end is None or not has_plain_lines or bool((_fields(found) != columns).any()):
        return None
    if not _is_utf8(block[:end]):
        return None
    return PlainBlock(end, len(found.ends), line_end, int(lengths.max()))


@dataclass(frozen=True)
class _Found:
    """`ends`: places of the line feeds that end records; `delimiters`: those between fields."""

    ends: Places
    delimiters: Words
    has_sound_quotes: bool


def _find(block: bytes, delimiter: int) -> _Found:
    text = np.frombuffer(block, dtype=np.uint8)
    if padding := -len(text) % 64:
        text = np.concatenate([text, np.zeros(padding, np.uint8)])
    quotes, delimiters = _bits(text == _QUOTE), _bits(text == delimiter)
    line_feeds = _bits(text == _LF)
    returns = _bits(text == _CR) if b"\r" in block else np.zeros_like(quotes)
    inside = _parity(quotes)
    ends = line_feeds & ~inside
    places = _places(ends)
    return _Found(
        ends=places,
        delimiters=delimiters & ~inside,
        has_sound_quotes=_has_sound_quotes(quotes, inside, delimiters | line_feeds | returns, places)
        and _stand_behind(returns & ~inside & ~_next(line_feeds), places),
    )


def _has_sound_quotes(quotes: Words, inside: Words, marks: Words, ends: Places) -> bool:
    """Return whether every quote that opens follows a mark or a quote, and every one that closes precedes one."""
    neighbours = marks | quotes
    before = _previous(neighbours)
    before[0] |= np.uint64(1)
    if (quotes & inside & ~before).any():
        return False
    return _stand_behind(quotes & ~inside & ~_next(neighbours), ends)


def _stand_behind(strays: Words, ends: Places) -> bool:
    """Return whether no stray byte is in a complete record.

    The last byte of the block has no neighbour yet; it is checked with the next block.
    """
    places = _places(strays)
    return len(places) == 0 or (len(ends) > 0 and int(places[0]) > int(ends[-1]))


def _fields(found: _Found) -> Places:
    """Return the field count of each record: the delimiters up to its end, less those before it."""
    totals = np.concatenate([np.zeros(1, np.int64), np.cumsum(_count(found.delimiters))])
    words = found.ends >> 6
    below = (np.uint64(1) << (found.ends & 63).astype(np.uint64)) - np.uint64(1)
    so_far = totals[words] + _count(found.delimiters[words] & below)
    fields: Places = np.diff(so_far, prepend=0) + 1
    return fields


def _line_end(block: bytes, ends: Places) -> str | None:
    """Return the line end that all records have, None where they differ."""
    text = np.frombuffer(block, dtype=np.uint8)
    before = text[np.maximum(ends - 1, 0)] == _CR
    if before.all():
        return "\r\n"
    return None if before.any() else "\n"


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    view = memoryview(text)
    try:
        # Piece by piece: letters take up to four bytes in a string, and its memory takes longer than the check.
        while view:
            _, size = codecs.utf_8_decode(view[:_DECODED_BYTES], "strict", len(view) <= _DECODED_BYTES)
            view = view[size:]
    except UnicodeDecodeError:
        return False
    return True


def _bits(condition: NDArray[np.bool_]) -> Words:
    """Pack 64 conditions into a word, the first in the lowest bit."""
    packed: Words = np.packbits(condition, bitorder="little").view("<u8")
    return packed


def _places(bits: Words) -> Places:
    """Return the places of the bits that are set, in order. Few are: most words have none, or one."""
    words = np.flatnonzero(bits)
    left = bits[words]
    found = []
    while len(words):
        lowest = left & (~left + np.uint64(1))
        found.append((words << 6) + _count(lowest - np.uint64(1)))
        left = left ^ lowest
        words, left = words[left != 0], left[left != 0]
    if len(found) <= 1:
        return found[0] if found else words
    return np.sort(np.concatenate(found))


def _parity(bits: Words) -> Words:
    """Return for each bit whether up to it, itself included, an odd number is set."""
    result = bits.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        result ^= result << np.uint64(shift)
    odd = np.bitwise_xor.accumulate(result >> np.uint64(63))
    result[1:] ^= np.uint64(0) - odd[:-1]
    return result


def _previous(bits: Words) -> Words:
    """Return for each bit the one before it."""
    result = bits << np.uint64(1)
    result[1:] |= bits[:-1] >> np.uint64(63)
    return result


def _next(bits: Words) -> Words:
    """Return for each bit the one after it."""
    result = bits >> np.uint64(1)
    result[:-1] |= bits[1:] << np.uint64(63)
    return result


def _count(words: Words) -> Places:
    """Return how many bits are set in each word. Source: the SWAR count of Hacker's Delight, 5-2."""
    pairs = words - ((words >> np.uint64(1)) & np.uint64(0x5555555555555555))
    fours = (pairs & np.uint64(0x3333333333333333)) + ((pairs >> np.uint64(2)) & np.uint64(0x3333333333333333))
    bytes_ = (fours + (fours >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    counts: Places = ((bytes_ * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.int64)
    return counts
