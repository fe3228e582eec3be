"""A range of a source file by GETs that resume where a connection broke, and never another file's bytes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

from framework.lake.errors import read_errors, replaced, s3_errors
from framework.log.aws_errors import BROKEN_CONNECTION
from framework.log.retries import log_retry
from framework.model.files import SourceFile

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PIECE_BYTES = 256 * 1024
"""Small, because a fetch that is given up ends with its piece."""
ATTEMPTS = 5
"""Connections per range; each retry resumes where the broken connection ended."""


def fetch(
    client: S3Client, file: SourceFile, start: int, end: int, is_wanted: Callable[[], bool] = lambda: True
) -> Generator[bytes]:
    """Yield the bytes of a file from `start` up to `end`, over one connection and on demand.

    Nothing is retried once `is_wanted` has returned False.

    Raises:
        SourceFileError: the file is gone or was replaced.
        TransientWarehouseError: all ATTEMPTS connections broke.
        WarehouseError: S3 refused.
    """
    attempts = ATTEMPTS
    with s3_errors(f"read {file.url}"):
        while start < end:
            try:
                for piece in _get(client, file, start, end):
                    start += len(piece)
                    yield piece
            except BROKEN_CONNECTION as error:
                attempts -= 1
                if attempts == 0 or not is_wanted():
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
        yield from body.iter_chunks(PIECE_BYTES)
    finally:
        body.close()
