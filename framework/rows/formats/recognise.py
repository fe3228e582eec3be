"""Files that are no CSV, recognised by their first bytes."""

from __future__ import annotations

import codecs
import re

_UNPACK = "unpack it, or pack it with gzip, which is read as it is"
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
        ("a zip archive", rb"PK(?:\x03\x04|\x05\x06|\x07\x08)", _UNPACK, False),
        ("packed with bzip2", rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", _UNPACK, False),
        ("packed with zstd", rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", _UNPACK, False),
        ("packed with xz", rb"\xfd7zXZ\0", _UNPACK, False),
        ("packed with LZ4", rb"\x04\x22\x4d\x18", _UNPACK, False),
        ("packed with Snappy", rb"\xff\x06\0\0sNaPpY", _UNPACK, False),
        ("packed with compress (.Z)", rb"\x1f\x9d" + rb"[\x80-\x9f]", _UNPACK, False),
        ("packed with gzip twice", rb"\x1f\x8b\x08", "pack it once", False),
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


def other_format(head: bytes) -> str | None:
    """Return the format of a file that begins with these bytes, and the advice; None where it may be CSV.

    `head` is not packed with gzip any more. A quote inside an unquoted field is no CSV, so JSON cannot be taken for it.
    """
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    for name, pattern, advice in _FORMATS:
        if pattern.match(text if pattern.flags & re.IGNORECASE else head):
            return f"the file is {name}, and the feed reads CSV: {advice}"
    return None
