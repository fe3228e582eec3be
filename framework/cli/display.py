"""What a person sees while a command works: whole lines, and on a terminal the feeds at work below them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, TextIO

from framework.model.words import visible

if TYPE_CHECKING:
    from framework.cli.screen import Screen

Mark = Literal["", "good", "warning", "error"]
"""What a line reports; a terminal has a color for it."""
_NOT_IN_CI = ("", "0", "false")
_WITHOUT_CURSOR = ("dumb", "unknown")
"""Values of TERM, of terminals that only print."""


def is_live(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether a stream is a terminal that can redraw lines, watched by a person, and rich is installed."""
    is_in_ci = environ.get("CI", "").lower() not in _NOT_IN_CI
    can_redraw = stream.isatty() and environ.get("TERM", "").lower() not in _WITHOUT_CURSOR
    return can_redraw and not is_in_ci and find_spec("rich") is not None


class Display:
    """A stream for whole lines. Threads may share it.

    Where it is live, the feeds at work are shown below the lines from the first `work` until `end`.
    """

    def __init__(self, stream: TextIO, *, live: bool = False) -> None:
        self._stream = stream
        self._is_live = live
        self._lock = threading.RLock()
        self._screen: Screen | None = None
        self._feeds = 0

    def begin(self, feeds: int) -> None:
        """Set the number of feeds that the command works on."""
        self._feeds = feeds

    def line(self, text: str, mark: Mark = "") -> None:
        """Print a whole line, in which what does not print is escaped."""
        text = visible(text)
        with self._lock:
            if self._screen is not None:
                self._screen.line(text, mark)
            else:
                self._stream.write(f"{text}\n")
                self._stream.flush()

    def work(self, feed: str, step: str, numbers: Mapping[str, int]) -> None:
        """Show a feed's step, with the numbers of `RunLog.progress`; nothing where the display is not live."""
        if not self._is_live:
            return
        with self._lock:
            if self._screen is None:
                # Its import takes a tenth of a second, and it is not installed everywhere.
                from framework.cli.screen import Screen

                self._screen = Screen(self._stream, self._feeds)
            self._screen.work(feed, step, numbers)

    def rest(self, feed: str, *, is_done: bool = False) -> None:
        """Show a feed no longer, until it works again; or for good."""
        with self._lock:
            if self._screen is not None:
                self._screen.rest(feed, is_done=is_done)

    def end(self) -> None:
        """Erase the feeds at work from the terminal."""
        with self._lock:
            if self._screen is not None:
                self._screen.close()
                self._screen = None
