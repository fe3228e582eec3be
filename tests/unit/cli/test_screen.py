"""What a terminal shows of the feeds at work, and what remains on it."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pyte
import pytest
from rich.console import Console

from framework.cli.display import Display
from framework.cli.screen import Screen

HEIGHT = 12


class Terminal(io.StringIO):
    """A terminal of a width; `seen` is what a person sees on it."""

    def __init__(self, width: int, height: int = HEIGHT) -> None:
        super().__init__()
        self.width, self.height = width, height
        self.clock = 0.0

    def isatty(self) -> bool:
        return True

    def seen(self) -> list[str]:
        screen = pyte.HistoryScreen(self.width, self.height, history=10_000)
        pyte.Stream(screen).feed(self.getvalue().replace("\n", "\r\n"))
        above = ["".join(line[column].data for column in range(self.width)) for line in screen.history.top]
        lines = [line.rstrip() for line in (*above, *screen.display)]
        while lines and not lines[-1]:
            lines.pop()
        return lines


@contextmanager
def opened(terminal: Terminal, feeds: int = 0) -> Iterator[Screen]:
    console = Console(
        file=terminal, force_terminal=True, width=terminal.width, height=terminal.height, highlight=False, markup=False
    )
    screen = Screen(terminal, feeds, console, lambda: terminal.clock)
    try:
        yield screen
    finally:
        screen.close()


def read(done: int, total: int, rows: int) -> dict[str, int]:
    return {"bytes_read": done, "bytes_total": total, "rows": rows}


def test_feeds_at_work_are_shown_and_nothing_of_them_remains() -> None:
    terminal = Terminal(100)
    with opened(terminal, feeds=40) as screen:
        screen.work("orders", "prepare", {})
        screen.work("sales_eu", "merge", {})
        terminal.clock = 10.0
        screen.work("orders", "stage", read(0, 40 << 20, 0))
        terminal.clock = 20.0
        screen.work("orders", "stage", read(10 << 20, 40 << 20, 1_234_567))
        screen.redraw()
        assert terminal.seen() == [
            "orders    stage  25%  1,234,567 rows  10.0 MB of 40.0 MB  0:30 left",
            "sales_eu  merge                                                0:20",
            "0 of 40 feeds done",
        ]

        screen.rest("sales_eu", is_done=True)
        screen.line("sales_eu: 1.csv SUCCESS, 3 rows, 20.0 s", "good")
        assert terminal.seen() == [
            "sales_eu: 1.csv SUCCESS, 3 rows, 20.0 s",
            "orders  stage  25%  1,234,567 rows  10.0 MB of 40.0 MB  0:30 left",
            "1 of 40 feeds done",
        ]

    assert terminal.seen() == ["sales_eu: 1.csv SUCCESS, 3 rows, 20.0 s"]


def test_a_second_pass_is_measured_by_the_rows_of_the_first() -> None:
    terminal = Terminal(80)
    with opened(terminal) as screen:
        for clock, step, rows in ((0.0, "profile", 0), (4.0, "profile", 1000), (4.0, "stage", 0), (5.0, "stage", 250)):
            terminal.clock = clock
            screen.work("p", step, read(1023, 1024, rows))
            screen.redraw()
            shown = terminal.seen()
            if (step, rows) == ("profile", 1000):
                # All is fetched, and how many rows there are is not known yet.
                assert shown == ["p  profile  1,000 rows  1,023 bytes of 1.0 KB  0:04"]

    assert shown == ["p  stage  25%  250 rows  1,023 bytes of 1.0 KB  0:03 left"]


def test_steps_without_numbers_and_tasks_of_a_cluster_have_their_time() -> None:
    terminal = Terminal(80)
    with opened(terminal) as screen:
        screen.work("a", "stage", {"tasks_done": 0, "tasks_total": 1})
        screen.work("b", "stage", read(5, 5, 8))
        screen.work("b", "copy", {})
        terminal.clock = 3723.0
        screen.work("a", "stage", {"tasks_done": 1, "tasks_total": 1})
        screen.redraw()
        assert terminal.seen() == [
            "a  stage  100%  1 of 1 task  1:02:03",
            "b  copy                      1:02:03",
        ]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (71, "sales_of_the_northern_region  stage  25%  1,000 rows  0:30 left"),
        (47, "sales_of_the_northern_r…  stage  25%  0:30 left"),
        (31, "sales_of_the_north…  stage  25%"),
        (20, "sales_o…  stage  25%"),
    ],
)
def test_a_narrow_terminal_shows_less_in_one_line(width: int, line: str) -> None:
    terminal = Terminal(width)
    with opened(terminal) as screen:
        screen.work("sales_of_the_northern_region", "stage", {})
        terminal.clock = 10.0
        screen.work("sales_of_the_northern_region", "stage", read(1024, 4096, 1000))
        screen.redraw()
        assert terminal.seen() == [line]

        # A long message takes as many lines as it needs, and the feed stays below.
        screen.line(f"warning: {'x' * 2 * width}", "warning")
        assert "".join(terminal.seen()[:-1]) == f"warning: {'x' * 2 * width}"
        assert terminal.seen()[-1] == line

    assert "".join(terminal.seen()) == f"warning: {'x' * 2 * width}"


def test_more_feeds_than_lines_leave_nothing_either() -> None:
    terminal = Terminal(40, height=6)
    with opened(terminal, feeds=30) as screen:
        for number in range(20):
            screen.work(f"f{number}", "copy", {})
        screen.redraw()
        assert terminal.seen() == [*(f"f{number}  copy  0:00" for number in range(4)), "0 of 30 feeds done"]
        screen.line("f0: 1.csv SUCCESS", "good")

    assert terminal.seen() == ["f0: 1.csv SUCCESS"]


def test_lines_of_many_threads_are_whole_while_feeds_come_and_go() -> None:
    terminal = Terminal(60)
    printed = [[f"f{thread}: {number}.csv SUCCESS, {'x' * 20}" for number in range(40)] for thread in range(6)]

    def work(screen: Screen, lines: list[str], name: str) -> None:
        for number, line in enumerate(lines):
            screen.work(name, "stage", read(number, 40, number))
            screen.redraw()
            screen.rest(name, is_done=False)
            screen.line(line, "good")

    with opened(terminal, feeds=6) as screen:
        threads = [threading.Thread(target=work, args=(screen, lines, lines[0][:2])) for lines in printed]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    seen = terminal.seen()
    assert sorted(seen) == sorted(line for lines in printed for line in lines)
    for lines in printed:
        assert [line for line in seen if line in lines] == lines


def test_no_color_is_respected_and_the_cursor_is_never_left_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {}
    for value in ("", "1"):
        monkeypatch.setenv("NO_COLOR", value)
        monkeypatch.setenv("TERM", "xterm")
        terminal = Terminal(60)
        with opened(terminal) as screen:
            hidden, shown = (terminal.getvalue().rfind(code) for code in ("\x1b[?25l", "\x1b[?25h"))
            assert shown > hidden
            screen.line("p: 1.csv FAILED", "error")
        texts[value] = terminal.getvalue()

    assert "\x1b[31mp: 1.csv FAILED" in texts[""]
    assert "\x1b[31m" not in texts["1"]
    assert "p: 1.csv FAILED" in texts["1"]


def test_a_display_that_is_live_begins_with_the_first_step_and_can_begin_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal(80)
    display = Display(terminal, live=True)

    display.line("starting PostgreSQL")
    assert terminal.getvalue() == "starting PostgreSQL\n"
    for number in range(2):
        display.work("p", "copy", {})
        display.line(f"{number}")
        display.rest("p")
        display.end()
        display.end()

    assert terminal.seen() == ["starting PostgreSQL", "0", "1"]


def test_a_pipe_shows_no_steps() -> None:
    pipe = io.StringIO()
    display = Display(pipe)
    display.begin(3)
    display.work("p", "copy", {})
    display.line("p: 1.csv SUCCESS", "good")
    display.rest("p", is_done=True)
    display.end()

    assert pipe.getvalue() == "p: 1.csv SUCCESS\n"
