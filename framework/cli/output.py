"""The output of commands: a JSON document, JSON lines, or text."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, TextIO

from framework.cli.status_line import StatusLine
from framework.log.run_log import Entry, Event
from framework.model.program import PLAIN, Program
from framework.model.words import counted

Format = Literal["text", "json", "lines", "github"]
DEFAULT_FORMAT: Format = "text"
SHORTEST = 8
"""The fewest characters to which a text is cut for a narrow terminal."""
_KEPT_IN_THE_LOG = frozenset({Event.COLUMNS_NAMED, Event.LOAD_STARTED, Event.LEDGER_CREATED, Event.FILE_MOVED})


@dataclass(frozen=True)
class Output:
    """The streams and the form of a command's output, and how its messages spell the command to go on with.

    text: tables and progress. json: one document on stdout, the log on stderr.
    lines: the log as JSON lines on stdout, the document as the last one. github: as text, with Markdown on stdout.
    """

    format: Format
    stdout: TextIO
    stderr: TextIO
    status: StatusLine
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
        self, document: dict[str, object], text: Callable[[], str], markdown: Callable[[], str] | None = None
    ) -> None:
        """Print a command's result: as JSON, as text, as the last of the JSON lines, or as Markdown."""
        self.status.end()
        if self.format == "json":
            self.stdout.write(as_json(document))
        elif self.format == "text":
            self.stdout.write(text() + "\n")
        elif self.format == "github":
            assert markdown is not None
            self.stdout.write(markdown() + "\n")
        else:
            self.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")
        self.stdout.flush()

    def say(self, line: str) -> None:
        """Print a line of text on stderr, where no program reads results; nothing in the other forms."""
        if self.is_for_people:
            self.status.line(line)

    def progress(self, entry: Entry) -> None:
        """Show a log entry as progress, if the output is text."""
        if not self.is_for_people:
            return
        line, pipeline = progress_line(entry), str(entry["pipeline"])
        if entry["msg"] == Event.PROGRESS:
            self.status.step(pipeline, step_text(entry))
        elif line is not None:
            self.status.line(line, of=pipeline)


def as_json(document: dict[str, object]) -> str:
    """Return a command's result as the text of one JSON document."""
    return json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n"


def make_output(asked: Format = DEFAULT_FORMAT, program: Program = PLAIN) -> Output:
    """Return the output of this process."""
    return Output(asked, sys.stdout, sys.stderr, StatusLine(sys.stderr), program)


def progress_line(entry: Entry) -> str | None:
    """Return one line of progress for a log entry, None for an entry that only the log keeps."""
    pipeline, msg = entry["pipeline"], entry["msg"]
    if entry["level"] == "info" and msg in _KEPT_IN_THE_LOG:
        return None
    shown = {
        name: value
        for name, value in entry.items()
        if name not in ("level", "ts", "run_id", "pipeline", "msg", "step", "traceback", "error_type", "rule")
    }
    if msg == Event.STEP:
        return f"{pipeline}: {entry['step']} …"
    # A message of several lines is printed in full when the command ends.
    firsts = {name: str(value).partition("\n")[0] for name, value in shown.items() if value is not None}
    details = ", ".join(f"{name}={text}" for name, text in firsts.items())
    mark = {"info": "", "warning": "warning: ", "error": "error: "}[str(entry["level"])]
    return f"{pipeline}:   {mark}{msg}" + (f" ({details})" if details else "")


def step_text(entry: Entry) -> str:
    """Return a step's progress: the bytes, rows and tasks that the row engine reports."""
    numbers = {name: value for name, value in entry.items() if isinstance(value, int)}
    parts = []
    if "bytes_total" in numbers:
        parts.append(f"{numbers['bytes_read'] / 1e6:.1f} of {numbers['bytes_total'] / 1e6:.1f} MB read")
    if "rows" in numbers:
        parts.append(f"{counted(numbers['rows'], 'row')} done")
    if "tasks_total" in numbers:
        parts.append(f"{numbers['tasks_done']} of {counted(numbers['tasks_total'], 'task')} done")
    return f"{entry['pipeline']}: {entry['step']}: {', '.join(parts)}"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as an aligned text table; NULL is an empty cell, numbers are right-aligned."""
    texts = [["" if value is None else str(value) for value in row] for row in rows]
    widths = [max(len(name), *(len(row[place]) for row in texts), 0) for place, name in enumerate(columns)]
    numeric = [
        bool(rows) and all(isinstance(row[place], int | float) or row[place] is None for row in rows)
        for place in range(len(columns))
    ]
    lines = [_line(list(columns), widths, [False] * len(columns)), "  ".join("-" * width for width in widths)]
    lines += [_line(row, widths, numeric) for row in texts]
    return "\n".join(lines)


def fitted_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], width: int | None, cut: Collection[str]
) -> str:
    """Return a text table of at most `width` columns, where the texts of the columns in `cut` may be shortened to that.

    The longest one is shortened first, none to less than SHORTEST characters. None as the width shortens nothing.
    """
    whole = table(columns, rows)
    excess = 0 if width is None else max(map(len, whole.splitlines())) - width
    places = [place for place, name in enumerate(columns) if name in cut]
    longest = {place: max((len(str(row[place] or "")) for row in rows), default=0) for place in places}
    while excess > 0 and longest and max(longest.values()) > SHORTEST:
        place = max(longest, key=lambda each: longest[each])
        longest[place] -= 1
        excess -= 1
    return table(
        columns,
        [
            [
                shortened(str(value), longest[place]) if place in longest and value is not None else value
                for place, value in enumerate(row)
            ]
            for row in rows
        ],
    )


def shortened(text: str, length: int) -> str:
    """Return a text of at most `length` characters: its beginning and its end, in which names of one feed differ."""
    if len(text) <= length:
        return text
    ending = length // 2
    return f"{text[: length - ending - 1]}…{text[-ending:]}"


def _line(cells: Sequence[str], widths: Sequence[int], to_right: Sequence[bool]) -> str:
    padded = [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, to_right, strict=True)
    ]
    return "  ".join(padded).rstrip()
