"""What a file is, recognised by its first bytes: how it is packed, and which formats are no CSV."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from framework.model.files import Compression, Packing
from framework.rows.formats.packing import BrokenPacking, packing_of, unpack_head

_UNPACK = "unpack it, or pack it as gzip, bz2, xz, zstd or zip"
_CONVERT = "send it as CSV"
_CONTROL = rb"[\t-\r\x20-\xff]{0,40}[\x00-\x08\x0e-\x1f]"
"""A character that no text has; letters such as `ORC` may be a header's too."""
_FORMATS = tuple(
    (name, re.compile(pattern, re.DOTALL | re.IGNORECASE if text else re.DOTALL), advice)
    for name, pattern, advice, text in (
        ("a Parquet file", rb"PAR[1E]" + _CONTROL, _CONVERT, False),
        ("an Avro file", rb"Obj\x01", _CONVERT, False),
        ("an ORC file", rb"ORC" + _CONTROL, _CONVERT, False),
        ("an Arrow file", rb"ARROW1\0\0|FEA1" + _CONTROL, _CONVERT, False),
        ("an SQLite database", rb"SQLite format 3\0", _CONVERT, False),
        ("an HDF5 file", rb"\x89HDF\r\n\x1a\n", _CONVERT, False),
        ("an Excel workbook (.xlsx)", rb"PK\x03\x04.{0,4000}?(?:\[Content_Types\]\.xml|xl/)", _CONVERT, False),
        ("an OpenDocument file", rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument", _CONVERT, False),
        ("an Excel workbook (.xls) or another old Office file", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _CONVERT, False),
        ("a PDF", rb"%PDF-\d", _CONVERT, False),
        ("packed with LZ4", rb"\x04\x22\x4d\x18", _UNPACK, False),
        ("packed with Snappy", rb"\xff\x06\0\0sNaPpY", _UNPACK, False),
        ("packed with compress (.Z)", rb"\x1f\x9d" + rb"[\x80-\x9f]", _UNPACK, False),
        ("a 7-Zip archive", rb"7z\xbc\xaf\x27\x1c", _UNPACK, False),
        ("a RAR archive", rb"Rar!\x1a\x07", _UNPACK, False),
        ("a tar archive", rb".{257}ustar[\0 ]", _UNPACK, False),
        ("JSON lines", rb"\{[ \t]*\"[^\r\n]*\}[ \t]*(?:\r?\n\s*[{\[]|\s*\Z)", _CONVERT, True),
        ("JSON", rb"\{\s*[\"}]|\[\s*[{\[\"]|[{\[][ \t]*\r?\n", _CONVERT, True),
        ("an HTML page", rb"<!doctype html|<html[\s>]", _CONVERT, True),
        ("XML", rb"<\?xml[\s]", _CONVERT, True),
    )
)
"""Formats with the bytes at their beginning, and the advice for each. Sources: the formats' own specifications, and
https://en.wikipedia.org/wiki/List_of_file_signatures"""


class BrokenFile(ValueError):
    """A file that no spec could read."""


@dataclass(frozen=True)
class Beginning:
    """The first bytes of a file's content, unpacked. `is_all` says that there are no more."""

    content: bytes
    is_all: bool
    packing: Packing | None = None


def first_content(head: bytes, is_complete: bool, packing: Packing | None, most_bytes: int) -> Beginning:
    """Return the content of a file that begins with these bytes; `is_complete` says that they are all of it.

    A packed file is unpacked up to a size.

    Raises:
        BrokenFile: it cannot be unpacked, or is of another format than CSV.
        MachineError: the package that unpacks it is not installed.
    """
    if packing is None:
        return of_text(Beginning(head, is_complete))
    try:
        content, is_all = unpack_head(head, packing, most_bytes, is_complete)
    except BrokenPacking as error:
        raise BrokenFile(str(error)) from error
    return of_text(Beginning(content, is_complete and is_all, packing))


def of_text(beginning: Beginning) -> Beginning:
    """Return the beginning of a file of text.

    Raises:
        BrokenFile: it is packed once more, or of another format than CSV.
    """
    packing = packing_of(beginning.content)
    if (other := other_format(beginning.content)) is not None:
        raise BrokenFile(other)
    if packing is not None:
        raise BrokenFile(f"the file is packed twice, inside as {packing}: pack it once")
    return beginning


def require_packing(head: bytes, compression: Compression) -> Packing | None:
    """Return how a file that begins with these bytes is packed, None where it is not.

    Raises:
        ValueError: otherwise than the spec says.
        BrokenFile: the file is a workbook, which is a zip archive too.
    """
    packing = packing_of(head)
    if packing == "zip" and (other := other_format(head)) is not None:
        raise BrokenFile(other)
    if compression in ("auto", packing or "none"):
        return packing
    found = f"packed with {packing}" if packing else "not packed"
    raise ValueError(f"the file is {found}, and source.compression is {compression}: set it to {packing or 'none'}")


def other_format(head: bytes) -> str | None:
    """Return the format of a file that begins with these bytes, and the advice; None where it may be CSV.

    `head` is unpacked. A quote inside an unquoted field is no CSV, so JSON cannot be taken for it.
    """
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    for name, pattern, advice in _FORMATS:
        if pattern.match(text if pattern.flags & re.IGNORECASE else head):
            return f"the file is {name}, and the feed reads CSV: {advice}"
    return None
