"""What a file is, recognised by its first bytes: how it is packed, and which formats are no CSV."""

from __future__ import annotations

import codecs
import json
import re

from framework.dataclass import dataclass
from framework.model.csv_options import Format
from framework.model.files import Compression, Packing
from framework.rows.formats.packing import BrokenPacking, packing_of, unpack_head

_UNPACK = "unpack it, or pack it as gzip, bz2, xz, zstd or zip"
_CONVERT = "send it as CSV, JSON, Parquet or Excel (.xlsx)"
_CONTROL = rb"[\t-\r\x20-\xff]{0,40}[\x00-\x08\x0e-\x1f]"
"""A character that no text has; letters such as `ORC` may be a header's too."""
_SAVE = "save it as .xlsx, without a password, or as CSV"
_MEMBER = rb"PK\x03\x04.{26}"
"""The header of a zip archive's member, up to its name. Source: APPNOTE.TXT 4.3.7"""
_OFFICE = rb"(?=" + _MEMBER + rb"(?:\[Content_Types\]\.xml|_rels/|docProps/|customXml/|xl/|word/|ppt/))"
"""The first member of an Office file, whatever follows. Workbooks begin with any of these."""
_ANY_MEMBER = rb".*?" + _MEMBER
_OPEN_DOCUMENT = rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument\."
_OLD_OFFICE = rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NAMES: dict[Format, str] = {
    "csv": "CSV",
    "json": "JSON",
    "parquet": "Parquet",
    "excel": "Excel (.xlsx)",
    "fixed": "fields of fixed width",
}
_IS_TEXT = re.IGNORECASE
_ALMOST_JSON = re.compile(rb"\{\s*(?:'[^'\r\n]*'|[^\s'\":,{}]+)\s*:|\[\s*'")
"""Keys and texts as Python and JavaScript write them. `{id},{name}` and `[id],[name]` are headers."""
_ARRAY_BEGINS = re.compile(r"\s*\[\s*[-0-9tfn]")


@dataclass(frozen=True)
class _Known:
    """A format: its name, the pattern of its first bytes, and either the format's name in a spec or what to do."""

    name: str
    pattern: re.Pattern[bytes]
    format: Format | None = None
    advice: str = _CONVERT

    @property
    def is_text(self) -> bool:
        """Whether it is text, which blanks and a byte order mark may precede."""
        return bool(self.pattern.flags & _IS_TEXT)


def _known(name: str, pattern: bytes, advice: str = _CONVERT, known: Format | None = None, flags: int = 0) -> _Known:
    return _Known(name, re.compile(pattern, re.DOTALL | flags), known, advice)


_KNOWN = (
    _known("a Parquet file with an encrypted footer", rb"PARE" + _CONTROL, "send it without encryption"),
    _known("a Parquet file", rb"PAR1" + _CONTROL, known="parquet"),
    _known("an Avro file", rb"Obj\x01"),
    _known("an ORC file", rb"ORC" + _CONTROL),
    _known("an Arrow file", rb"ARROW1\0\0|FEA1" + _CONTROL),
    _known("an SQLite database", rb"SQLite format 3\0"),
    _known("an HDF5 file", rb"\x89HDF\r\n\x1a\n"),
    _known("a Word document", _OFFICE + _ANY_MEMBER + rb"word/"),
    _known("a PowerPoint presentation", _OFFICE + _ANY_MEMBER + rb"ppt/"),
    _known("a Visio drawing", _OFFICE + _ANY_MEMBER + rb"visio/"),
    _known(
        "a binary Excel workbook (.xlsb)", _OFFICE + _ANY_MEMBER + rb"xl/(?:workbook|worksheets/[^/]{1,60})\.bin", _SAVE
    ),
    _known("an Excel workbook (.xlsx)", _OFFICE, known="excel"),
    _known("an OpenDocument spreadsheet (.ods)", _OPEN_DOCUMENT + rb"spreadsheet", _SAVE),
    _known("an OpenDocument file", _OPEN_DOCUMENT),
    _known(
        "an Excel workbook with a password, or another encrypted Office file",
        _OLD_OFFICE + rb".*?" + "EncryptedPackage".encode("utf-16-le"),
        "save it without a password",
    ),
    _known("an Excel workbook (.xls) or another old Office file", _OLD_OFFICE, _SAVE),
    _known("a PDF", rb"%PDF-\d"),
    _known("packed with LZ4", rb"\x04\x22\x4d\x18", _UNPACK),
    _known("packed with Snappy", rb"\xff\x06\0\0sNaPpY", _UNPACK),
    _known("packed with compress (.Z)", rb"\x1f\x9d" + rb"[\x80-\x9f]", _UNPACK),
    _known("a 7-Zip archive", rb"7z\xbc\xaf\x27\x1c", _UNPACK),
    _known("a RAR archive", rb"Rar!\x1a\x07", _UNPACK),
    _known("a tar archive", rb".{257}ustar[\0 ]", _UNPACK),
    _known("JSON lines", rb"\{[ \t]*\"[^\r\n]*\}[ \t]*(?:\r?\n\s*[{\[]|\s*\Z)", known="json", flags=_IS_TEXT),
    _known("JSON", rb"\{\s*[\"}]|\[\s*[{\[\"\]]|[{\[][ \t]*\r?\n", known="json", flags=_IS_TEXT),
    _known("an HTML page", rb"<!doctype html|<html[\s>]", flags=_IS_TEXT),
    _known("XML", rb"<\?xml[\s]", flags=_IS_TEXT),
)
"""Formats by the bytes at their beginning, the first that matches. Sources: the formats' own specifications, and
https://en.wikipedia.org/wiki/List_of_file_signatures"""

