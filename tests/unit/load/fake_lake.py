"""A lake that is a dictionary of objects."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from framework.errors import WarehouseError
from framework.lake.archive_names import Reservations
from framework.lake.bucket import LakeObject
from framework.lake.identity import OWN_FOLDERS, carried
from framework.lake.lake import Lake
from framework.model.files import FileIdentity, SourceFile
from tests.unit.load.calls import Calls


@dataclass(frozen=True)
class Stored:
    """An object: its bytes, and its metadata, which says where it arrived before somebody moved it."""

    content: bytes
    modified_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        return hashlib.md5(self.content).hexdigest()

    @property
    def head(self) -> Mapping[str, Any]:
        """What S3 answers who asks for the object's head."""
        return {
            "ETag": f'"{self.etag}"',
            "ContentLength": len(self.content),
            "LastModified": self.modified_at,
            "Metadata": self.metadata,
            "ResponseMetadata": {"HTTPHeaders": {"server": "AmazonS3"}},
        }


class FakeLake(Lake):
    """A lake without S3: the calls to S3 are replaced, the move protocol is Lake's own."""

    bucket = "lake"
    prefix = ""

    def __init__(self, calls: Calls, now: Callable[[], datetime]) -> None:
        self.objects: dict[str, Stored] = {}
        self.is_down = False
        """Whether it has become an outage for everybody."""
        self.reservations = Reservations()
        self._calls = calls
        self._now = now

    def arrive(self, key: str, text: str, at: datetime | None = None) -> None:
        """Put an object that somebody else brings."""
        self.objects[key] = Stored(text.encode(), at or self._now())

    def keys(self, folder: str = "") -> list[str]:
        return sorted(key for key in self.objects if key.startswith(folder))

    def list_objects(self, prefix: str) -> Iterator[LakeObject]:
        self._call("list_objects", prefix)
        return iter(
            [
                LakeObject(key, stored.etag, len(stored.content), stored.modified_at)
                for key, stored in sorted(self.objects.items())
                if key.startswith(prefix)
            ]
        )

    def clock(self, prefix: str) -> datetime:
        self._call("clock", prefix)
        return self._now()

    def head(self, key: str) -> Mapping[str, Any] | None:
        self._call("head", key)
        stored = self.objects.get(key)
        return None if stored is None else stored.head

    def describe(self, key: str) -> SourceFile | None:
        self._call("describe", key)
        stored = self.objects.get(key)
        if stored is None:
            return None
        found = carried(stored.head) if key.startswith(OWN_FOLDERS) else None
        size, at = len(stored.content), stored.modified_at
        if found is None:
            identity = FileIdentity(self.bucket, key, stored.etag, size)
            return SourceFile(self.bucket, key, stored.etag, size, at, identity, at)
        return SourceFile(self.bucket, key, stored.etag, size, at, found.identity, found.arrived_at, found.moved_by)

    def is_unchanged(self, file: SourceFile) -> bool:
        self._call("is_unchanged", file.key)
        return self._is_there(file)

    def read_head(self, file: SourceFile, size_bytes: int) -> bytes:
        self._call("read_head", file.key)
        return self.objects[file.key].content[:size_bytes]

    def copy(self, file: SourceFile, target: str, metadata: Mapping[str, str]) -> bool:
        self._call("copy", file.key)
        if not self._is_there(file) or target in self.objects:
            return False
        self.objects[target] = Stored(self.objects[file.key].content, self._now(), metadata)
        return True

    def delete_unchanged(self, file: SourceFile) -> bool:
        self._call("delete_unchanged", file.key)
        is_there = self._is_there(file)
        if is_there:
            del self.objects[file.key]
        return is_there

    def get(self, key: str) -> bytes | None:
        self._call("get", key)
        stored = self.objects.get(key)
        return None if stored is None else stored.content

    def put(self, key: str, text: str) -> None:
        self._call("put", key)
        self.objects[key] = Stored(text.encode(), self._now())

    def delete(self, keys: Sequence[str]) -> None:
        self._call("delete", ", ".join(keys))
        for key in keys:
            self.objects.pop(key, None)

    def delete_below(self, prefix: str) -> None:
        self._call("delete_below", prefix)
        for key in self.keys(prefix):
            del self.objects[key]

    def _call(self, name: str, about: str) -> None:
        self._calls.make(name, about)
        if self.is_down:
            raise WarehouseError("S3 cannot be reached", is_outage=True)

    def _is_there(self, file: SourceFile) -> bool:
        stored = self.objects.get(file.key)
        return stored is not None and (stored.etag, len(stored.content)) == (file.etag, file.size_bytes)
