"""Objects as files: finding, writing and deleting them, each atomically for its readers."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import xxhash

from framework.sandbox.s3_server.conditions import Conditions
from framework.sandbox.s3_server.keys import is_bucket_name, is_file_key, refused_key
from framework.sandbox.s3_server.records import FileStamp, Record, Records
from framework.sandbox.s3_server.s3_error import S3Error, no_such_key, not_supported

PIECE_BYTES = 1024 * 1024
CLOCK_TICK_NS = 100_000_000
"""Longer than file systems take to notice the time: two changes in one tick leave the same times."""
_OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(frozen=True)
class StoredObject:
    """An object as it is now. The ETag is a hash of its bytes, as S3's is of what it got in one piece."""

    key: str
    stamp: FileStamp
    etag: str
    metadata: Mapping[str, str]

    @property
    def modified_seconds(self) -> float:
        """When its file was written, since the epoch."""
        return self.stamp.modified_ns / 1e9


@dataclass(frozen=True)
class OpenObject:
    """An object whose bytes can be read, also when another one takes its key meanwhile."""

    object: StoredObject
    descriptor: int

    def pieces(self, start: int, end: int) -> Iterator[memoryview]:
        """Yield the bytes of a range; a piece is overwritten by the next one."""
        return _pieces(self.descriptor, start, end)

    def is_unchanged(self) -> bool:
        """Whether nobody has written to the file since it was opened."""
        status = os.fstat(self.descriptor)
        stamp = self.object.stamp
        return (status.st_size, status.st_mtime_ns) == (stamp.size_bytes, stamp.modified_ns)


@dataclass(frozen=True)
class WrittenFile:
    """Bytes on their way to become an object, in a file outside all buckets."""

    path: Path
    size_bytes: int
    etag: str


