"""How far a pass over the rows of a batch is."""

from __future__ import annotations

import threading

from framework.model.files import SourceBatch
from framework.rows.protocol import Watch


class Tally:
    """Counts what a pass has done, and tells it. Threads may add; only the pass's own thread tells."""

    def __init__(self, batch: SourceBatch, watch: Watch) -> None:
        self._watch = watch
        self._step = ""
        self._bytes_total = sum(layout.file.size_bytes for layout in batch.files)
        self._bytes_read = 0
        self._rows = 0
        self._lock = threading.Lock()

    def begin(self, step: str) -> None:
        """Begin a pass; what was fetched for an earlier one stays fetched."""
        self._step = step
        self._rows = 0

    def fetch_anew(self) -> None:
        """Forget what was fetched."""
        self._bytes_read = 0

    def add_bytes(self, size_bytes: int) -> None:
        """Count bytes that came of the source files."""
        self._bytes_read += size_bytes

    def add_rows(self, rows: int) -> None:
        """Count rows that are done."""
        with self._lock:
            self._rows += rows

    def tell(self) -> None:
        """Say how far the pass is. What the listener raises ends the pass."""
        self._watch(self._step, bytes_read=self._bytes_read, bytes_total=self._bytes_total, rows=self._rows)
