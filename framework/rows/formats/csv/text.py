"""A file's bytes as UTF-8 text: unpacked, decoded from its encoding, without a byte order mark."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator

from framework.rows.formats.csv.header import GZIP_WINDOW, is_gzip
from framework.rows.reasons import GZIP_CUT_OFF, GZIP_DAMAGED

_PACKED_BYTES = 16 * 1024
"""Maximum size of text unpacked at a time. Deflate compresses up to a thousandfold, and the text is in memory."""

_SMALL_BYTES = 256 * 1024
"""Up to here bytes.count takes less time than loading numpy."""


class BrokenPacking(Exception):
    """The gzip data is truncated or damaged; the message says which."""


class BrokenBytes(Exception):
    """The next bytes are not valid in the file's encoding. All text before them was yielded."""


def whole_text(pieces: Iterator[bytes], is_packed: bool, encoding: str) -> Iterator[bytes]:
    """Yield the text of a file as UTF-8 without a byte order mark, in pieces that may end inside a character.

    Raises:
        BrokenPacking: gzip data is no gzip data.
        BrokenBytes: see as_utf8.
    """
    unpacked = _unpack(pieces) if is_packed else pieces
    # The decoder of UTF-16 takes its mark off itself; a second one is a character of the text.
    return as_utf8(_without_mark(unpacked) if is_utf8(encoding) else unpacked, encoding)


def as_utf8(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield a text as UTF-8. UTF-8 is passed on as it is: the record cutter checks it. All else is checked here.

    Raises:
        BrokenBytes: bytes are not valid in an encoding that is not UTF-8.
    """
    return pieces if is_utf8(encoding) else _decode(pieces, encoding)


def is_utf8(encoding: str) -> bool:
    """Return whether an encoding is UTF-8 by any of its names."""
    return codecs.lookup(encoding).name == "utf-8"


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


def _unpack(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the content of gzip members, one after the other, as gunzip does."""
    member = None
    rest = b""
    for piece in pieces:
        for start in range(0, len(piece), _PACKED_BYTES):
            rest += piece[start : start + _PACKED_BYTES]
            if member is None:
                # Zeros fill up the last block on some media.
                rest = rest.lstrip(b"\0")
            while len(rest) > 1 or (rest and member is not None):
                if member is None and not is_gzip(rest):
                    raise BrokenPacking(GZIP_DAMAGED)
                member = member or zlib.decompressobj(GZIP_WINDOW)
                try:
                    yield member.decompress(rest)
                except zlib.error as error:
                    raise BrokenPacking(GZIP_DAMAGED) from error
                rest = member.unused_data
                if member.eof:
                    member = None
                    rest = rest.lstrip(b"\0")
    if member is not None or rest:
        raise BrokenPacking(GZIP_CUT_OFF)


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
        try:
            yield decoder.decode(piece).encode("utf-8")
        except UnicodeDecodeError as error:
            held = len(decoder.getstate()[0])
            yield decoder.decode(piece[: max(0, error.start - held)]).encode("utf-8")
            raise BrokenBytes from error
    try:
        yield decoder.decode(b"", final=True).encode("utf-8")
    except UnicodeDecodeError as error:
        raise BrokenBytes from error
