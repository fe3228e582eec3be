"""Names for files that are moved: none is given twice, also not to feeds that load side by side."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Names:
    """The keys that files of this process are being moved to."""

    def __init__(self) -> None:
        self._reserved: set[str] = set()
        self._reserving = threading.Lock()
        self._numbers = itertools.count(2)

    @contextmanager
    def reserved(self, key: str, run_id: str, is_there: Callable[[str], bool]) -> Iterator[str]:
        """Yield the key where it is free, else one with the run_id before its ending; nobody else gets it meanwhile.

        Files of one name in several folders of a feed come here with one run_id; each gets a number of its own.
        """
        for candidate in self._candidates(key, run_id):
            if not self._reserve(candidate):
                continue
            try:
                if not is_there(candidate):
                    yield candidate
                    return
            finally:
                self._reserved.discard(candidate)

    def _reserve(self, key: str) -> bool:
        with self._reserving:
            is_free = key not in self._reserved
            self._reserved.add(key)
        return is_free

    def _candidates(self, key: str, run_id: str) -> Iterator[str]:
        folder, _, name = key.rpartition("/")
        stem, dot, ending = name.partition(".")
        yield key
        yield f"{folder}/{stem}.{run_id}{dot}{ending}"
        for number in self._numbers:
            yield f"{folder}/{stem}.{run_id}-{number}{dot}{ending}"
