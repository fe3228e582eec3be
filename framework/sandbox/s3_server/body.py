"""The body of a request: plain or in signed chunks, with the checksums it comes with."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from io import BufferedIOBase
from typing import Protocol

from framework.sandbox.s3_server.objects import PIECE_BYTES
from framework.sandbox.s3_server.s3_error import S3Error, invalid

MAX_LINE_BYTES = 4096


class _Digest(Protocol):
    def update(self, data: memoryview, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: memoryview, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


_DIGESTS: Mapping[str, Callable[[], _Digest]] = {
    "content-md5": lambda: hashlib.md5(usedforsecurity=False),
    "x-amz-checksum-crc32": _Crc32,
    "x-amz-checksum-sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "x-amz-checksum-sha256": hashlib.sha256,
}
"""What is checked; CRC-32C and CRC-64 are not, because Python computes them too slowly."""


class RequestBody:
    """Reads a body once. `begin` is called before the first byte is asked for.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
        (aws-chunked: every chunk begins with a line of its size, trailers follow the last one)
    """

    def __init__(self, headers: Mapping[str, str], stream: BufferedIOBase, begin: Callable[[], None]) -> None:
        self._stream = stream
        self._begin = begin
        self._sums = {name: headers[name] for name in _DIGESTS if name in headers}
        trailing = [name.strip().lower() for name in headers.get("x-amz-trailer", "").split(",")]
        self._digests = {name: make() for name, make in _DIGESTS.items() if name in self._sums or name in trailing}
        self._is_chunked = headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
        self._size = _size(headers, "x-amz-decoded-content-length" if self._is_chunked else "content-length")
        # Of a plain body, the bytes still to come; of one in chunks, whether it was begun and not ended.
        self._unread = 0 if self._is_chunked else self._size
        self._is_inside = False

    def pieces(self) -> Iterator[memoryview]:
        """Yield the content; a piece is overwritten by the next one.

        Raises:
            S3Error: it ends early, or a checksum is not that of what has come.
        """
        self._begin()
        received = 0
        for piece in self._raw():
            received += len(piece)
            for digest in self._digests.values():
                digest.update(piece)
            yield piece
        if received != self._size:
            raise _incomplete()
        for name, digest in self._digests.items():
            if base64.b64encode(digest.digest()).decode() != self._sums.get(name):
                raise S3Error(400, "BadDigest", f"The {name} you specified did not match the calculated checksum")

    def read(self, max_bytes: int) -> bytes:
        """Return the whole content of a small body."""
        if self._size > max_bytes:
            raise S3Error(400, "MalformedXML", f"The document has more than {max_bytes} bytes")
        return b"".join(bytes(piece) for piece in self.pieces())

    def skip(self) -> bool:
        """Read what nobody has read; False where that cannot be, so that no further request can come."""
        try:
            if not self._is_inside:
                for _ in self._raw():
                    pass
            return not self._is_inside
        except S3Error:
            return False

    def _raw(self) -> Iterator[memoryview]:
        if self._is_chunked:
            self._is_chunked, self._is_inside = False, True
            yield from self._chunks()
            self._is_inside = False
        buffer = memoryview(bytearray(min(PIECE_BYTES, self._unread)))
        while self._unread:
            count = self._read_into(buffer[: self._unread])
            self._unread -= count
            yield buffer[:count]

    def _chunks(self) -> Iterator[memoryview]:
        buffer = memoryview(bytearray(PIECE_BYTES))
        while size := self._chunk_size():
            while size:
                count = self._read_into(buffer[:size])
                size -= count
                yield buffer[:count]
            self._line()
        while line := self._line():
            name, _, value = line.partition(":")
            self._sums[name.strip().lower()] = value.strip()

    def _read_into(self, buffer: memoryview) -> int:
        count = self._stream.readinto(buffer)
        if not count:
            raise _incomplete()
        return count

    def _chunk_size(self) -> int:
        size = self._line().partition(";")[0]
        try:
            return int(size, 16)
        except ValueError as error:
            raise invalid(f"A chunk must begin with its size, not with {size!r}") from error

    def _line(self) -> str:
        line = self._stream.readline(MAX_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise _incomplete()
        return line.decode("latin-1").strip()


def _size(headers: Mapping[str, str], name: str) -> int:
    value = headers.get(name, "" if "transfer-encoding" in headers else "0")
    if not value.isdecimal():
        raise S3Error(411, "MissingContentLength", f"You must provide the {name} HTTP header")
    return int(value)


def _incomplete() -> S3Error:
    return S3Error(400, "IncompleteBody", "The request body ended before the size that was announced")
