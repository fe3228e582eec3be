"""Where a CSV file's rows begin, and whether it can be divided there and further on."""

from __future__ import annotations

from framework.model.csv_options import CsvOptions
from framework.model.files import RowsStart
from framework.rows.formats.csv.header import record_end
from framework.rows.formats.recognise import Beginning, BrokenFile
from framework.rows.formats.text.encoding import decode_head, mark_size, marks_stand_alone
from framework.rows.formats.text.lines import lines_end

_LONGEST_FIRST_RECORD = 1024**2
"""Of a file without header, in characters, up to which its line end is looked for."""


def find_rows_start(beginning: Beginning, options: CsvOptions) -> RowsStart | None:
    """Return where the rows of a file begin; None: its header may go on beyond its beginning.

    The options are resolved for the file.

    Raises:
        BrokenFile: blank lines before the header end otherwise than the header.
    """
    content, is_all = beginning.content, beginning.is_all
    is_one_piece = not options.has_parity or options.has_footer or beginning.packing is not None
    is_divisible = not is_one_piece and marks_stand_alone(options.encoding, options.delimiter)
    if is_divisible:
        mark = mark_size(content, options.encoding)
        # A character of Latin-1 is a byte.
        text = content[mark:].decode("latin-1")
    else:
        mark = 0
        text = decode_head(content, options.encoding, is_all)
    skipped = lines_end(text, options.skip_lines)
    if skipped is None:
        skipped = len(text)
    found = _behind_header(text[skipped:], options, is_all)
    if found is None:
        return None
    end, line_end = found
    line = 1 + options.skip_lines + text[skipped : skipped + end].count(line_end)
    if is_divisible and line_end == "\n":
        return RowsStart(mark + skipped + end, line, line_end, True)
    before = text[: skipped + end]
    size = len(before.encode("latin-1").decode(options.encoding).encode() if is_divisible else before.encode())
    return RowsStart(size, line, line_end, False)


def _behind_header(text: str, options: CsvOptions, is_all: bool) -> tuple[int, str] | None:
    """Return where the header's line ends, 0 where there is none, and the line end of the file's first record."""
    has_header = options.header is not False
    start = len(text) - len(text.lstrip("\r\n"))
    try:
        end = record_end(text, options, is_all, start)
    except ValueError:
        if has_header:
            raise
        return 0, "\n"
    if end is None:
        return (0, "\n") if not has_header and len(text) >= _LONGEST_FIRST_RECORD else None
    mark = text[end : end + 2]
    if mark == "\r" and not is_all:
        return None
    line_end = "\r" if mark.startswith("\r") and mark != "\r\n" else "\n"
    if line_end == "\r" and "\n" in text[:start]:
        raise BrokenFile("the header ends in a carriage return, and a line before it in a line feed")
    if not has_header:
        return 0, line_end
    return end + (2 if mark == "\r\n" else len(mark[:1])), line_end
