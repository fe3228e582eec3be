"""The encoding of a file's text: its byte order mark, its first text, and what may be divided."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from importlib import import_module

from framework.rows.formats.recognise import Beginning, BrokenFile

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16, whose mark it begins with.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF16_BYTES = 8
"""This many bytes identify UTF-16 without a mark, where every other one is NUL: letters of a Latin script."""
_NEEDS_MARK = ("utf-16", "utf-32")
"""Encodings whose byte order only a mark shows."""
_BYTE_ORDER_MARK = "\ufeff"
_FIRST_TRAIL_BYTE = 0x30
"""The second byte of a double-byte character is never less, so that what is less always stands for itself."""
_DOUBLE_BYTE = frozenset(
    {"big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jis_2004", "euc_jisx0213", "euc_jp", "euc_kr", "gb18030",
     "gb2312", "gbk", "johab", "shift_jis", "shift_jis_2004", "shift_jisx0213"}
)  # fmt: skip
"""Python's codecs without a state in which every byte below _FIRST_TRAIL_BYTE stands for itself.
Source: https://docs.python.org/3/library/codecs.html#standard-encodings"""
_ASCII = bytes(range(128)).decode("ascii")


class WrongEncoding(ValueError):
    """The first bytes are not valid in an encoding; another one may fit."""


class UnmarkedText(WrongEncoding):
    """Text of UTF-16 or UTF-32 whose byte order only another encoding says. The message says what to do."""


def marked_encoding(head: bytes) -> str | None:
    """Return the encoding that a byte order mark names, None where there is no mark."""
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)


def is_utf8(encoding: str) -> bool:
    """Return whether an encoding is UTF-8 by any of its names."""
    return codecs.lookup(encoding).name == "utf-8"


def decode_head(head: bytes, encoding: str, is_complete: bool) -> str:
    """Return the text of a file's first bytes, without a byte order mark; a character cut off at the end is left out.

    Raises:
        WrongEncoding: they are not valid in the encoding, or no CSV in it.
        UnmarkedText: they are UTF-16 or UTF-32 without a mark.
    """
    if marked_encoding(head) is None:
        _require_mark(head, encoding)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        text = decoder.decode(head, final=is_complete)
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise WrongEncoding(f"byte {error.start + 1} (0x{byte:02x}) is not valid {encoding}") from error
    except UnicodeError as error:
        raise WrongEncoding(f"the first bytes are not valid {encoding}: {error}") from error
    return text.removeprefix(_BYTE_ORDER_MARK) if keeps_mark(encoding) else text


def decoded_head(beginning: Beginning, encodings: Sequence[str], tried: str | None) -> tuple[str, str]:
    """Return the encoding of a file and its first text: its mark's, or the first of some in which that is valid.

    Those up to `tried` are left out.

    Raises:
        WrongEncoding: it is valid in none.
    """
    marked = marked_encoding(beginning.content)
    left = encodings[encodings.index(tried) + 1 :] if tried in encodings else encodings
    faults: list[WrongEncoding] = []
    for encoding in left if marked is None else (marked,):
        try:
            return encoding, decode_head(beginning.content, encoding, beginning.is_all)
        except WrongEncoding as error:
            faults.append(error)
    if marked is not None:
        raise BrokenFile(f"{faults[0]}, which its byte order mark says: send it again")
    unmarked = next((fault for fault in faults if isinstance(fault, UnmarkedText)), None)
    if unmarked is not None:
        raise unmarked
    raise WrongEncoding(f"{', and '.join(map(str, faults))}; set source.options.encoding to the file's encoding")


def keeps_mark(encoding: str) -> bool:
    """Return whether the encoding's decoder passes a byte order mark on, as a character of the text."""
    return codecs.lookup(encoding).name not in _NEEDS_MARK


def mark_size(head: bytes, encoding: str) -> int:
    """Return how many bytes such a byte order mark takes, at the start of a file that can be divided."""
    try:
        mark = _BYTE_ORDER_MARK.encode(encoding)
    except UnicodeEncodeError:
        return 0
    return len(mark) if head.startswith(mark) else 0


def marks_stand_alone(encoding: str, delimiter: str) -> bool:
    """Return whether a byte that looks like a line end, quote or delimiter is one, wherever reading begins."""
    if not delimiter.isascii():
        return False
    name = codecs.lookup(encoding).name
    if name in _DOUBLE_BYTE:
        return ord(delimiter) < _FIRST_TRAIL_BYTE
    return is_utf8(encoding) or _is_single_byte(name, delimiter)


def _require_mark(head: bytes, encoding: str) -> None:
    """Reject UTF-16 without a byte order mark, unless the encoding says its byte order."""
    name = codecs.lookup(encoding).name
    if name.startswith(("utf-16-", "utf-32-")):
        # Line ends and delimiters have one.
        if head and 0 not in head:
            raise WrongEncoding(f"the file has no NUL byte at its beginning, as every CSV file in {encoding} has")
        return
    beginning = head[:_UTF16_BYTES]
    if len(head) > 2 and ({0} == set(beginning[::2])) != ({0} == set(beginning[1::2])):
        order = "utf-16-be" if {0} == set(beginning[::2]) else "utf-16-le"
        raise UnmarkedText(
            "the file looks like UTF-16 without a byte order mark: "
            f"send it with one, or as UTF-8, or set source.options.encoding: {order}"
        )
    if name in _NEEDS_MARK and len(head) >= 2:
        raise UnmarkedText(
            f"the file has no byte order mark, and source.options.encoding is {name}: set it to the file's encoding"
        )


def _is_single_byte(codec: str, delimiter: str) -> bool:
    """Return whether each byte is a character, whatever stands before it, the first 128 those of ASCII.

    No other byte may be a mark too: Arabic encodings of the Mac have quotes for text from right to left.
    """
    if codec == "ascii":
        return True
    try:
        table: str = import_module(f"encodings.{codec.replace('-', '_')}").decoding_table
    except (ImportError, AttributeError):
        # It has states or characters of several bytes.
        return False
    return table.startswith(_ASCII) and set(table[len(_ASCII) :]).isdisjoint({"\r", "\n", '"', delimiter})
