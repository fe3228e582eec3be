"""The physical lines at the start of a text."""

from __future__ import annotations

import re

MOST_SKIPPED_LINES = 1000
LINE = re.compile(r"[^\r\n]*+(?:\r\n|\r|\n)")


def lines_end(text: str, count: int) -> int | None:
    """Return where the first lines of a text end, None where it may end within them.

    A line ends at LF, CR LF or CR, inside quotes too.
    """
    end = 0
    for _ in range(count):
        found = LINE.match(text, end)
        if found is None or (found.end() == len(text) and text.endswith("\r")):
            return None
        end = found.end()
    return end


def none_begins_with(beginning: str) -> str:
    """Return the message on a file in which no line ends those to skip."""
    return f"none of the first {MOST_SKIPPED_LINES:,} lines begins with {beginning!r} (source.options.skip_lines)"
