"""A source file's bytes in their order, fetched by several ranged GETs side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as BotoConnectionError

from framework.errors import SourceFileError
from framework.lake.failures import GONE, REPLACED, error_code, s3_errors
from framework.schema.values import SourceFile

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

STREAMS = 8
"""GETs at a time. One connection to S3 carries 50 to 100 MB/s, several carry what the network does."""
SMALLEST_PART_BYTES = 8 * 1024**2
PIECE_BYTES = 1024**2
ATTEMPTS = 5
"""Connections of one GET that may break; each next one goes on where the last one ended."""
_BROKEN = (HTTPClientError, BotoConnectionError, IncompleteReadError)


@dataclass
class _Part:
    """A range of the file on its way to a file of its own. `written` counts its bytes there."""

    start: int
    end: int
    path: Path
    written: int = 0
    grown: threading.Condition = field(default_factory=threading.Condition)
    fetched: Future[None] | None = None


def download(client: S3Client, file: SourceFile, folder: Path) -> Generator[bytes]:
    """Yield the file's bytes in order, in pieces of up to 1 MiB, while later ranges are fetched.

    Ranges that are ahead wait in `folder`, on disk, and are removed as they are read; closing the
    iterator ends the fetching and removes the rest. Memory: a piece per stream.

    Raises:
        SourceFileError: the file has gone, or is another one by now.
        TransientWarehouseError: the connection broke more often than is tried.
    """
    if file.size_bytes <= SMALLEST_PART_BYTES:
        if file.size_bytes:
            yield from _stream(client, file, 0, file.size_bytes)
        return
    stopped = threading.Event()
    parts = _parts(file, folder)
    with ThreadPoolExecutor(len(parts), thread_name_prefix="fetch") as pool:
        try:
            for part in parts:
                part.fetched = pool.submit(_fetch, client, file, part, stopped.is_set)
            for part in parts:
                yield from _read(part)
                part.path.unlink()
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)
            for part in parts:
                part.path.unlink(missing_ok=True)


def _parts(file: SourceFile, folder: Path) -> list[_Part]:
    size = max(SMALLEST_PART_BYTES, -(-file.size_bytes // STREAMS))
    starts = range(0, file.size_bytes, size)
    return [
        _Part(start, min(start + size, file.size_bytes), folder / f"part-{number}")
        for number, start in enumerate(starts)
    ]


def _fetch(client: S3Client, file: SourceFile, part: _Part, is_stopped: Callable[[], bool]) -> None:
    try:
        with part.path.open("wb", buffering=0) as target:
            for piece in _stream(client, file, part.start, part.end):
                if is_stopped():
                    return
                _write_all(target, piece)
                with part.grown:
                    part.written += len(piece)
                    part.grown.notify()
    finally:
        with part.grown:
            part.grown.notify()


def _write_all(target: BinaryIO, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[target.write(view) :]


def _read(part: _Part) -> Iterator[bytes]:
    """Yield a part's bytes as they come; raise what ended its fetching."""
    assert part.fetched is not None
    read = 0
    source: BinaryIO | None = None
    try:
        while read < part.end - part.start:
            available = _await_more(part, read)
            if available == 0:
                part.fetched.result()
            source = source or part.path.open("rb", buffering=0)
            piece = source.read(min(PIECE_BYTES, available))
            read += len(piece)
            yield piece
    finally:
        if source is not None:
            source.close()


def _await_more(part: _Part, read: int) -> int:
    """Wait for bytes behind those that were read; 0 where none will come."""
    with part.grown:
        while part.written == read and not (part.fetched and part.fetched.done()):
            part.grown.wait(timeout=1)
        return part.written - read


def _stream(client: S3Client, file: SourceFile, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes from `start` to `end`; a broken connection is taken up again where it ended."""
    attempts = ATTEMPTS
    with s3_errors(f"read {file.url}"):
        while start < end:
            try:
                for piece in _get(client, file, start, end):
                    start += len(piece)
                    yield piece
            except _BROKEN:
                attempts -= 1
                if attempts == 0:
                    raise


def _get(client: S3Client, file: SourceFile, start: int, end: int) -> Iterator[bytes]:
    try:
        answer = client.get_object(
            Bucket=file.bucket, Key=file.key, Range=f"bytes={start}-{end - 1}", IfMatch=f'"{file.etag}"'
        )
    except ClientError as error:
        if error_code(error) in GONE:
            raise SourceFileError(f"{file.url}: the file has gone since it was listed", (file.key,)) from error
        if error_code(error) in REPLACED:
            raise _replaced(file) from error
        raise
    body = answer["Body"]
    try:
        # Servers that do not know conditions answer with whatever is there now.
        if answer["ETag"].strip('"') != file.etag:
            raise _replaced(file)
        yield from body.iter_chunks(PIECE_BYTES)
    finally:
        body.close()


def _replaced(file: SourceFile) -> SourceFileError:
    message = f"{file.url}: the file was replaced since it was listed; the next run loads it"
    return SourceFileError(message, (file.key,))
