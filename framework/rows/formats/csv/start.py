"""Where a CSV file's rows begin, and whether it can be divided there and further on."""

from __future__ import annotations

import codecs
import re
from importlib import import_module

from framework.model.csv_options import CsvOptions
from framework.model.files import RowsStart
from framework.rows.formats.csv.header import BrokenFile, decode_head, is_gzip, record_end
from framework.rows.formats.csv.text import is_utf8

_FIRST_TRAIL_BYTE = 0x30
"""The second byte of a double-byte character is never less, so that what is less always stands for itself."""
_DOUBLE_BYTE = frozenset(
    {"big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jis_2004", "euc_jisx0213", "euc_jp", "euc_kr", "gb18030",
     "gb2312", "gbk", "johab", "shift_jis", "shift_jis_2004", "shift_jisx0213"}
)  # fmt: skip
"""Python's codecs without a state in which every byte below _FIRST_TRAIL_BYTE stands for itself.
Source: https://docs.python.org/3/library/codecs.html#standard-encodings"""
_ASCII = bytes(range(128)).decode("ascii")
_LINE = re.compile(r"[^\r\n]*+(?:\r\n|\r|\n)")
_LONGEST_FIRST_RECORD = 1024**2
"""Of a file without header, in characters, up to which its line end is looked for."""


def find_rows_start(head: bytes, options: CsvOptions, is_complete: bool) -> RowsStart | None:
    """Return where the rows of a file begin; None: its header may go on beyond `head`.

    `head` are its first bytes, whose header can be read; `is_complete` says that they are all of it.

    Raises:
        BrokenFile: blank lines before the header end otherwise than the header.
    """
    is_divisible = not is_gzip(head) and _marks_stand_alone(options)
    if is_divisible:
        mark = len(codecs.BOM_UTF8) if is_utf8(options.encoding) and head.startswith(codecs.BOM_UTF8) else 0
        # A character of Latin-1 is a byte.
        text, is_all = head[mark:].decode("latin-1"), is_complete
    else:
        mark = 0
        text, is_all = decode_head(head, options.encoding, is_complete)
    skipped = _length_of_lines(text, options.skip_lines)
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


def _length_of_lines(text: str, count: int) -> int:
    """Return how many characters the first lines are; see after_lines."""
    end = 0
    for _ in range(count):
        found = _LINE.match(text, end)
        if found is None:
            return len(text)
        end = found.end()
    return end


def _behind_header(text: str, options: CsvOptions, is_all: bool) -> tuple[int, str] | None:
    """Return where the header's line ends, 0 where there is none, and the line end of the file's first record."""
    has_header = options.header is not False
    start = len(text) - len(text.lstrip("\r\n"))
    try:
        end = record_end(text, options.delimiter, is_all, start)
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


def _marks_stand_alone(options: CsvOptions) -> bool:
    """Return whether a byte that looks like a line end, quote or delimiter is one, wherever reading begins."""
    if not options.delimiter.isascii():
        return False
    name = codecs.lookup(options.encoding).name
    if name in _DOUBLE_BYTE:
        return ord(options.delimiter) < _FIRST_TRAIL_BYTE
    return is_utf8(options.encoding) or _is_single_byte(name)


def _is_single_byte(codec: str) -> bool:
    """Return whether each byte is a character, whatever stands before it, the first 128 those of ASCII."""
    if codec == "ascii":
        return True
    try:
        table: str = import_module(f"encodings.{codec.replace('-', '_')}").decoding_table
    except (ImportError, AttributeError):
        # It has states or characters of several bytes.
        return False
    return table.startswith(_ASCII)
