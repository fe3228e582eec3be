"""The header of a CSV file, read from the file's first bytes."""

from __future__ import annotations

import codecs
import zlib

from framework.model.csv_options import CsvOptions
from framework.model.words import counted
from framework.rows.formats.recognise import other_format

_GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 31
"""zlib's wbits for a gzip member. Source: https://docs.python.org/3/library/zlib.html"""
_BYTE_ORDER_MARK = "\ufeff"
_MARKS = (
    (codecs.BOM_UTF8, "UTF-8"),
    # Before UTF-16, whose mark it begins with.
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_UTF16_BYTES = 8
"""This many bytes identify UTF-16 without a mark, where every other one is NUL: letters of a Latin script."""


class BrokenFile(ValueError):
    """A file that no spec could read."""


def is_gzip(head: bytes) -> bool:
    """Return whether a file that begins with these bytes is gzip, whatever its name ends in."""
    return head.startswith(_GZIP_MAGIC)


def read_text(head: bytes, options: CsvOptions, is_complete: bool) -> tuple[str, bool] | None:
    """Return a file's first text behind the lines that are skipped, and whether it is all there is; None: not yet seen.

    `is_complete` says that `head` is the whole file. A byte order mark is no part of the text.

    Raises:
        ValueError: it holds no record though it should, or the bytes are no text in the encoding.
    """
    text, is_all = decode_head(head, options.encoding, is_complete)
    if options.skip_lines:
        rest = after_lines(text.encode("utf-8"), options.skip_lines)
        if rest is None and not is_all:
            return None
        text = (rest or b"").decode("utf-8")
    if is_all and options.header is not False and not text.strip():
        if options.skip_lines:
            raise ValueError(
                f"there is no header after the skipped lines (source.options.skip_lines: {options.skip_lines})"
            )
        raise BrokenFile("the file is empty: " + ("it has only blank lines" if text else "not even a header"))
    return text, is_all


def header_of(text: str, is_all: bool, options: CsvOptions) -> tuple[str, ...] | None:
    """Return the raw names of the fields of a file whose text begins so; None: its header goes on beyond the text.

    Blank lines before the header are passed over. A name is as the file has it, blanks and case included, quotes taken
    off; the options' names replace it.

    Raises:
        ValueError: the header's quoting is not RFC 4180, or the options name another number of fields.
    """
    if options.header is False:
        return options.names
    start = len(text) - len(text.lstrip("\r\n"))
    found = _split_record(text, options.delimiter, is_all, start)
    if found is None:
        return None
    names, _ = found
    if any("\0" in name for name in names):
        raise BrokenFile("the header holds a NUL character")
    if options.names and len(options.names) != len(names):
        found_columns = counted(len(names), "column")
        raise ValueError(f"the header has {found_columns}, and source.options.names has {len(options.names)}")
    return options.names or names


def records_of(text: str, is_all: bool, delimiter: str, most: int) -> list[tuple[str, ...]]:
    """Return the fields of the first records of a text; they end where it is cut off, or the quoting is not sound."""
    records: list[tuple[str, ...]] = []
    position = 0
    while len(records) < most:
        while position < len(text) and text[position] in "\r\n":
            position += 1
        try:
            found = _split_record(text, delimiter, is_all, position) if position < len(text) else None
        except ValueError:
            break
        if found is None:
            break
        records.append(found[0])
        position = found[1]
    return records


def record_end(text: str, delimiter: str, is_all: bool, start: int) -> int | None:
    """Return where the line end of the record at a place begins; None: not within the text.

    Raises:
        BrokenFile: its quoting is not RFC 4180.
    """
    found = _split_record(text, delimiter, is_all, start)
    return None if found is None else found[1]


def after_lines(text: bytes, count: int) -> bytes | None:
    """Return the text after its first lines, None where it may end within them.

    A line ends at LF, CR LF or CR, inside quotes too.
    """
    lines = text.splitlines(keepends=True)
    return b"".join(lines[count:]) if len(lines) > count else None


def decode_head(head: bytes, encoding: str, is_complete: bool) -> tuple[str, bool]:
    """Return the text of a file's first bytes, and whether it is the file's whole text.

    Gzip is decompressed as far as it goes; a character cut off at the end is left out.

    Raises:
        ValueError: the bytes are not valid gzip, of a file that is no CSV, or not valid in the encoding.
    """
    if is_gzip(head):
        head, ended = _decompress(head)
        is_complete = is_complete and ended
    _require_text(head, encoding)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        text = decoder.decode(head, final=is_complete)
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise ValueError(
            f"byte {error.start + 1} (0x{byte:02x}) is not valid {encoding}; "
            "set source.options.encoding to the file's encoding"
        ) from error
    # The decoder of UTF-16 has taken its mark off; a second one is a character of the text.
    is_marked = codecs.lookup(encoding).name == "utf-8"
    return text.removeprefix(_BYTE_ORDER_MARK) if is_marked else text, is_complete


def _require_text(head: bytes, encoding: str) -> None:
    """Reject other formats than CSV, and a byte order mark of another encoding than the spec's."""
    if (other := other_format(head)) is not None:
        raise BrokenFile(other)
    says = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if says is None:
        _require_mark(head, encoding)
    if says is None or says.lower() == codecs.lookup(encoding).name:
        return
    if says == "UTF-32":
        raise BrokenFile("the byte order mark says UTF-32, which no feed reads: send the file as UTF-8")
    raise ValueError(
        f"the byte order mark says {says}, and source.options.encoding is {encoding}: "
        f"set it to {says.lower()}, or send the file in {encoding}"
    )


def _require_mark(head: bytes, encoding: str) -> None:
    """Reject UTF-16 without a byte order mark and, under a spec of UTF-16, any other text without one."""
    beginning = head[:_UTF16_BYTES]
    if len(head) > 2 and ({0} == set(beginning[::2])) != ({0} == set(beginning[1::2])):
        raise BrokenFile("the file looks like UTF-16 without a byte order mark: send it with one, or as UTF-8")
    if codecs.lookup(encoding).name == "utf-16" and len(head) >= 2:
        raise ValueError(
            "the file has no byte order mark, and source.options.encoding is utf-16: set it to the file's encoding"
        )


def _decompress(head: bytes) -> tuple[bytes, bool]:
    """Return the content of the gzip members in `head`, and whether the last one is complete."""
    pieces: list[bytes] = []
    rest = head
    while is_gzip(rest):
        member = zlib.decompressobj(GZIP_WINDOW)
        try:
            pieces.append(member.decompress(rest))
        except zlib.error as error:
            raise BrokenFile(f"the file begins like gzip and cannot be decompressed: {error}") from error
        if not member.eof:
            return b"".join(pieces), False
        rest = member.unused_data
    return b"".join(pieces), True


def _split_record(text: str, delimiter: str, is_all: bool, start: int) -> tuple[tuple[str, ...], int] | None:
    """Return the fields of the record at a place and where its line end begins; None: not within the text."""
    names: list[str] = []
    position = start
    while True:
        if text.startswith('"', position):
            end = _closing_quote(text, position, is_all)
            if end is None:
                return None
            names.append(text[position + 1 : end].replace('""', '"'))
            position = end + 1
        else:
            end = _field_end(text, position, delimiter)
            if '"' in text[position:end]:
                raise BrokenFile(f"header field {len(names) + 1}: a quote stands inside an unquoted name")
            names.append(text[position:end])
            position = end
        if position == len(text):
            return (tuple(names), position) if is_all else None
        if text[position] in "\r\n":
            return tuple(names), position
        if text[position] != delimiter:
            raise BrokenFile(f"header field {len(names)}: text follows the closing quote")
        position += 1


def _closing_quote(text: str, opening: int, is_all: bool) -> int | None:
    position = text.find('"', opening + 1)
    while position >= 0 and text.startswith('"', position + 1):
        position = text.find('"', position + 2)
    # The last character may be the first half of a doubled quote.
    if position < 0 or (position == len(text) - 1 and not is_all):
        if is_all:
            raise BrokenFile("a quote in the header is never closed")
        return None
    return position


def _field_end(text: str, start: int, delimiter: str) -> int:
    ends = (text.find(mark, start) for mark in (delimiter, "\r", "\n"))
    return min((end for end in ends if end >= 0), default=len(text))
