"""The lines at a file's end that are no records: totals, a count, a signature."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import translate

from framework.model.csv_options import CsvOptions
from framework.model.file_options import FixedOptions
from framework.model.words import counted
from framework.rows.formats.text.format import BrokenText
from framework.rows.formats.text.text import BrokenBytes

MOST_FOOTER_LINES = 100
LONGEST_LINE_BYTES = 16 * 1024**2
"""What is held back while the end of a line has not come: no row of a warehouse is larger."""
_LINE_ENDS = b"\r\n"


class BrokenFooter(BrokenText):
    """A file that does not end as the options say; the message says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, may_load=True)


class Footer:
    """The footer of one file. `lines` counts those that were left out, once all rows were yielded."""

    def __init__(self, options: CsvOptions | FixedOptions, line_end: str) -> None:
        self.lines = 0
        self._options = options
        self._line_end = line_end.encode()

    def records(self, text: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the text of the rows. The text is UTF-8 and begins where the rows do.

        Raises:
            BrokenFooter: it ends otherwise than the options say.
        """
        if self._options.footer_lines:
            return self._without_last(text, self._options.footer_lines)
        return self._up_to(text, self._options.footer_from) if self._options.footer_from else text

    def _without_last(self, text: Iterator[bytes], lines: int) -> Iterator[bytes]:
        held = b""
        try:
            for piece in text:
                held = _held(held, piece)
                start = self._start_of_last(held, lines)
                if start is not None:
                    yield held[:start]
                    held = held[start:]
        except BrokenBytes:
            # So that the caller can name the record at fault.
            yield held
            raise
        last = held.rstrip(_LINE_ENDS)
        self.lines = last.count(self._line_end) + bool(last)
        if self.lines < lines:
            raise BrokenFooter(
                f"the file has {counted(self.lines, 'line')} below its header, and source.options.footer_lines is "
                f"{lines}: it may have been cut off"
            )

    def _start_of_last(self, text: bytes, lines: int) -> int | None:
        """Return where the last lines of a text begin, blank ones at its end aside; None where it has no others."""
        place = len(text.rstrip(_LINE_ENDS))
        for _ in range(lines):
            place = text.rfind(self._line_end, 0, place)
            if place < 0:
                return None
        return place + 1

    def _up_to(self, text: Iterator[bytes], glob: str) -> Iterator[bytes]:
        begins = re.match(r"[^*?\[]*", glob)
        assert begins is not None
        beginning, pattern = begins[0].encode("utf-8"), re.compile(translate(glob))
        held = b""
        try:
            for piece in text:
                held = _held(held, piece)
                end = held.rfind(self._line_end) + 1
                start = self._matching_line(held[:end], beginning, pattern)
                if start is not None:
                    yield held[:start]
                    self._count(held[start:], text)
                    return
                yield held[:end]
                held = held[end:]
        except BrokenBytes:
            # So that the caller can name the record at fault.
            yield held
            raise
        if _is_match(held, pattern):
            self.lines = 1
        else:
            yield held

    def _matching_line(self, text: bytes, beginning: bytes, pattern: re.Pattern[str]) -> int | None:
        """Return where the first line that matches begins; the text begins and ends where lines do."""
        start = 0
        while start < len(text):
            if not text.startswith(beginning, start):
                found = text.find(self._line_end + beginning, start)
                if found < 0:
                    return None
                start = found + 1
                continue
            end = text.find(self._line_end, start)
            if _is_match(text[start:end], pattern):
                return start
            start = end + 1
        return None

    def _count(self, footer: bytes, text: Iterator[bytes]) -> None:
        """Count the lines of a footer and check that there are few: rows below it would be lost."""
        self.lines, last = footer.count(self._line_end), footer
        for piece in text:
            self.lines += piece.count(self._line_end)
            last = piece or last
            if self.lines > MOST_FOOTER_LINES:
                break
        self.lines += not last.endswith(self._line_end)
        if self.lines > MOST_FOOTER_LINES:
            raise BrokenFooter(
                f"more than {MOST_FOOTER_LINES} lines follow the first one that is like "
                "source.options.footer_lines.from: rows may be among them"
            )


def _held(held: bytes, piece: bytes) -> bytes:
    """Return the text that is held back with the next piece."""
    if len(held) > LONGEST_LINE_BYTES:
        raise BrokenFooter(f"a line of the file is longer than {LONGEST_LINE_BYTES // 1024**2} MB")
    return held + piece


def _is_match(line: bytes, pattern: re.Pattern[str]) -> bool:
    return pattern.match(line.strip(_LINE_ENDS).decode("utf-8", "replace")) is not None
