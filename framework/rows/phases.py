"""Busy seconds of each phase of a load's work on rows, over all threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Phases:
    """Sums busy seconds by phase. Phases overlap, so their total exceeds the elapsed time."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def busy(self, phase: str) -> Iterator[None]:
        """Count the time of the block for a phase."""
        start = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._seconds[phase] = self._seconds.get(phase, 0.0) + time.monotonic() - start

    def seconds(self) -> Mapping[str, float]:
        """Return the busy seconds by phase so far."""
        with self._lock:
            return {phase: round(seconds, 3) for phase, seconds in self._seconds.items()}
