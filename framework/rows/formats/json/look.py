"""What the first bytes of a file of JSON show: whether each line is a record."""

from __future__ import annotations

import json
from dataclasses import replace

from framework.model.files import RowsStart
from framework.rows.formats.json.format import JsonFormat
from framework.rows.formats.recognise import BrokenFile
from framework.rows.formats.source import Look, Source
from framework.rows.formats.text.encoding import decoded_head, mark_size, marks_stand_alone
from framework.rows.formats.text.reader import TextReader

_WHITESPACE = " \t\r\n"


class JsonFiles:
    """See SourceFormat."""

    reader = TextReader(JsonFormat())

    def look(self, source: Source) -> Look | None:
        """Return what a file's beginning says of it; None where its first value may go on."""
        beginning, spec = source.beginning, source.spec
        encoding, text = decoded_head(beginning, spec.encodings, source.tried)
        first = text.lstrip(_WHITESPACE)[:1]
        if not first and beginning.is_all:
            raise BrokenFile("the file is empty: " + ("it has only blanks" if text else "it has no record"))
        if first and first not in "{[":
            raise ValueError(
                f"the file is text such as CSV, and the feed reads JSON: it begins with {first!r}, not with {{ or [. "
                "Send it so, or set source.format: csv"
            )
        is_lines = False if spec.json.records or first == "[" else _is_lines(text, beginning.is_all)
        if is_lines is None:
            return None
        options = replace(spec.json, encoding=encoding, is_lines=is_lines)
        is_divisible = is_lines and beginning.packing is None and marks_stand_alone(encoding, ",")
        start = RowsStart(mark_size(beginning.content, encoding) if is_divisible else 0, 1, "\n", is_divisible)
        return Look(None, options, start)


def _is_lines(text: str, is_all: bool) -> bool | None:
    """Return whether the first record is one line; None where it may go on behind the text."""
    text = text.lstrip(_WHITESPACE)
    line, end, _ = text.partition("\n")
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        if end or is_all:
            # A line that is no JSON may be a record that is not sound, or the beginning of one with several lines.
            return line.rstrip(_WHITESPACE).endswith("}") and not _is_several(line)
        return None
    return True


def _is_several(line: str) -> bool:
    """Return whether a line begins with a value that is followed by another one."""
    try:
        _, end = json.JSONDecoder().raw_decode(line)
    except (ValueError, RecursionError):
        return False
    return line[end:].lstrip(_WHITESPACE).startswith("{")


FORMAT = JsonFiles()
