"""The feeds at work on a terminal, redrawn in place below the lines that are printed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Column, Table
from rich.text import Text

from framework.cli.display import Mark
from framework.dataclass import dataclass
from framework.model.words import counted, size

REDRAW_SECONDS = 0.25
WIDE, MEDIUM, NARROW = 72, 48, 32
"""The columns of a terminal from which it shows bytes, rows and times."""
FETCHED = 0.995
"""The share of a file's bytes from which it counts as fetched: its header is fetched before the pass."""
_STYLES: dict[Mark, str] = {"": "", "good": "green", "warning": "yellow", "error": "red"}


@dataclass(frozen=True)
class Work:
    """A feed's step. `rows_known` is the number of rows that an earlier pass over the files has counted, if any."""

    step: str
    began: float
    numbers: Mapping[str, int] = field(default_factory=dict)
    rows_known: int = 0

    @property
    def share(self) -> float | None:
        """The part of the step that is done, None where that is not known."""
        numbers = self.numbers
        done, total = numbers.get("tasks_done", 0), numbers.get("tasks_total", 0)
        if "bytes_total" in numbers:
            done, total = numbers["bytes_read"], numbers["bytes_total"]
            if done >= FETCHED * total:
                # What was fetched for an earlier pass counts as read from the start of this one.
                done, total = numbers.get("rows", 0), self.rows_known
        return min(done / total, 1.0) if total else None

    def next(self, step: str, now: float) -> Work:
        """Return the work on the next step, which begins now."""
        return Work(step, now, rows_known=self.numbers.get("rows", 0) or self.rows_known)

    def cells(self, now: float) -> dict[str, str]:
        """Return the texts to show, by the name of their column."""
        numbers, share, passed = self.numbers, self.share, now - self.began
        texts = {"step": self.step, "percent": "", "rows": "", "bytes": "", "time": _clock(passed)}
        if share is not None:
            texts["percent"] = f"{share:.0%}"
        if share and share < 1:
            texts["time"] = f"{_clock(passed * (1 - share) / share)} left"
        if "rows" in numbers:
            texts["rows"] = counted(numbers["rows"], "row")
        if "bytes_total" in numbers:
            texts["bytes"] = f"{size(numbers['bytes_read'])} of {size(numbers['bytes_total'])}"
        if "tasks_total" in numbers:
            texts["bytes"] = f"{numbers['tasks_done']:,} of {counted(numbers['tasks_total'], 'task')}"
        return texts


class Screen:
    """Draws the feeds at work until it is closed. Threads may share it."""

    def __init__(
        self,
        stream: TextIO,
        feeds: int = 0,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console or Console(file=stream, highlight=False, markup=False, emoji=False)
        self._clock = clock
        self._feeds = feeds
        self._done: set[str] = set()
        self._work: dict[str, Work] = {}
        # All output goes through it: rich reckons with the height of what it has drawn last.
        self._lock = threading.RLock()
        self._live = Live(
            console=self._console,
            get_renderable=self._drawn,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
        )
        self._live.start()
        # A process that is killed leaves the terminal as it is, and a shell needs its cursor.
        self._console.show_cursor()
        self._is_closed = threading.Event()
        self._drawing = threading.Thread(target=self._redraw, name="screen", daemon=True)
        self._drawing.start()

    def line(self, text: str, mark: Mark) -> None:
        """Print a whole line above the feeds."""
        with self._lock:
            self._console.print(Text(text, style=_STYLES[mark]), soft_wrap=True)
            self._live.refresh()

    def work(self, feed: str, step: str, numbers: Mapping[str, int]) -> None:
        """Show a feed's step and its numbers from the next drawing on."""
        with self._lock:
            now = self._clock()
            work = self._work.get(feed) or Work(step, now)
            work = work if work.step == step else work.next(step, now)
            self._work[feed] = Work(step, work.began, numbers or work.numbers, work.rows_known)

    def rest(self, feed: str, *, is_done: bool) -> None:
        """Show a feed no longer."""
        with self._lock:
            self._work.pop(feed, None)
            if is_done:
                self._done.add(feed)

    def redraw(self) -> None:
        """Draw the feeds as they are now."""
        with self._lock:
            self._live.refresh()

    def close(self) -> None:
        """Erase the feeds, and draw no more."""
        self._is_closed.set()
        self._drawing.join()
        with self._lock:
            self._work.clear()
            self._feeds = 0
            self._live.stop()

    def _redraw(self) -> None:
        while not self._is_closed.wait(REDRAW_SECONDS):
            self.redraw()

    def _drawn(self) -> RenderableType:
        """Return a line per feed at work, those that began first on top, and the number of feeds that are done."""
        now, width = self._clock(), self._console.width
        rows = {feed: work.cells(now) for feed, work in list(self._work.items())[: self._console.height - 2]}
        shown = [
            name for name, least in _COLUMNS.items() if width >= least and any(cells[name] for cells in rows.values())
        ]
        grid = Table.grid(
            Column(overflow="ellipsis"),
            *(Column(no_wrap=True, justify="left" if name == "step" else "right") for name in shown),
            padding=(0, 2, 0, 0),
        )
        for feed, cells in rows.items():
            grid.add_row(Text(feed), *(Text(cells[name]) for name in shown))
        lines: list[RenderableType] = [grid] if rows else []
        if self._feeds > 1:
            lines.append(Text(f"{len(self._done):,} of {counted(self._feeds, 'feed')} done", style="dim"))
        return Group(*lines)


_COLUMNS = {"step": 0, "percent": 0, "rows": MEDIUM, "bytes": WIDE, "time": NARROW}
"""What stands behind a feed's name, and the width from which a terminal shows it."""


def _clock(seconds: float) -> str:
    """Return a time as `0:07`, `12:30` or `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
