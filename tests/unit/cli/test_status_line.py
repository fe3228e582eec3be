"""The status of steps under way, on a terminal and elsewhere."""

from __future__ import annotations

import io

from framework.cli.status_line import StatusLine


class Terminal(io.StringIO):
    """Keeps what a person would see, as a terminal does with carriage return and erase."""

    def isatty(self) -> bool:
        return True

    def seen(self) -> list[str]:
        return [line.rpartition("\r\x1b[K")[2] for line in self.getvalue().split("\n")]


def test_a_terminal_shows_the_last_word_of_each_feed_below_the_lines() -> None:
    terminal, clock = Terminal(), [1.0]
    status = StatusLine(terminal, lambda: clock[0])

    status.step("a", "a: 1 of 9 MB")
    status.step("b", "b: 2 of 9 MB")
    assert terminal.seen() == ["a: 1 of 9 MB"]
    clock[0] += 1
    status.step("a", "a: 3 of 9 MB")
    assert terminal.seen() == ["a: 3 of 9 MB | b: 2 of 9 MB"]

    status.line("b: loaded", of="b")
    assert terminal.seen() == ["b: loaded", "a: 3 of 9 MB"]
    status.end()
    assert terminal.seen() == ["b: loaded", ""]


def test_a_file_gets_a_line_every_ten_seconds() -> None:
    file, clock = io.StringIO(), [0.0]
    status = StatusLine(file, lambda: clock[0])

    for second in range(26):
        clock[0] = float(second)
        status.step("a", f"a: {second} of 25 MB")
    status.end()

    assert file.getvalue() == "a: 10 of 25 MB\na: 20 of 25 MB\n"
