"""The zip container of a workbook, checked before anything unpacks it as a whole, and the names of its sheets."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

from framework.dataclass import dataclass
from framework.rows.formats.packing import TooLarge

_PIECE_BYTES = 1024**2
_MOST_BYTES_OF_A_DIRECTORY = 16 * 1024**2
_LOCAL_HEADER_BYTES = 30
_IS_ENCRYPTED = 0x1
"""Source: APPNOTE.TXT 4.3.7 and 4.4.4, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT"""
_RAW_DEFLATE = -15
_MOST_MEMBERS = 10_000
_MEDIA = "xl/media/"
_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
SHARED_STRINGS = "xl/sharedstrings.xml"
STYLES = "xl/styles.xml"


class BrokenWorkbook(ValueError):
    """A workbook that no spec could read; the message says why."""


@dataclass(frozen=True)
class SheetPart:
    """A worksheet by its name, and the member that has its cells."""

    name: str
    member: str


class Container:
    """The members of a workbook in a local file, by their names in lower case."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        """Check that the members unpack to what the container says of them.

        The library that reads them trusts it.

        Raises:
            BrokenWorkbook: the container is damaged, or not as Excel writes it.
            TooLarge: its members unpack to more than `most_bytes`.
        """
        self._path = path
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise BrokenWorkbook(f"the workbook is damaged or cut off: {error}") from error
        self._members = {each.filename.lower(): each for each in members}
        if len(members) > _MOST_MEMBERS or len(self._members) < len(members):
            raise BrokenWorkbook("the workbook is damaged: its container has a member twice, or far too many")
        self.unpacked_bytes = sum(each.file_size for each in members)
        if self.unpacked_bytes > most_bytes:
            raise TooLarge(most_bytes)
        for name in self._members:
            for _ in self.content(name):
                pass

    def has(self, name: str) -> bool:
        """Return whether there is a member."""
        return name in self._members

    def content(self, name: str) -> Iterator[bytes]:
        """Yield the content of a member.

        Raises:
            BrokenWorkbook: it is damaged, or has another size than the container says.
        """
        member = self._members[name]
        if member.flag_bits & _IS_ENCRYPTED:
            raise BrokenWorkbook("the workbook is encrypted: save it without a password")
        size = 0
        with self._path.open("rb") as file:
            for piece in _unpacked(file, member):
                size += len(piece)
                if size > member.file_size:
                    break
                yield piece
        if size != member.file_size:
            raise BrokenWorkbook(f"the workbook is damaged: its part {member.filename} has not the size that it should")

    def with_member(self, name: str, content: bytes) -> BytesIO:
        """Return the container with another content of a member, in memory."""
        copy = BytesIO()
        with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for each, member in self._members.items():
                if each == name:
                    archive.writestr(member.filename, content)
                elif not each.startswith(_MEDIA):
                    archive.writestr(member.filename, b"".join(self.content(each)))
        copy.seek(0)
        return copy

    def sheets(self) -> Sequence[SheetPart]:
        """Return the worksheets in the order of the workbook, hidden ones among them; sheets of a chart are none."""
        if not self.has(_WORKBOOK):
            raise BrokenWorkbook("the file is no Excel workbook (.xlsx): it has no xl/workbook.xml")
        relations = {each.get("Id"): each for each in self._elements(_RELATIONS) if _local(each.tag) == "Relationship"}
        found = []
        for each in self._elements(_WORKBOOK):
            if _local(each.tag) != "sheet":
                continue
            relation = relations.get(next((value for key, value in each.items() if _local(key) == "id"), None))
            if relation is not None and relation.get("Type", "").endswith("/worksheet"):
                target = posixpath.normpath(posixpath.join("/xl", relation.get("Target", ""))).lstrip("/").lower()
                found.append(SheetPart(each.get("name", ""), target))
        if not found:
            raise BrokenWorkbook("the workbook has no worksheet")
        return found

    def is_1904(self) -> bool:
        """Return whether dates count from 1904, as on old Macs, and not from 1900."""
        found = (each.get("date1904") for each in self._elements(_WORKBOOK) if _local(each.tag) == "workbookPr")
        return next(found, None) in ("1", "true")

    def _elements(self, name: str) -> Iterator[ElementTree.Element]:
        if not self.has(name) or self._members[name].file_size > _MOST_BYTES_OF_A_DIRECTORY:
            raise BrokenWorkbook(f"the workbook is damaged: it has no {name}, or one that is far too large")
        try:
            return ElementTree.fromstring(b"".join(self.content(name))).iter()
        except ElementTree.ParseError as error:
            raise BrokenWorkbook(f"the workbook is damaged: {name}: {error}") from error


def _unpacked(file: BinaryIO, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a member unpacks to, whatever its size should be, in pieces."""
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER_BYTES)
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    rest = member.compress_size
    if member.compress_type == zipfile.ZIP_STORED:
        while rest > 0 and (piece := file.read(min(rest, _PIECE_BYTES))):
            rest -= len(piece)
            yield piece
        return
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise BrokenWorkbook(f"the workbook is packed in a way that Excel does not use: {member.filename}")
    unpacker = zlib.decompressobj(_RAW_DEFLATE)
    while not unpacker.eof:
        packed = unpacker.unconsumed_tail or file.read(min(rest, _PIECE_BYTES))
        rest -= 0 if unpacker.unconsumed_tail else len(packed)
        if not packed:
            return
        try:
            piece = unpacker.decompress(packed, _PIECE_BYTES)
        except zlib.error as error:
            raise BrokenWorkbook(f"the workbook is damaged: {member.filename}: {error}") from error
        if piece:
            yield piece


def _local(name: str) -> str:
    """Return the name of an element or attribute without its namespace."""
    return name.rpartition("}")[2]
