"""Uploads in parts. A part is an unfinished file; an upload lives as long as the server."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from framework.sandbox.s3_server.conditions import Conditions
from framework.sandbox.s3_server.objects import PIECE_BYTES, Objects, StoredObject, WrittenFile
from framework.sandbox.s3_server.s3_error import S3Error, invalid

MAX_PARTS = 10_000
MIN_PART_BYTES = 5 * 1024**2


@dataclass
class _Upload:
    bucket: str
    key: str
    metadata: Mapping[str, str]
    parts: dict[int, WrittenFile] = field(default_factory=dict)
    files: ExitStack = field(default_factory=ExitStack)


class Uploads:
    """The uploads that were begun and neither completed nor aborted; for any number of threads."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._uploads: dict[str, _Upload] = {}
        self._lock = threading.Lock()

    def begin(self, bucket: str, key: str, metadata: Mapping[str, str]) -> str:
        """Begin an upload and return its id."""
        upload_id = secrets.token_hex(16)
        self._uploads[upload_id] = _Upload(bucket, key, metadata)
        return upload_id

    def add_part(self, upload_id: str, bucket: str, key: str, number: str, pieces: Iterable[memoryview]) -> str:
        """Write a part, in place of an earlier one of its number, and return its ETag."""
        upload = self._find(upload_id, bucket, key)
        if not number.isdecimal() or not 1 <= int(number) <= MAX_PARTS:
            raise invalid(f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive")
        with ExitStack() as files:
            part = files.enter_context(self._objects.written(pieces))
            with self._lock:
                upload.parts[int(number)] = part
                upload.files.push(files.pop_all())
        return part.etag

    def complete(
        self, upload_id: str, bucket: str, key: str, parts: Sequence[tuple[int, str]], conditions: Conditions
    ) -> StoredObject:
        """Make the parts, given by number and ETag, the object."""
        upload = self._find(upload_id, bucket, key)
        chosen = [_checked(upload, number, etag) for number, etag in parts]
        if not parts or sorted(set(parts)) != list(parts):
            raise S3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order")
        if any(part.size_bytes < MIN_PART_BYTES for part in chosen[:-1]):
            raise S3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        with self._objects.written(_joined(chosen)) as file:
            done = self._objects.put(bucket, key, file, upload.metadata, conditions)
        self.abort(upload_id, bucket, key)
        return done

    def abort(self, upload_id: str, bucket: str, key: str) -> None:
        """Forget an upload and its parts."""
        upload = self._find(upload_id, bucket, key)
        with self._lock:
            self._uploads.pop(upload_id, None)
            upload.files.close()

    def _find(self, upload_id: str, bucket: str, key: str) -> _Upload:
        upload = self._uploads.get(upload_id)
        if upload is None or (upload.bucket, upload.key) != (bucket, key):
            raise S3Error(404, "NoSuchUpload", f"The specified upload does not exist: {upload_id}")
        return upload


def _checked(upload: _Upload, number: int, etag: str) -> WrittenFile:
    part = upload.parts.get(number)
    if part is None or part.etag != etag:
        raise S3Error(400, "InvalidPart", f"Part {number} was not found, or its ETag is not {etag}")
    return part


def _joined(parts: Sequence[WrittenFile]) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(PIECE_BYTES))
    for part in parts:
        with part.path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                yield buffer[:count]
