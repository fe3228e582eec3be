"""Files of this machine in the place of the lake's: read where they are, under the key they would arrive under."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from framework.dataclass import dataclass
from framework.errors import SourceFileError, WarehouseError
from framework.model.files import FileIdentity, SourceFile

PIECE_BYTES = 1024**2


class Digest(Protocol):
    """A hash of bytes, such as those of hashlib."""

    def update(self, data: bytes, /) -> None:
        """Add bytes."""

    def hexdigest(self) -> str:
        """Return the hash of the bytes so far."""


def md5() -> Digest:
    """Return the hash that S3 gives an object as its ETag, if it comes by one call and no KMS key encrypts it.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    return hashlib.md5(usedforsecurity=False)


def local_file(path: Path, place: tuple[str, str], arrived_at: datetime, digest: Digest) -> SourceFile:
    """Return a file of this machine as it would be in the lake had it arrived at this time.

    `place` is the bucket and the key. The ETag is the digest of the content, which is read for it.

    Raises:
        SourceFileError: it cannot be read, or is no regular file.
    """
    bucket, key = place
    with open_local(path) as content:
        while piece := content.read(PIECE_BYTES):
            digest.update(piece)
        status = os.fstat(content.fileno())
    identity = FileIdentity(bucket, key, digest.hexdigest(), status.st_size)
    modified_at = _modified_at(status)
    return SourceFile(
        bucket, key, identity.etag, status.st_size, modified_at, identity, arrived_at, local_path=str(path)
    )


class LocalStore:
    """Reads files of this machine, and writes nothing. It can be pickled, for processes of the same machine."""

    def read_range(self, file: SourceFile, start: int, end: int, heard: Callable[[int], None]) -> bytearray:
        """Return the bytes of a file from `start` up to `end`.

        Raises:
            SourceFileError: the file is gone or was changed.
        """
        return bytearray().join(_pieces(file, start, end, heard))

    def stream(self, file: SourceFile, heard: Callable[[int], None]) -> Generator[bytes]:
        """Yield all bytes of a file in order; raises as `read_range` does."""
        yield from _pieces(file, 0, file.size_bytes, heard)

    def upload(self, path: Path, url: str) -> None:
        """Refuse to write: rows of files that have not arrived go nowhere.

        Raises:
            WarehouseError: always.
        """
        raise WarehouseError(f"{url} was not written: rows of files of this machine are measured, and not staged")


@dataclass(frozen=True)
class LocalFiles:
    """Files of this machine as a first look reads them; `prefix` is the lake's, below which they would arrive."""

    prefix: str

    @property
    def store(self) -> LocalStore:
        """What tasks read the files with."""
        return LocalStore()

    def key(self, path: str) -> str:
        """Return the object key of a path in the lake."""
        return self.prefix + path

    def read_head(self, file: SourceFile, size_bytes: int) -> bytes:
        """Return the first bytes of a file.

        Raises:
            SourceFileError: the file is gone or was changed.
        """
        return b"".join(_pieces(file, 0, min(size_bytes, file.size_bytes), lambda arrived: None))


def _pieces(file: SourceFile, start: int, end: int, heard: Callable[[int], None]) -> Generator[bytes]:
    assert file.local_path is not None
    with open_local(Path(file.local_path)) as content:
        _require_unchanged(file, content)
        content.seek(start)
        while start < end:
            piece = content.read(min(PIECE_BYTES, end - start))
            if not piece:
                raise _changed(file)
            start += len(piece)
            heard(len(piece))
            yield piece
        _require_unchanged(file, content)


def _require_unchanged(file: SourceFile, content: BinaryIO) -> None:
    status = os.fstat(content.fileno())
    if (status.st_size, _modified_at(status)) != (file.size_bytes, file.modified_at):
        raise _changed(file)


def _changed(file: SourceFile) -> SourceFileError:
    return SourceFileError(f"{file.url} was changed while it was read: run the command again", (file.key,))


@contextmanager
def open_local(path: Path) -> Iterator[BinaryIO]:
    """Yield a file of this machine, open for reading.

    Raises:
        SourceFileError: it cannot be read, or is no regular file.
    """
    try:
        # A pipe would wait here for its writer.
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a folder: name the files in it" if path.is_dir() else "no regular file"
            raise SourceFileError(f"{path} is {kind}")
        content = path.open("rb")
    except OSError as error:
        raise SourceFileError(f"{path} cannot be read: {error.strerror}") from error
    with content:
        yield content


def _modified_at(status: os.stat_result) -> datetime:
    seconds, rest = divmod(status.st_mtime_ns, 10**9)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
