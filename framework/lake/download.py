"""The bytes of source files in order, fetched by several concurrent ranged GETs."""

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
from framework.log.retries import log_retry
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
"""Connections per GET; each retry resumes where the broken connection ended."""
_BROKEN = (HTTPClientError, BotoConnectionError, IncompleteReadError)


@dataclass
class _Part:
    """A range of a file on its way to a local file of its own. `written` counts its bytes there.

    Each is fetched on a daemon thread, so that a stalled connection does not delay an abandoned
    download until it times out.
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
        """Stop the fetch at its next piece and remove its local file; no other follows."""
        with self.grown:
            self.is_dropped = True
        self.path.unlink(missing_ok=True)


def download(client: S3Client, files: Sequence[SourceFile], folder: Path) -> Generator[Iterator[bytes]]:
    """Yield each file's bytes, in order of the files, while later ranges are fetched.

    A file's bytes come in order, in pieces of up to 1 MiB; an empty piece means that nothing has arrived
    for a while. Unread bytes of a file are discarded when the next file is requested.

    Up to STREAMS ranges, of one file or of several, are being fetched or wait on disk in `folder`;
    each is removed once it is read. Closing the iterator stops the fetches and removes the rest.
    Memory: one piece per stream.

    Raises:
        SourceFileError: while a file is read: it is gone or was replaced.
        TransientWarehouseError: while a file is read: all ATTEMPTS connections broke.
    """
    ahead = _Ahead(client, files, folder)
    try:
        for file in files:
            yield ahead.read(file)
            ahead.drop(file)
    finally:
        ahead.close()


class _Ahead:
    """The parts of all files in order; the first STREAMS unread ones are being fetched."""

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
        """Discard the unread rest of a file."""
        while self._begun and self._begun[0].file is file:
            self._drop_first()

    def close(self) -> None:
        """Stop all fetches and remove their local files."""
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
    """Yield a part's bytes as they arrive, an empty piece while none do; raise the error that ended its fetch."""
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
    """Return how many unread bytes there are; waits up to WAIT_SECONDS for some."""
    with part.grown:
        if part.written == read and part.failure is None:
            part.grown.wait(WAIT_SECONDS)
        return part.written - read


def stream(client: S3Client, file: SourceFile, start: int, end: int) -> Generator[bytes]:
    """Yield the bytes from `start` to `end`; a retry resumes where a broken connection ended."""
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
                log_retry(f"read {file.url} from byte {start}", repr(error))


def _get(client: S3Client, file: SourceFile, start: int, end: int) -> Iterator[bytes]:
    with read_errors(file):
        answer = client.get_object(
            Bucket=file.bucket, Key=file.key, Range=f"bytes={start}-{end - 1}", IfMatch=f'"{file.etag}"'
        )
    body = answer["Body"]
    try:
        # A server without conditional requests returns the current object.
        if answer["ETag"].strip('"') != file.etag:
            raise replaced(file)
        yield from body.iter_chunks(NETWORK_PIECE_BYTES)
    finally:
        body.close()
