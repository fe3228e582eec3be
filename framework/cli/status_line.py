"""How far the steps under way are: a line that is drawn over itself on a terminal, seldom lines elsewhere."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from typing import TextIO

REDRAW_SECONDS = 0.1
ELSEWHERE_SECONDS = 10.0
_ERASE = "\r\x1b[K"


class StatusLine:
    """Owns a stream on which whole lines and the status are written. Threads may share it."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._steps: dict[str, str] = {}
        self._told_at: dict[str, float] = {}
        self._drawn_at = 0.0
        self._lock = threading.Lock()

    def line(self, text: str, of: str = "") -> None:
        """Write a whole line; the step that `of` is at counts as done."""
        with self._lock:
            self._steps.pop(of, None)
            self._told_at.pop(of, None)
            self._stream.write(f"{self._erase()}{text}\n{self._status()}")
            self._stream.flush()

    def step(self, of: str, text: str) -> None:
        """Say how far a step is; most calls only remember it."""
        with self._lock:
            now = self._clock()
            if self._is_terminal:
                self._steps[of] = text
                if now - self._drawn_at >= REDRAW_SECONDS:
                    self._drawn_at = now
                    self._stream.write(f"{self._erase()}{self._status()}")
                    self._stream.flush()
            elif now - self._told_at.setdefault(of, now) >= ELSEWHERE_SECONDS:
                self._told_at[of] = now
                self._stream.write(f"{text}\n")
                self._stream.flush()

    def end(self) -> None:
        """Leave the terminal clean."""
        with self._lock:
            if self._steps:
                self._steps.clear()
                self._stream.write(_ERASE)
                self._stream.flush()

    def _erase(self) -> str:
        return _ERASE if self._is_terminal else ""

    def _status(self) -> str:
        # One column less than there is: some terminals go on to the next line when the last is written.
        return " | ".join(self._steps.values())[: shutil.get_terminal_size().columns - 1]
