"""Packed files: recognised by their first bytes, whatever their name, and unpacked piece by piece."""

from __future__ import annotations

import bz2
import lzma
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from framework.dataclass import dataclass
from framework.errors import MachineError
from framework.model.files import Packing
from framework.model.words import size

_PIECE_BYTES = 16 * 1024
"""Packed bytes taken at a time. Deflate compresses up to a thousandfold, and the result is in memory."""
_RESULT_BYTES = 4 * 1024**2
"""Maximum size of a result: other packings compress much more."""
_GZIP_WINDOW = 31
"""zlib's wbits for a gzip member. Source: https://docs.python.org/3/library/zlib.html"""
_XZ_MEMORY_BYTES = 256 * 1024**2
"""Four times what the highest preset of xz needs. Source: https://man7.org/linux/man-pages/man1/xz.1.html"""
_LONGEST_MAGIC = 10


class BrokenPacking(Exception):
    """A packed file that cannot be unpacked; the message says why."""


class TooLarge(BrokenPacking):
    """A packed file that unpacks to more than it may."""

    def __init__(self, most_bytes: int) -> None:
        limit = size(most_bytes)
        super().__init__(f"it unpacks to more than {limit}, the limit of source.max_unpacked: set a higher one")


class _Unpacker(Protocol):
    """Unpacks one member; Python's bz2, lzma and zstd have this interface."""

    @property
    def eof(self) -> bool:
        """Whether the member has ended."""

    @property
    def unused_data(self) -> bytes:
        """What follows the member."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more can be unpacked of what was given."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return the next bytes, at most so many."""


class _GzipMember:
    """The _Unpacker of gzip."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        found = self._member.decompress(self._member.unconsumed_tail + data, max_length)
        # A full result may have more behind it, which zlib has taken in already.
        self.needs_input = not self._member.unconsumed_tail and len(found) < max_length
        return found


def _zstd() -> Any:
    """Return Python's module for zstd, or its backport.

    Raises:
        MachineError: the backport is not installed.
    """
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError as error:
        raise MachineError("a file packed with zstd needs the package backports.zstd: install it") from error
    return zstd


@dataclass(frozen=True)
class _Codec:
    """How a packing begins, and what unpacks a member. `errors` returns what that raises for damaged data."""

    magic: re.Pattern[bytes]
    unpacker: Callable[[], _Unpacker]
    errors: Callable[[], tuple[type[Exception], ...]]


_CODECS: dict[Packing, _Codec] = {
    "gzip": _Codec(re.compile(rb"\x1f\x8b"), _GzipMember, lambda: (zlib.error,)),
    "bz2": _Codec(re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), bz2.BZ2Decompressor, lambda: (OSError, ValueError)),
    "xz": _Codec(
        re.compile(rb"\xfd7zXZ\0"),
        lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES),
        lambda: (lzma.LZMAError,),
    ),
    # Skippable frames too.
    "zstd": _Codec(
        re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
        lambda: _zstd().ZstdDecompressor(),
        lambda: (_zstd().ZstdError,),
    ),
}
"""Sources: RFC 1952, RFC 8878, https://tukaani.org/xz/xz-file-format.txt, https://en.wikipedia.org/wiki/Bzip2"""
_ZIP = re.compile(rb"PK(?:\x03\x04|\x05\x06|\x07\x08)")


def packing_of(head: bytes) -> Packing | None:
    """Return how a file that begins with these bytes is packed, whatever its name ends in; None where it is not."""
    if _ZIP.match(head):
        return "zip"
    return next((packing for packing, codec in _CODECS.items() if codec.magic.match(head)), None)


def unpacked(pieces: Iterator[bytes], packing: Packing, most_bytes: int) -> Iterator[bytes]:
    """Yield the content of the members of a packed file, one after the other, as gunzip and its like do.

    Raises:
        BrokenPacking: the data is damaged or cut off, or unpacks to more than `most_bytes`.
        MachineError: the package that unpacks it is not installed.
    """
    members = _Members(packing)
    size_bytes = 0
    for piece in pieces:
        for start in range(0, len(piece), _PIECE_BYTES):
            for content in members.take(piece[start : start + _PIECE_BYTES]):
                size_bytes += len(content)
                if size_bytes > most_bytes:
                    raise TooLarge(most_bytes)
                yield content
    if not members.are_complete:
        raise BrokenPacking(members.why_incomplete())


def unpack_head(head: bytes, packing: Packing, most_bytes: int, is_complete: bool) -> tuple[bytes, bool]:
    """Return the first content of a packed file, up to a size, and whether that is the content of whole members.

    `is_complete` says that `head` is the whole file.

    Raises:
        BrokenPacking: the data is damaged or cut off.
        MachineError: the package that unpacks it is not installed.
    """
    members = _Members(packing)
    found = bytearray()
    for start in range(0, len(head), _PIECE_BYTES):
        for content in members.take(head[start : start + _PIECE_BYTES]):
            found += content
            if len(found) > most_bytes:
                return bytes(found[:most_bytes]), False
    if is_complete and not members.are_complete:
        raise BrokenPacking(members.why_incomplete())
    return bytes(found), members.are_complete


class _Members:
    """The members of a packed file, as their bytes arrive."""

    def __init__(self, packing: Packing) -> None:
        self._packing = packing
        self._codec = _CODECS[packing]
        self._member: _Unpacker | None = None
        self._rest = b""

    @property
    def are_complete(self) -> bool:
        """Whether the bytes so far end with a member."""
        return self._member is None and not self._rest

    def why_incomplete(self) -> str:
        """Return why the data cannot end here."""
        return f"the {self._packing} data is {'cut off' if self._member else 'followed by something else'}"

    def take(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes unpack to.

        Raises:
            BrokenPacking: they are damaged.
        """
        data, self._rest = self._rest + data, b""
        while True:
            if self._member is None:
                # Zeros fill up the last block on some media.
                data = data.lstrip(b"\0")
                if not data:
                    return
                if not self._codec.magic.match(data):
                    if len(data) < _LONGEST_MAGIC:
                        self._rest = data
                        return
                    raise BrokenPacking(self._damaged())
                self._member = self._codec.unpacker()
            try:
                content = self._member.decompress(data, _RESULT_BYTES)
            except self._codec.errors() as error:
                raise BrokenPacking(f"{self._damaged()}: {error}") from error
            if content:
                yield content
            data = b""
            if self._member.eof:
                data, self._member = self._member.unused_data, None
            elif self._member.needs_input:
                return

    def _damaged(self) -> str:
        return f"the {self._packing} data is damaged"
