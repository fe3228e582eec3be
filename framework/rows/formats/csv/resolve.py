"""Options that a file itself decides: where its header is, and which delimiter it has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from framework.model.csv_options import AUTO, DELIMITERS, CsvOptions
from framework.model.words import listed
from framework.rows.formats.csv.header import records_of
from framework.rows.formats.csv.header_rule import DataCell, is_surely_header, looks_like_data
from framework.rows.formats.text.footer import BrokenFooter, Footer
from framework.rows.formats.text.lines import MOST_SKIPPED_LINES, lines_end, none_begins_with

MOST_RECORDS = 100
_MOST_THAT_FIT = 0.9
"""This share of the records shows the delimiter where no other has it; the rest is malformed."""
_LINE = re.compile(r"([^\r\n]*+)(?:\r\n|\r|\n|\Z)")


class _Comments(NamedTuple):
    """The comments before the first other line: how many lines they and blank ones are, and where the last begins."""

    lines: int
    last: int


def resolve(text: str, is_all: bool, options: CsvOptions) -> CsvOptions | None:
    """Return the options that hold for one file, whose text begins so; None: it has to be longer.

    Raises:
        ValueError: the file does not decide an option, or has no line that the options ask for.
    """
    if options.skip_until:
        lines = _lines_until(text, is_all, options.skip_until)
        if lines is None:
            return None
        return _with_delimiter(text, is_all, replace(options, skip_lines=lines, skip_until=""))
    if not options.comment:
        return _with_delimiter(text, is_all, options)
    start = lines_end(text, options.skip_lines)
    if start is None:
        return None if not is_all else _with_delimiter(text, is_all, options)
    comments = _leading_comments(text, is_all, options.comment, start)
    if comments is None:
        return None
    behind = replace(options, skip_lines=options.skip_lines + comments.lines)
    known = _with_delimiter(text, is_all, behind)
    if known is None or not comments.lines or options.header is False:
        return known
    if _is_header(text[comments.last :], is_all, known):
        # The last comment is the header; a blank line below it is no record.
        above = len(_LINE.findall(text[start : comments.last])) - 1
        return replace(known, skip_lines=options.skip_lines + above)
    return known


def _with_delimiter(text: str, is_all: bool, options: CsvOptions) -> CsvOptions | None:
    if options.delimiter != AUTO:
        return options
    start = lines_end(text, options.skip_lines)
    if start is None and not is_all:
        return None
    rest = "" if start is None else text[start:]
    if is_all:
        rest = _without_footer(rest, options)
    tried = {
        delimiter: records_of(rest, is_all, replace(options, delimiter=delimiter), MOST_RECORDS)
        for delimiter in DELIMITERS
    }
    if not any(tried.values()) and not is_all:
        return None
    # A title is a first record too, and what stands below it shows that it is one.
    below = {delimiter: records[1:] for delimiter, records in tried.items()}
    found = _fitting(tried, options, 1) or _fitting(tried, options, _MOST_THAT_FIT)
    found = found or _fitting(below, options, _MOST_THAT_FIT)
    if len(found) == 1:
        return replace(options, delimiter=found[0])
    if found:
        fit = listed([repr(delimiter) for delimiter in found])
        raise ValueError(f"the delimiters {fit} fit the file alike: write the right one to source.options.delimiter")
    if any(delimiter in rest.lstrip("\r\n").partition("\n")[0] for delimiter in DELIMITERS):
        all_of_them = listed([repr(delimiter) for delimiter in DELIMITERS])
        raise ValueError(
            f"no delimiter of {all_of_them} divides its first records into equally many fields: "
            "write the right one to source.options.delimiter"
        )
    return replace(options, delimiter=DELIMITERS[0])


def _fitting(tried: Mapping[str, Sequence[Sequence[str]]], options: CsvOptions, share: float) -> list[str]:
    """Return the delimiters at which this share of the records has as many fields as the first: not one."""
    found = []
    for delimiter, records in tried.items():
        width = len(options.names or records[0]) if records else 0
        if width > 1 and sum(len(record) == width for record in records) >= share * len(records):
            found.append(delimiter)
    return found


def _without_footer(text: str, options: CsvOptions) -> str:
    try:
        return b"".join(Footer(options, "\n").records(iter([text.encode("utf-8")]))).decode("utf-8")
    except BrokenFooter:
        return text


def _lines_until(text: str, is_all: bool, beginning: str) -> int | None:
    """Return how many lines stand before the first that begins so; None: it may come behind the text."""
    position = 0
    for lines in range(MOST_SKIPPED_LINES):
        if text.startswith(beginning, position):
            return lines
        end = lines_end(text[position:], 1)
        if end is None:
            if not is_all:
                return None
            break
        position += end
    raise ValueError(none_begins_with(beginning))


def _leading_comments(text: str, is_all: bool, comment: str, start: int) -> _Comments | None:
    """Return the comments from a place on; None: more of them may follow the text."""
    lines = found = 0
    last = position = start
    while True:
        is_comment = text.startswith(comment, position)
        line = _LINE.match(text, position)
        assert line is not None
        if line[1] and not is_comment:
            # A comment mark of several characters may be cut off.
            return None if comment.startswith(text[position:]) and not is_all else _Comments(found, last)
        if line.end() == len(text):
            return _Comments(found + is_comment * (lines - found + 1), last) if is_all else None
        lines += 1
        if is_comment:
            found, last = lines, position
        position = line.end()


def _is_header(text: str, is_all: bool, options: CsvOptions) -> bool:
    """Return whether a text that begins with a comment begins with the header.

    Raises:
        ValueError: the line below may be the header as well.
    """
    header, *below = records_of(text, is_all, options, MOST_RECORDS) or [()]
    if len(header) < 2 or not below or len(below[0]) != len(header):
        return False
    if isinstance(looks_like_data(below[0], below[1:]), DataCell):
        return True
    if _is_known_header(below):
        return False
    raise ValueError(
        "the last comment before the records has as many fields as they, and may be the header. Write which line is: "
        "source: {options: {skip_lines: {until: ...}}}, with the beginning of the header's line"
    )


def _is_known_header(records: Sequence[Sequence[str]]) -> bool:
    return len(records) > 1 and is_surely_header(records[0], records[1:])
