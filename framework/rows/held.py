"""An object store in front of another: it has the content of small files, which came with their headers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from pathlib import Path

from framework.model.files import SourceFile
from framework.rows.protocol import ObjectStore


class HeldFiles:
    """Reads files from memory where it has their content, and leaves everything else to the store behind it.

    Unpickled it is that store: a worker of a cluster fetches what it reads itself.
    """

    def __init__(self, store: ObjectStore, contents: Mapping[SourceFile, bytes]) -> None:
        self._store = store
        self._contents = contents

    def __reduce__(self) -> tuple[Callable[[ObjectStore], ObjectStore], tuple[ObjectStore]]:
        return _itself, (self._store,)

    def read_range(self, file: SourceFile, start: int, end: int, heard: Callable[[int], None]) -> bytearray:
        """Return the bytes of a file from `start` up to `end`."""
        content = self._contents.get(file)
        if content is None:
            return self._store.read_range(file, start, end, heard)
        heard(end - start)
        return bytearray(memoryview(content)[start:end])

    def stream(self, file: SourceFile, heard: Callable[[int], None]) -> Generator[bytes]:
        """Yield all bytes of a file in order."""
        content = self._contents.get(file)
        if content is None:
            yield from self._store.stream(file, heard)
        elif content:
            heard(len(content))
            yield content

    def upload(self, path: Path, url: str) -> None:
        """Write a local file to an address."""
        self._store.upload(path, url)


def _itself(store: ObjectStore) -> ObjectStore:
    return store
