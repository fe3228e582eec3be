"""The progress of a pass over the rows of a batch."""

from __future__ import annotations

import threading

from framework.model.files import SourceBatch
from framework.rows.protocol import Watch


class Tally:
    """Counts and reports a pass's progress. Threads may add; only the pass's own thread reports."""

    def __init__(self, batch: SourceBatch, watch: Watch) -> None:
        self._watch = watch
        self._step = ""
        self._bytes_total = sum(layout.file.size_bytes for layout in batch.files)
        self._bytes_read = 0
        self._rows = 0
        self._lock = threading.Lock()

    def begin(self, step: str) -> None:
        """Begin a pass; bytes fetched for an earlier pass still count."""
        self._step = step
        self._rows = 0

    def add_bytes(self, size_bytes: int) -> None:
        """Count bytes fetched of the source files."""
        with self._lock:
            self._bytes_read += size_bytes

    def add_rows(self, rows: int) -> None:
        """Count rows that are finished."""
        with self._lock:
            self._rows += rows

    def report(self) -> None:
        """Report the progress; what is read again does not count. An exception of the listener ends the pass."""
        read = min(self._bytes_read, self._bytes_total)
        self._watch(self._step, bytes_read=read, bytes_total=self._bytes_total, rows=self._rows)
