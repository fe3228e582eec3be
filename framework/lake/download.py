"""The bytes of source files in their order, fetched by several ranged GETs side by side."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.exceptions import HTTPClientError, IncompleteReadError

from framework.lake.errors import read_errors, replaced, s3_errors
from framework.log.retries import tell_retry
from framework.model.files import SourceFile

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

STREAMS = 8
"""GETs at a time. One connection to S3 carries 50 to 100 MB/s, several carry what the network does."""
SMALLEST_PART_BYTES = 8 * 1024**2
PIECE_BYTES = 1024**2
NETWORK_PIECE_BYTES = 256 * 1024
"""Smaller, because a fetch that is given up ends with its piece."""
WAIT_SECONDS = 0.2
ATTEMPTS = 5
"""Connections of one GET that may break; each next one goes on where the last one ended."""
_BROKEN = (HTTPClientError, BotoConnectionError, IncompleteReadError)


@dataclass
class _Part:
    """A range of a file on its way to a local file of its own. `written` counts its bytes there.

    Each is fetched on a daemon thread: a connection on which nothing comes any more would hold up
    whoever gives the fetching up, until it times out.
    """

    file: SourceFile
    start: int
    end: int
    path: Path
    written: int = 0
    is_dropped: bool = False
    failure: BaseException | None = None
    grown: threading.Condition = field(default_factory=threading.Condition)

    def drop(self) -> None:
        """End the fetching at its next piece, and remove what is there; no file comes afterwards."""
        with self.grown:
            self.is_dropped = True
        self.path.unlink(missing_ok=True)


def download(client: S3Client, files: Sequence[SourceFile], folder: Path) -> Generator[Iterator[bytes]]:
    """Yield each file's bytes, in order of the files, while what comes behind them is fetched.

    A file's bytes come in order, in pieces of up to 1 MiB; an empty piece says that nothing has come
    for a while. What is not read of a file when the next one is asked for is passed over.

    STREAMS ranges, of one file or of several, are on their way or wait in `folder`, on disk; they
    are removed as they are read. Closing the iterator ends the fetching and removes the rest.
    Memory: a piece per stream.

    Raises:
        SourceFileError: from a file's bytes: it has gone, or is another one by now.
        TransientWarehouseError: likewise: the connection broke more often than is tried.
    """
    ahead = _Ahead(client, files, folder)
    try:
        for file in files:
            yield ahead.read(file)
            ahead.drop(file)
    finally:
        ahead.close()


class _Ahead:
    """The parts of all files in their order; the first STREAMS that are not read yet are begun."""

    def __init__(self, client: S3Client, files: Sequence[SourceFile], folder: Path) -> None:
        self._client = client
        self._coming = _parts(files, folder)
        self._begun: deque[_Part] = deque()
        self._begin()

    def read(self, file: SourceFile) -> Iterator[bytes]:
        """Yield the bytes of the file whose turn it is."""
        while self._begun and self._begun[0].file is file:
            yield from _read(self._begun[0])
            self._drop_first()

    def drop(self, file: SourceFile) -> None:
        """Pass over what is left of a file."""
        while self._begun and self._begun[0].file is file:
            self._drop_first()

    def close(self) -> None:
        """End all fetching and remove what was fetched."""
        for part in self._begun:
            part.drop()
        self._begun.clear()

    def _drop_first(self) -> None:
        self._begun.popleft().drop()
        self._begin()

    def _begin(self) -> None:
        for part in islice(self._coming, STREAMS - len(self._begun)):
            self._begun.append(part)
            fetch = partial(copy_context().run, _fetch, self._client, part)
            threading.Thread(target=fetch, name="fetch", daemon=True).start()


def _parts(files: Sequence[SourceFile], folder: Path) -> Iterator[_Part]:
    numbers = count()
    for file in files:
        size = max(SMALLEST_PART_BYTES, -(-file.size_bytes // STREAMS))
        for start in range(0, file.size_bytes, size):
            end = min(start + size, file.size_bytes)
            yield _Part(file, start, end, folder / f"fetched-{next(numbers)}")


def _fetch(client: S3Client, part: _Part) -> None:
    try:
        with part.grown:
            if part.is_dropped:
                return
            target = part.path.open("wb", buffering=0)
        with target, closing(stream(client, part.file, part.start, part.end)) as pieces:
            for piece in pieces:
                if part.is_dropped:
                    return
                _write_all(target, piece)
                with part.grown:
                    part.written += len(piece)
                    part.grown.notify()
    except BaseException as error:
        with part.grown:
            part.failure = error
            part.grown.notify()


def _write_all(target: BinaryIO, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[target.write(view) :]


def _read(part: _Part) -> Iterator[bytes]:
    """Yield a part's bytes as they come, nothing when none do; raise what ended its fetching."""
    read = 0
    source: BinaryIO | None = None
    try:
        while read < part.end - part.start:
            available = _await_more(part, read)
            if available == 0:
                if part.failure is not None:
                    raise part.failure
                yield b""
                continue
            source = source or part.path.open("rb", buffering=0)
            piece = source.read(min(PIECE_BYTES, available))
            read += len(piece)
            yield piece
    finally:
        if source is not None:
            source.close()


def _await_more(part: _Part, read: int) -> int:
    """Return how many bytes there are behind those that were read; waits for some, not long."""
    with part.grown:
        if part.written == read and part.failure is None:
            part.grown.wait(WAIT_SECONDS)
        return part.written - read


def stream(client: S3Client, file: SourceFile, start: int, end: int) -> Generator[bytes]:
    """Yield the bytes from `start` to `end`; a broken connection is taken up again where it ended."""
    attempts = ATTEMPTS
    with s3_errors(f"read {file.url}"):
        while start < end:
            try:
                for piece in _get(client, file, start, end):
                    start += len(piece)
                    yield piece
            except _BROKEN as error:
                attempts -= 1
                if attempts == 0:
                    raise
                tell_retry(f"read {file.url} from byte {start}", repr(error))


def _get(client: S3Client, file: SourceFile, start: int, end: int) -> Iterator[bytes]:
    with read_errors(file):
        answer = client.get_object(
            Bucket=file.bucket, Key=file.key, Range=f"bytes={start}-{end - 1}", IfMatch=f'"{file.etag}"'
        )
    body = answer["Body"]
    try:
        # Servers that do not know conditions answer with whatever is there now.
        if answer["ETag"].strip('"') != file.etag:
            raise replaced(file)
        yield from body.iter_chunks(NETWORK_PIECE_BYTES)
    finally:
        body.close()
