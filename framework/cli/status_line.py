"""Progress of the current steps: a line that is redrawn on a terminal, occasional lines elsewhere."""

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
    """A stream for whole lines and the status. Threads may share it."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._steps: dict[str, str] = {}
        self._printed_at: dict[str, float] = {}
        self._drawn_at = 0.0
        self._lock = threading.Lock()

    def line(self, text: str, of: str = "") -> None:
        """Write a whole line; the current step of `of` counts as finished."""
        with self._lock:
            self._steps.pop(of, None)
            self._printed_at.pop(of, None)
            self._stream.write(f"{self._erase()}{text}\n{self._status()}")
            self._stream.flush()

    def step(self, of: str, text: str) -> None:
        """Set a step's progress; most calls print nothing."""
        with self._lock:
            now = self._clock()
            if self._is_terminal:
                self._steps[of] = text
                if now - self._drawn_at >= REDRAW_SECONDS:
                    self._drawn_at = now
                    self._stream.write(f"{self._erase()}{self._status()}")
                    self._stream.flush()
            elif now - self._printed_at.setdefault(of, now) >= ELSEWHERE_SECONDS:
                self._printed_at[of] = now
                self._stream.write(f"{text}\n")
                self._stream.flush()

    def end(self) -> None:
        """Erase the status from the terminal."""
        with self._lock:
            if self._steps:
                self._steps.clear()
                self._stream.write(_ERASE)
                self._stream.flush()

    def _erase(self) -> str:
        return _ERASE if self._is_terminal else ""

    def _status(self) -> str:
        # One column less than the width: some terminals wrap when the last column is written.
        return " | ".join(self._steps.values())[: shutil.get_terminal_size().columns - 1]
