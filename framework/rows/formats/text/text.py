"""A file's content as UTF-8 text: decoded from its encoding, without a byte order mark."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from framework.rows.formats.text.encoding import is_utf8, keeps_mark

_SMALL_BYTES = 256 * 1024
"""Up to here bytes.count takes less time than loading numpy."""


class BrokenBytes(Exception):
    """The next bytes are not valid in the file's encoding. All text before them was yielded."""


def whole_text(content: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the text of a file as UTF-8 without a byte order mark, in pieces that may end inside a character.

    Raises:
        BrokenBytes: see as_utf8.
    """
    text = as_utf8(content, encoding)
    # A mark that the decoder has taken off may be followed by one that is a character of the text.
    return _without_mark(text) if keeps_mark(encoding) else text


def as_utf8(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield a text as UTF-8. UTF-8 is passed on as it is: the record cutter checks it. All else is checked here.

    Raises:
        BrokenBytes: bytes are not valid in an encoding that is not UTF-8.
    """
    return pieces if is_utf8(encoding) else _decode(pieces, encoding)


def without_start(text: Iterator[bytes], size_bytes: int) -> Iterator[bytes]:
    """Yield a text without its first bytes."""
    for piece in text:
        if size_bytes < len(piece):
            yield piece[size_bytes:]
            break
        size_bytes -= len(piece)
    yield from text


def in_blocks(pieces: Iterator[bytes], size_bytes: int) -> Iterator[tuple[bytes, bool]]:
    """Yield the text in blocks of at least a size, and with each whether it is the last.

    What comes before bytes that are not valid is yielded first, and is not the last.
    """
    held: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            if size >= size_bytes:
                yield b"".join(held), False
                held, size = [], 0
            held.append(piece)
            size += len(piece)
    except BrokenBytes:
        # So that the caller can name the record at fault.
        yield b"".join(held), False
        raise
    yield b"".join(held), True


def count_byte(text: bytes | memoryview, byte: bytes) -> int:
    """Return how often a byte stands in a text. Where it is frequent, bytes.count takes five times as long."""
    if len(text) <= _SMALL_BYTES:
        return bytes(text).count(byte)
    # imported where it is used: small loads do without numpy
    import numpy as np

    found = 0
    for start in range(0, len(text), _SMALL_BYTES):
        found += int(np.count_nonzero(np.frombuffer(text[start : start + _SMALL_BYTES], np.uint8) == ord(byte)))
    return found


def decoded(text: bytes, is_all: bool) -> tuple[str, bool]:
    """Return a text in UTF-8 up to the first byte that is not valid, and whether there is none.

    A character that is cut off at the end is left out, and wrong only where `is_all`.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return decoder.decode(text, final=is_all), True
    except UnicodeDecodeError as error:
        return text[: error.start].decode("utf-8"), False


def _without_mark(pieces: Iterator[bytes]) -> Iterator[bytes]:
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= len(codecs.BOM_UTF8):
            break
    yield start.removeprefix(codecs.BOM_UTF8)
    yield from pieces


def _decode(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    for piece in pieces:
        before = decoder.getstate()
        try:
            yield decoder.decode(piece).encode("utf-8")
        except UnicodeError as error:
            # What a decoder has kept or dropped when it fails is its own affair.
            decoder.setstate(before)
            yield _valid_start(decoder, len(before[0]), piece, error).encode("utf-8")
            raise BrokenBytes from error
    try:
        yield decoder.decode(b"", final=True).encode("utf-8")
    except UnicodeError as error:
        raise BrokenBytes from error


def _valid_start(decoder: codecs.IncrementalDecoder, held_bytes: int, piece: bytes, error: UnicodeError) -> str:
    """Return the text before the bytes at fault. `held_bytes` of an earlier piece precede this one."""
    start = error.start - held_bytes if isinstance(error, UnicodeDecodeError) else 0
    try:
        return decoder.decode(piece[: max(0, start)])
    except UnicodeError:
        return ""
