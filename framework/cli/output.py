"""The output of commands: text, a JSON document, JSON lines, or a form that services read."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, TextIO

from framework.cli.display import Display, Mark, is_live
from framework.dataclass import dataclass
from framework.log.run_log import Entry, Event
from framework.model.program import PLAIN, Program

Format = Literal["text", "json", "lines", "github", "sarif"]
DEFAULT_FORMAT: Format = "text"
_IN_RESULTS = frozenset({Event.FAILED, Event.LOAD_FAILED, Event.FILE_SKIPPED, Event.FILE_REFUSED})
"""Entries of the log whose content a result has too."""


@dataclass(frozen=True)
class Output:
    """The streams and the form of a command's output, and how its messages spell the command to go on with.

    text: tables, and on stderr what happens meanwhile. json: one document on stdout, the log on stderr.
    lines: the log as JSON lines on stdout, the document as the last one. github, sarif: as text, but stdout has what
    these read.
    """

    format: Format
    stdout: TextIO
    stderr: TextIO
    display: Display
    program: Program = PLAIN

    @property
    def log_stream(self) -> TextIO | None:
        """The stream of the run log; None where progress is shown instead."""
        return {"json": self.stderr, "lines": self.stdout}.get(self.format)

    @property
    def width(self) -> int | None:
        """The columns of the terminal that shows a document; None where it is no terminal."""
        return shutil.get_terminal_size().columns if self.stdout.isatty() else None

    @property
    def is_for_people(self) -> bool:
        """Whether progress is shown on stderr, and no log."""
        return self.log_stream is None

    def document(
        self,
        document: dict[str, object],
        text: Callable[[], str],
        forms: Mapping[Format, Callable[[], str]] = MappingProxyType({}),
    ) -> None:
        """Print a command's result: as JSON, as text, as the last of the JSON lines, or in one of its own forms."""
        self.display.end()
        if self.format == "json":
            self.stdout.write(as_json(document))
        elif self.format == "lines":
            self.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")
        else:
            shown = text if self.format == "text" else forms[self.format]
            self.stdout.write(shown() + "\n")
        self.stdout.flush()

    def say(self, line: str) -> None:
        """Print a line of text on stderr, where no program reads results; nothing in the other forms."""
        if self.is_for_people:
            self.display.line(line)

    def ended(self, feed: str, line: str, mark: Mark = "") -> None:
        """Print one line for a load that has ended, if the output is text."""
        if self.is_for_people:
            self.display.rest(feed)
            self.display.line(line, mark)

    def progress(self, entry: Entry) -> None:
        """Show a log entry, if the output is text: a step under way, or a whole line for a warning or an error."""
        if not self.is_for_people:
            return
        feed, message = str(entry["pipeline"]), entry["msg"]
        if message in (Event.STEP, Event.PROGRESS):
            numbers = {name: value for name, value in entry.items() if isinstance(value, int)}
            self.display.work(feed, str(entry["step"]), numbers)
        elif entry["level"] != "info" and message not in _IN_RESULTS:
            self.display.line(entry_line(entry), "warning" if entry["level"] == "warning" else "error")


def as_json(document: dict[str, object]) -> str:
    """Return a command's result as the text of one JSON document."""
    return json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n"


def make_output(asked: Format = DEFAULT_FORMAT, program: Program = PLAIN) -> Output:
    """Return the output of this process."""
    live = asked not in ("json", "lines") and is_live(sys.stderr, os.environ)
    return Output(asked, sys.stdout, sys.stderr, Display(sys.stderr, live=live), program)


def entry_line(entry: Entry) -> str:
    """Return a warning or an error of the log as one line."""
    shown = {
        name: value
        for name, value in entry.items()
        if name not in ("level", "ts", "run_id", "pipeline", "msg", "step", "traceback", "error_type", "rule")
    }
    # A message of several lines is printed in full when the command ends.
    firsts = {name: str(value).partition("\n")[0] for name, value in shown.items() if value is not None}
    details = ", ".join(f"{name}={text}" for name, text in firsts.items())
    return f"{entry['pipeline']}: {entry['level']}: {entry['msg']}" + (f" ({details})" if details else "")
