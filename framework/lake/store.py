"""The lake as the tasks of a load use it, in this process or in a worker of a cluster."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from itertools import pairwise
from operator import contains
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from framework.errors import WarehouseError
from framework.lake.connection import S3Connection, principal, shared_client
from framework.lake.errors import s3_errors
from framework.lake.fetch import fetch
from framework.log.aws_errors import client_error
from framework.model.files import SourceFile

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

GETS = 4
"""GETs of one read at a time. One connection to S3 carries 50 to 100 MB/s, several carry what the network does."""
RANGE_BYTES = 8 * 1024**2
"""Minimum size of a range that is fetched beside others."""
AHEAD_BYTES = GETS * RANGE_BYTES
"""Maximum number of bytes of a stream that are in memory."""
WAIT_SECONDS = 0.2

Heard = Callable[[int], None]
"""Receives, in the reader's thread, the number of bytes that have arrived since its last call, 0 where none has for a
while; an exception that it raises ends the reading."""


class S3Store:
    """Reads source files and writes staging files. Threads may share it.

    It can be pickled: where it is unpickled, it connects by the credentials of that process.
    """

    def __init__(self, connection: S3Connection, client: S3Client | None = None) -> None:
        """Use a client of this process; a worker has none, and makes one for its first call."""
        self._connection = connection
        self._given = client

    def __reduce__(self) -> tuple[type[S3Store], tuple[S3Connection]]:
        # A worker may not have the setting by which this process has found its region.
        region = self._connection.region if self._given is None else self._given.meta.region_name
        return S3Store, (replace(self._connection, region=region),)

    def read_range(self, file: SourceFile, start: int, end: int, heard: Heard) -> bytearray:
        """Return the bytes of a file from `start` up to `end`, fetched by up to GETS calls side by side.

        Raises:
            SourceFileError: the file is gone or was replaced.
            TransientWarehouseError: all connections of a call broke.
            WarehouseError: S3 refused.
        """
        content = bytearray(end - start)
        target = memoryview(content)

        def take(position: int, piece: bytes) -> None:
            target[position - start : position - start + len(piece)] = piece

        calls = max(1, min(GETS, len(content) // RANGE_BYTES))
        with target, closing(_Reading(partial(self._fetch, file), take, heard)) as reading:
            for borders in pairwise(start + len(content) * number // calls for number in range(calls + 1)):
                reading.begin(*borders)
            reading.wait(lambda: reading.taken_bytes == len(content))
        return content

    def stream(self, file: SourceFile, heard: Heard) -> Generator[bytes]:
        """Yield the bytes of a file in order, while the ranges that follow are fetched: up to AHEAD_BYTES in memory.

        Raises as `read_range` does.
        """
        pieces: dict[int, bytes] = {}
        position, begun = 0, 0
        with closing(_Reading(partial(self._fetch, file), pieces.__setitem__, heard)) as reading:
            while position < file.size_bytes:
                while begun < file.size_bytes and begun + RANGE_BYTES <= position + AHEAD_BYTES:
                    reading.begin(begun, min(begun + RANGE_BYTES, file.size_bytes))
                    begun += RANGE_BYTES
                reading.wait(partial(contains, pieces, position))
                piece = pieces.pop(position)
                position += len(piece)
                yield piece

    def upload(self, path: Path, url: str) -> None:
        """Write a local file of up to 5 GB to an address.

        Raises:
            WarehouseError: S3 refused, or could not be reached.
        """
        bucket, _, key = url.removeprefix("s3://").partition("/")
        with self._denials(), s3_errors(f"write {url}"), path.open("rb") as content:
            self._client().put_object(Bucket=bucket, Key=key, Body=content)

    def _fetch(self, file: SourceFile, start: int, end: int, is_wanted: Callable[[], bool]) -> Generator[bytes]:
        with self._denials():
            yield from fetch(self._client(), file, start, end, is_wanted)

    def _client(self) -> S3Client:
        if self._given is not None:
            return self._given
        try:
            return shared_client(self._connection)
        except (BotoCoreError, ValueError) as error:
            raise client_error(error, "lake.region", self._connection.region, "the worker") from error

    @contextmanager
    def _denials(self) -> Iterator[None]:
        """Name the principal in the error of a call that a worker may not make: it may not be the driver's."""
        try:
            yield
        except WarehouseError as error:
            if self._given is not None or not _is_denied(error.__cause__):
                raise
            caller = principal(self._connection)
            message = f"{error}. The worker called as {caller}: a worker's credentials may differ from the driver's"
            raise WarehouseError(message, is_outage=error.is_outage) from error.__cause__


def _is_denied(cause: BaseException | None) -> bool:
    return isinstance(cause, ClientError) and cause.response["ResponseMetadata"]["HTTPStatusCode"] == 403


class _Reading:
    """The calls of one reading, and what has arrived so far.

    Each range is fetched on a daemon thread, so that a stalled connection does not delay the end of a reading that is
    given up, and has no hold on its memory. `take` receives each piece and its position in the file, one at a time, and
    none after the end.
    """

    def __init__(
        self,
        fetch_range: Callable[[int, int, Callable[[], bool]], Generator[bytes]],
        take: Callable[[int, bytes], None],
        heard: Heard,
    ) -> None:
        self.taken_bytes = 0
        self._fetch_range = fetch_range
        self._take: Callable[[int, bytes], None] | None = take
        self._heard = heard
        self._heard_bytes = 0
        self._failure: BaseException | None = None
        self._changed = threading.Condition()

    def begin(self, start: int, end: int) -> None:
        """Start to fetch a range."""
        # In a context of its own, so that retries are logged to the current load.
        fetching = partial(copy_context().run, self._fetch, start, end)
        threading.Thread(target=fetching, name="fetch", daemon=True).start()

    def wait(self, is_ready: Callable[[], bool]) -> None:
        """Return once `is_ready`; report what arrives meanwhile, and raise the error that ended a fetch."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._failure is not None or is_ready(), WAIT_SECONDS)
                failure, self._failure = self._failure, None
                is_done, taken = is_ready(), self.taken_bytes
            arrived, self._heard_bytes = taken - self._heard_bytes, taken
            self._heard(arrived)
            if failure is not None:
                try:
                    raise failure
                finally:
                    # Its traceback has this frame, and the reader's, which has the memory.
                    del failure
            if is_done:
                return

    def close(self) -> None:
        """Stop the fetches, each at its next piece."""
        with self._changed:
            self._take = None

    def _fetch(self, start: int, end: int) -> None:
        try:
            with closing(self._fetch_range(start, end, lambda: self._take is not None)) as pieces:
                for piece in pieces:
                    with self._changed:
                        if self._take is None:
                            return
                        self._take(start, piece)
                        start += len(piece)
                        self.taken_bytes += len(piece)
                        self._changed.notify()
        except BaseException as error:
            with self._changed:
                self._failure = error
                self._changed.notify()