class Objects:
    """The buckets in `folder`. `own_folder` is on the same file system and holds what is not an object."""

    def __init__(self, folder: Path, own_folder: Path) -> None:
        self._folder = Path(os.path.realpath(folder))
        self._unfinished = own_folder / "unfinished"
        self._unfinished.mkdir(parents=True, exist_ok=True)
        # What a server that was killed has left there.
        for left in self._unfinished.iterdir():
            left.unlink()
        self._records = Records(own_folder / "objects.sqlite")
        # Held while a file and its record are read or changed together.
        self._lock = threading.RLock()

    def close(self) -> None:
        """Wait for a change that is under way, and allow no further one."""
        self._lock.acquire()
        self._records.close()

    def bucket_names(self) -> list[str]:
        """Return the buckets' names in order."""
        return sorted(path.name for path in self._folder.iterdir() if self._is_bucket(path.name))

    def create_bucket(self, name: str) -> None:
        """Make a bucket.

        Raises:
            S3Error: the name is none, or is taken.
        """
        if not is_bucket_name(name):
            raise S3Error(400, "InvalidBucketName", f"The specified bucket is not valid: {name}")
        try:
            (self._folder / name).mkdir()
        except FileExistsError as error:
            raise S3Error(409, "BucketAlreadyOwnedByYou", f"The bucket exists already: {name}") from error

    def bucket_folder(self, name: str) -> Path:
        """Return a bucket's folder.

        Raises:
            S3Error: there is no such bucket.
        """
        if not self._is_bucket(name):
            raise S3Error(404, "NoSuchBucket", f"The specified bucket does not exist: {name}")
        return self._folder / name

    @contextmanager
    def opened(self, bucket: str, key: str) -> Iterator[OpenObject]:
        """Open an object for the length of the block.

        Raises:
            S3Error: it is not there, or its file may not be read.
        """
        path = self.bucket_folder(bucket) / key
        if not is_file_key(key):
            raise no_such_key(key)
        with self._lock:
            descriptor = _open(path, key)
            record = self._records.find(bucket, key)
        try:
            stamp = FileStamp.of(os.fstat(descriptor))
            if record is None or record.stamp != stamp or not record.is_final:
                record = self._recorded(bucket, key, descriptor)
            yield OpenObject(StoredObject(key, record.stamp, record.etag, record.metadata), descriptor)
        finally:
            os.close(descriptor)

    def describe(self, bucket: str, key: str) -> StoredObject | None:
        """Return an object; None where it is not there. Its bytes are read only if they may be new."""
        with self._lock:
            stamp = _stamp_at(f"{self._folder}/{bucket}/{key}")
            record = self._records.find(bucket, key)
        if record is not None and record.is_final and record.stamp == stamp:
            return StoredObject(key, record.stamp, record.etag, record.metadata)
        try:
            with self.opened(bucket, key) as found:
                return found.object
        except S3Error as error:
            if error.code == "NoSuchKey":
                return None
            raise

    @contextmanager
    def written(self, pieces: Iterable[memoryview]) -> Iterator[WrittenFile]:
        """Write bytes to a file that is gone after the block unless it was made an object in it."""
        path = self._unfinished / secrets.token_hex(8)
        digest, size = new_digest(), 0
        try:
            with path.open("xb", buffering=0) as file:
                for piece in pieces:
                    digest.update(piece)
                    size += len(piece)
                    while piece:
                        piece = piece[file.write(piece) :]
            yield WrittenFile(path, size, digest.hexdigest())
        finally:
            path.unlink(missing_ok=True)

    def put(
        self, bucket: str, key: str, file: WrittenFile, metadata: Mapping[str, str], conditions: Conditions
    ) -> StoredObject:
        """Make a file that was written the object of a key, if the conditions hold for what is there.

        Raises:
            S3Error: they do not, or the key cannot be a file beside the others.
        """
        folder = self.bucket_folder(bucket)
        if not is_file_key(key):
            raise refused_key(key)
        with self._lock:
            self._check_write(bucket, key, conditions)
            modified_ns = time.time_ns()
            # Finer than the file system's clock: who writes to the file later leaves another time.
            os.utime(file.path, ns=(modified_ns, modified_ns))
            _rename(file.path, folder, key)
            stamp = FileStamp.of((folder / key).lstat())
            record = Record(stamp, stamp.modified_ns == modified_ns, file.etag, metadata)
            self._records.keep(bucket, key, record)
        return StoredObject(key, stamp, file.etag, metadata)

    def delete(self, bucket: str, key: str, conditions: Conditions) -> None:
        """Delete an object if the conditions hold for it, and the folders that are empty without it."""
        folder = self.bucket_folder(bucket)
        with self._lock:
            self._check_write(bucket, key, conditions)
            path = folder / key
            if is_file_key(key) and not _is_linked(path):
                with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
                    path.unlink()
                self._records.forget(bucket, key)
                _remove_empty_folders(path.parent, folder)

    def _is_bucket(self, name: str) -> bool:
        return is_bucket_name(name) and (self._folder / name).is_dir()

    def _check_write(self, bucket: str, key: str, conditions: Conditions) -> None:
        if conditions.are_any:
            found = self.describe(bucket, key)
            conditions.check_write(None if found is None else found.etag)

    def _recorded(self, bucket: str, key: str, descriptor: int) -> Record:
        """Return the record of an open file after reading it, and keep it if the file is still the object."""
        stamp = FileStamp.of(os.fstat(descriptor))
        is_final = stamp.changed_ns + CLOCK_TICK_NS < time.time_ns()
        etag = _hash(descriptor, stamp.size_bytes)
        with self._lock:
            known = self._records.find(bucket, key)
            metadata = known.metadata if known is not None and known.etag == etag else {}
            record = Record(stamp, is_final, etag, metadata)
            if stamp == FileStamp.of(os.fstat(descriptor)) == _stamp_at(f"{self._folder}/{bucket}/{key}"):
                self._records.keep(bucket, key, record)
        return record


def new_digest() -> xxhash.xxh3_128:
    """Return the hash of an object's bytes that is its ETag."""
    return xxhash.xxh3_128()


def _open(path: Path, key: str) -> int:
    if _is_linked(path):
        raise no_such_key(key)
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except PermissionError as error:
        raise S3Error(403, "AccessDenied", f"The file may not be read: {path}") from error
    except OSError as error:
        raise no_such_key(key) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise no_such_key(key)
    return descriptor


def _is_linked(path: Path) -> bool:
    """Whether a symbolic link is on the way; it leads out of the bucket, or to what has a key of its own."""
    return os.path.realpath(path) != str(path)


def _hash(descriptor: int, size_bytes: int) -> str:
    digest = new_digest()
    for piece in _pieces(descriptor, 0, size_bytes):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(descriptor: int, start: int, end: int) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(min(PIECE_BYTES, end - start)))
    while start < end and (count := os.preadv(descriptor, [buffer[: end - start]], start)):
        yield buffer[:count]
        start += count


def _stamp_at(path: str) -> FileStamp | None:
    try:
        return FileStamp.of(os.lstat(path))
    except OSError:
        return None


def _rename(source: Path, folder: Path, key: str) -> None:
    target = folder / key
    if _is_linked(target):
        raise not_supported(f"A symbolic link on the way to {key!r}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            # Folders without objects are none of S3's business.
            for below, _, _ in os.walk(target, topdown=False):
                Path(below).rmdir()
        source.replace(target)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY):
            raise not_supported(f"A key that is a folder in another key, such as {key!r},") from error
        raise


def _remove_empty_folders(path: Path, top: Path) -> None:
    with suppress(OSError):
        while path != top:
            path.rmdir()
            path = path.parent