_ARRAYS = _known("JSON", rb"\[", known="json", flags=_IS_TEXT)
"""Arrays of values that are no objects: none loads, and none is a header without rows."""


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
        BrokenFile: it cannot be unpacked.
        MachineError: the package that unpacks it is not installed.
    """
    if packing is None:
        return Beginning(head, is_complete)
    try:
        content, is_all = unpack_head(head, packing, most_bytes, is_complete)
    except BrokenPacking as error:
        raise BrokenFile(str(error)) from error
    return Beginning(content, is_complete and is_all, packing)


def require_packing(head: bytes, compression: Compression) -> Packing | None:
    """Return how a file that begins with these bytes is packed, None where it is not: a workbook is no archive.

    Raises:
        ValueError: otherwise than the spec says.
    """
    packing = packing_of(head)
    known = _recognise(head) if packing == "zip" else None
    if known is not None:
        packing = None
    if compression in ("auto", packing or "none"):
        return packing
    found = f"packed with {packing}" if packing else "not packed"
    raise ValueError(f"the file is {found}, and source.compression is {compression}: set it to {packing or 'none'}")


def require_format(beginning: Beginning, expected: Format | None, is_written: bool) -> Format:
    """Return the format of a file; `expected` is the feed's, None where the file decides.

    `is_written` says that the spec has it.

    Raises:
        ValueError: it is of another format.
        BrokenFile: it is of a format that no spec could read, or packed once more.
    """
    if not beginning.content and expected in ("parquet", "excel"):
        raise BrokenFile("the file is empty")
    known = _recognise(beginning.content)
    if known is None and expected != "fixed" and beginning.is_all and _is_arrays(beginning.content):
        known = _ARRAYS
    packing = packing_of(beginning.content)
    if known is None and packing is not None:
        raise BrokenFile(f"the file is packed twice, inside as {packing}: pack it once")
    if known is not None and known.format is None:
        raise BrokenFile(f"the file is {known.name}, which Feedway does not read: {known.advice}")
    if known is None and expected is None and _ALMOST_JSON.match(_as_utf8(beginning.content)):
        raise ValueError(
            "the file begins as JSON does, and its keys and texts are not in double quotes: correct it, or set "
            "source.format: csv if it is CSV"
        )
    found: Format = "csv" if known is None or known.format is None else known.format
    if beginning.packing is not None and found in ("parquet", "excel"):
        assert known is not None
        raise BrokenFile(f"the file is {known.name} packed with {beginning.packing}: send it without the packing")
    # Nothing but the spec says that fields have a fixed width, and JSON may be in an encoding that hides it here.
    if expected in (None, found) or (known is None and expected in ("fixed", "json")):
        return expected or found
    name = "text such as CSV" if known is None else known.name
    where = "source.format" if is_written else "the format of its first load"
    raise ValueError(
        f"the file is {name}, and the feed reads {_NAMES[expected]} ({where}): send it so, or set "
        f"source.format: {found}"
    )


def _recognise(head: bytes) -> _Known | None:
    """Return the format of a file that begins with these bytes, None where it is a text without a form of its own.

    `head` is unpacked. A quote inside an unquoted field is no CSV, so JSON cannot be taken for it.
    """
    text = _as_utf8(head)
    return next((known for known in _KNOWN if known.pattern.match(text if known.is_text else head)), None)


def _as_utf8(head: bytes) -> bytes:
    """Return a text without its byte order mark and the blanks at its beginning."""
    # Without a mark, UTF-16 and UTF-32 have NUL bytes beside the first characters of JSON.
    encoding = json.detect_encoding(head)
    if not encoding.startswith("utf-8"):
        head = head.decode(encoding, "ignore").encode("utf-8", "ignore")
    return head.removeprefix(codecs.BOM_UTF8).lstrip()


def _is_arrays(content: bytes) -> bool:
    """Return whether a whole file is arrays of JSON, such as `[1, 2]`; `[id],[name]` is a header."""
    decoder, place = json.JSONDecoder(), 0
    try:
        text = _as_utf8(content).decode("utf-8").rstrip()
        while _ARRAY_BEGINS.match(text, place):
            _, place = decoder.raw_decode(text, text.index("[", place))
    except (ValueError, RecursionError):
        return False
    return 0 < place == len(text)
