"""The lines at a file's end that are no records: totals, a count, a signature."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import translate

from framework.model.csv_options import CsvOptions
from framework.model.words import counted
from framework.rows.formats.csv.text import BrokenBytes

MOST_FOOTER_LINES = 100
_LINE_ENDS = b"\r\n"


class BrokenFooter(Exception):
    """A file that does not end as the options say; the message says why."""


def without_footer(text: Iterator[bytes], options: CsvOptions, line_end: str) -> Iterator[bytes]:
    """Yield the rows of a file without its footer. The text is UTF-8 and begins where the rows do.

    Raises:
        BrokenFooter: it ends otherwise.
    """
    if options.footer_lines:
        return _without_last(text, options.footer_lines, line_end.encode())
    if options.footer_from:
        return _up_to(text, options.footer_from, line_end.encode())
    return text


def _without_last(text: Iterator[bytes], lines: int, line_end: bytes) -> Iterator[bytes]:
    held = b""
    try:
        for piece in text:
            held += piece
            start = _start_of_last(held, lines, line_end)
            if start is not None:
                yield held[:start]
                held = held[start:]
    except BrokenBytes:
        # So that the caller can name the record at fault.
        yield held
        raise
    last = held.rstrip(_LINE_ENDS)
    found = last.count(line_end) + bool(last)
    if found < lines:
        raise BrokenFooter(
            f"the file has {counted(found, 'line')} below its header, and source.options.footer_lines is {lines}: "
            "it may have been cut off"
        )


def _start_of_last(text: bytes, lines: int, line_end: bytes) -> int | None:
    """Return where the last lines of a text begin, blank ones at its end aside; None where it has no others."""
    place = len(text.rstrip(_LINE_ENDS))
    for _ in range(lines):
        place = text.rfind(line_end, 0, place)
        if place < 0:
            return None
    return place + 1


def _up_to(text: Iterator[bytes], glob: str, line_end: bytes) -> Iterator[bytes]:
    begins = re.match(r"[^*?\[]*", glob)
    assert begins is not None
    beginning, pattern = begins[0].encode("utf-8"), re.compile(translate(glob))
    held = b""
    try:
        for piece in text:
            held += piece
            end = held.rfind(line_end) + 1
            start = _matching_line(held[:end], beginning, pattern, line_end)
            if start is not None:
                yield held[:start]
                _require_few_lines(held[start:], text, line_end)
                return
            yield held[:end]
            held = held[end:]
    except BrokenBytes:
        # So that the caller can name the record at fault.
        yield held
        raise
    if not _is_match(held, pattern):
        yield held


def _matching_line(text: bytes, beginning: bytes, pattern: re.Pattern[str], line_end: bytes) -> int | None:
    """Return where the first line that matches begins; the text begins where a line does, and ends where one ends."""
    start = 0
    while start < len(text):
        if not text.startswith(beginning, start):
            found = text.find(line_end + beginning, start)
            if found < 0:
                return None
            start = found + 1
            continue
        end = text.find(line_end, start)
        if _is_match(text[start:end], pattern):
            return start
        start = end + 1
    return None


def _is_match(line: bytes, pattern: re.Pattern[str]) -> bool:
    return pattern.match(line.strip(_LINE_ENDS).decode("utf-8", "replace")) is not None


def _require_few_lines(footer: bytes, text: Iterator[bytes], line_end: bytes) -> None:
    """Check that a footer has few lines: rows below it would be lost."""
    lines = footer.count(line_end)
    for piece in text:
        lines += piece.count(line_end)
        if lines > MOST_FOOTER_LINES:
            break
    if lines > MOST_FOOTER_LINES:
        raise BrokenFooter(
            f"more than {MOST_FOOTER_LINES} lines follow the first one that is like source.options.footer_lines.from: "
            "rows may be among them"
        )
