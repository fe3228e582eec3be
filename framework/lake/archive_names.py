"""Names for moved files. Feeds that load concurrently never get the same one."""

from __future__ import annotations

import hashlib
import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from framework.model.files import FileIdentity

_DIGEST_LENGTH = 16
_DIGEST = re.compile(rf"\.[0-9a-f]{{{_DIGEST_LENGTH}}}(-[0-9]+)?(?=\.|$)")


def names_for(key: str, identity: FileIdentity, arrived_at: datetime) -> Iterator[str]:
    """Yield the keys that a file may be moved to, without end: its name, then its name with a digest of its identity.

    The keys depend on nothing else, so that a run finds the copy that an expired run left under one of them.
    """
    folder, _, name = key.rpartition("/")
    stem, dot, ending = name.partition(".")
    arrival = f"{identity.sha256} {arrived_at.isoformat()}"
    digest = hashlib.sha256(arrival.encode()).hexdigest()[:_DIGEST_LENGTH]
    yield key
    yield f"{folder}/{stem}.{digest}{dot}{ending}"
    for number in itertools.count(2):
        yield f"{folder}/{stem}.{digest}-{number}{dot}{ending}"


def names_before(name: str) -> tuple[str, ...]:
    """Return the names under which a moved file with this name may have arrived."""
    shortened = _DIGEST.sub("", name, count=1)
    return (name,) if shortened == name else (name, shortened)


class Reservations:
    """The keys that files of this process are being moved to."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._reserving = threading.Lock()

    @contextmanager
    def reserved(self, key: str) -> Iterator[bool]:
        """Reserve a key within the block; yield False where another thread holds it."""
        with self._reserving:
            is_free = key not in self._keys
            self._keys.add(key)
        try:
            yield is_free
        finally:
            if is_free:
                self._keys.discard(key)
