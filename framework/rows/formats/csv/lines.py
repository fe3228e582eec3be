"""Physical lines of records in their file, looked up for the few that are reported. The same for every engine."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from framework.model.csv_options import CsvOptions
from framework.model.files import FileLayout
from framework.rows.formats.csv.header import read_line_end
from framework.rows.formats.csv.text import plain_text, without_lines

_HEAD_BYTES = 1024**2


def physical_lines(
    pieces: Iterator[bytes], layout: FileLayout, options: CsvOptions, ordinals: Collection[int]
) -> dict[int, int]:
    """Return by its ordinal the line on which a record begins; the file's first line is 1.

    `pieces` are the bytes of the file, whose quoting is sound; they are read as far as the last
    record that is asked for. Lines are those of an editor: a line end inside quotes counts, and so
    do blank lines. They end as the file's header does.
    """
    found: dict[int, int] = {}
    ordinal, is_quoted = 0 if options.header is False else -1, False
    text = without_lines(plain_text(pieces, layout.is_gzip, options.encoding), options.skip_lines)
    for number, line in enumerate(_lines(text, options), start=options.skip_lines + 1):
        if len(found) == len(ordinals):
            break
        if not is_quoted and line not in (b"", b"\r"):
            ordinal += 1
            if ordinal in ordinals:
                found[ordinal] = number
        is_quoted ^= line.count(b'"') % 2 == 1
    return found


def _lines(text: Iterator[bytes], options: CsvOptions) -> Iterator[bytes]:
    """Yield the lines without their line feed, or without the carriage return that ends them."""
    head = b""
    for piece in text:
        head += piece
        if len(head) >= _HEAD_BYTES:
            break
    end = read_line_end(head.decode("utf-8", "ignore"), options.delimiter).encode()
    *lines, rest = head.split(end)
    yield from lines
    for piece in text:
        *lines, rest = (rest + piece).split(end)
        yield from lines
    yield rest
