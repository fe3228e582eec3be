"""A lake that is a dictionary of objects."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from framework.errors import SpecError
from framework.lake.bucket import LakeObject
from framework.model.files import FileIdentity, SourceFile
from tests.unit.load.calls import Calls


@dataclass(frozen=True)
class Stored:
    """An object: its bytes, and as metadata where it arrived before somebody moved it."""

    content: bytes
    etag: str
    modified_at: datetime
    identity: FileIdentity | None = None
    arrived_at: datetime | None = None
    moved_by: str | None = None


class FakeLake:
    """Stands for `Lake`: what a load asks of it, with the promises that Lake makes."""

    bucket = "lake"
    prefix = ""

    def __init__(self, calls: Calls, now: Callable[[], datetime]) -> None:
        self.objects: dict[str, Stored] = {}
        self._calls = calls
        self._now = now

    def arrive(self, key: str, text: str, at: datetime | None = None) -> None:
        """Put an object that somebody else brings."""
        content = text.encode()
        self.objects[key] = Stored(content, hashlib.md5(content).hexdigest(), at or self._now())

    def keys(self, folder: str = "") -> list[str]:
        return sorted(key for key in self.objects if key.startswith(folder))

    def key(self, path: str) -> str:
        return self.prefix + path

    def key_of(self, asked: str) -> str:
        path = asked.removeprefix(self.url(""))
        if path.startswith("s3://"):
            raise SpecError(f"{asked} is not in the lake")
        return path

    def url(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def list_objects(self, prefix: str) -> Iterator[LakeObject]:
        self._calls.make("list_objects", prefix)
        return iter(
            [
                LakeObject(key, stored.etag, len(stored.content), stored.modified_at)
                for key, stored in sorted(self.objects.items())
                if key.startswith(prefix)
            ]
        )

    def clock(self, prefix: str) -> datetime:
        self._calls.make("clock", prefix)
        return self._now()

    def describe(self, key: str) -> SourceFile | None:
        self._calls.make("describe", key)
        stored = self.objects.get(key)
        if stored is None:
            return None
        size = len(stored.content)
        identity = stored.identity or FileIdentity(self.bucket, key, stored.etag, size)
        arrived_at = stored.arrived_at or stored.modified_at
        return SourceFile(
            self.bucket, key, stored.etag, size, stored.modified_at, identity, arrived_at, stored.moved_by
        )

    def is_unchanged(self, file: SourceFile) -> bool:
        self._calls.make("is_unchanged", file.key)
        return self._is_there(file)

    def read_head(self, file: SourceFile, size_bytes: int) -> bytes:
        self._calls.make("read_head", file.key)
        return self.objects[file.key].content[:size_bytes]

    def move(self, file: SourceFile, folder: str, run_id: str, pipeline: str) -> str | None:
        self._calls.make("move", file.key)
        if not self._is_there(file):
            return None
        target = self.key(f"{folder}/{file.key.rpartition('/')[2]}")
        moved = replace(self.objects.pop(file.key), identity=file.identity, arrived_at=file.arrived_at)
        self.objects[target] = replace(moved, moved_by=pipeline)
        return target

    def get(self, key: str) -> bytes | None:
        self._calls.make("get", key)
        stored = self.objects.get(key)
        return None if stored is None else stored.content

    def put(self, key: str, text: str) -> None:
        self._calls.make("put", key)
        self.objects[key] = Stored(text.encode(), "put", self._now())

    def delete(self, keys: Sequence[str]) -> None:
        self._calls.make("delete", ", ".join(keys))
        for key in keys:
            self.objects.pop(key, None)

    def delete_below(self, prefix: str) -> None:
        self._calls.make("delete_below", prefix)
        for key in self.keys(prefix):
            del self.objects[key]

    def _is_there(self, file: SourceFile) -> bool:
        stored = self.objects.get(file.key)
        return stored is not None and (stored.etag, len(stored.content)) == (file.etag, file.size_bytes)
