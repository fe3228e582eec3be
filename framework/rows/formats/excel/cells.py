"""The cells of a sheet as its XML has them: what the library that reads workbooks leaves out or would not survive.

It reads an error of a formula as an empty cell, a formula without a value too, and an impossible date as another one.
It holds a sheet as a full rectangle, and each text as often as the sheet repeats it: both are computed here before it
reads a sheet.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from xml.parsers import expat

from framework.model.cell_range import MOST_COLUMNS, MOST_ROWS, cell_name, column_place
from framework.rows.formats.excel.container import BrokenWorkbook
from framework.rows.formats.excel.values import DIGITS, UNSAFE_INTEGER, BadCell
from framework.rows.formats.packing import TooLarge

CELL_BYTES = 32
"""What one cell of the rectangle takes. Source: calamine, enum Data"""
NO_VALUE = BadCell("", "has a formula without a stored value: open the workbook in Excel and save it")
_PREFIX = rb"<(?:[A-Za-z_][\w.-]*:)?"
_CELL = re.compile(_PREFIX + rb"c[\s/>]")
_PLACE = re.compile(_PREFIX + rb"c\s(?:[^>]*?\s)?r=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_USUAL_PLACE = re.compile(rb"<c r=\"([A-Z]{1,3})([0-9]{1,7})\"")
_ERROR = re.compile(rb"\st\s*=\s*[\"']e[\"']")
_NO_VALUE = re.compile(
    rb"(?:</(?:[\w.-]+:)?f\s*>|<(?:[\w.-]+:)?f(?:\s[^<>]*)?/>)\s*"
    rb"(?:<(?:[\w.-]+:)?v(?:\s[^<>]*)?(?:/>|>\s*</)|</(?:[\w.-]+:)?c\s*>)"
)
_LONGEST_NO_VALUE_BYTES = 1024
"""A formula's own text is not in it."""
_ITEM_END = re.compile(_PREFIX.replace(b"<", b"</") + rb"si\s*>")
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_LONGEST_TAG_BYTES = 16 * 1024**2


@dataclass
class Box:
    """The rectangle around cells; rows and columns count from 0."""

    top: int = MOST_ROWS
    left: int = MOST_COLUMNS
    bottom: int = -1
    right: int = -1

    @property
    def cells(self) -> int:
        """How many cells it has."""
        return max(0, self.bottom - self.top + 1) * max(0, self.right - self.left + 1)

    def add(self, row: int, column: int) -> None:
        """Widen it to a cell."""
        self.top, self.bottom = min(self.top, row), max(self.bottom, row)
        self.left, self.right = min(self.left, column), max(self.right, column)

    def __str__(self) -> str:
        return f"{cell_name(self.top, self.left)}:{cell_name(self.bottom, self.right)}"


@dataclass
class ExactCells:
    """What the XML of a sheet says of its cells.

    `bad` has errors and formulas without a value, by row and column. `no_days` has the numbers that are no date where a
    date is what the cell's format shows. `long_numbers` has the texts of those that a float may not hold exactly. Both
    are by `place`.
    """

    box: Box = field(default_factory=Box)
    bad: dict[int, dict[int, BadCell]] = field(default_factory=dict)
    no_days: array[int] = field(default_factory=lambda: array("q"))
    long_numbers: dict[int, str] = field(default_factory=dict)
    text_bytes: int = 0

    def is_no_day(self, row: int, column: int) -> bool:
        """Return whether the number of a cell is negative, or the 29 February 1900 that Excel has and no calendar."""
        at = bisect_left(self.no_days, place(row, column))
        return at < len(self.no_days) and self.no_days[at] == place(row, column)


def place(row: int, column: int) -> int:
    """Return one number for a cell."""
    return row * MOST_COLUMNS + column


def check_sheet(sheet: Iterable[bytes]) -> tuple[int, Box | None, bool]:
    """Return how many cells a sheet has, the rectangle around them, and whether one may be bad.

    Bad are an error, and a formula without a stored value. The rectangle is None where a cell does not name its place.

    Raises:
        BrokenWorkbook: the sheet is no XML in UTF-8.
    """
    box, cells, places, has_bad, before = Box(), 0, 0, False, b""
    for text in _whole_tags(sheet):
        found = _USUAL_PLACE.findall(text)
        tags = text.count(b"<c")
        if not len(found) == text.count(b"<c ") == tags or b":c" in text:
            # Tags of another name, with a prefix, or whose first attribute is another one.
            found = _PLACE.findall(text)
            tags = sum(1 for _ in _CELL.finditer(text))
        cells += tags
        places += len(found)
        if not has_bad:
            may_have_error = b'"e"' in text or b"'e'" in text
            before += text
            has_bad = (may_have_error and _ERROR.search(text) is not None) or _NO_VALUE.search(before) is not None
            before = before[-_LONGEST_NO_VALUE_BYTES:]
        if found:
            rows = [int(row) - 1 for row in {row for _, row in found}]
            columns = [column_place(letters.decode("ascii")) for letters in {letters for letters, _ in found}]
            box.add(min(rows), min(columns))
            box.add(max(rows), max(columns))
    return cells, box if places == cells else None, has_bad


def require_small(box: Box, most_bytes: int) -> None:
    """Check that the rectangle around the cells of a sheet fits into memory.

    Raises:
        BrokenWorkbook: it does not.
    """
    if box.cells * CELL_BYTES > most_bytes or box.bottom >= MOST_ROWS or box.right >= MOST_COLUMNS:
        raise BrokenWorkbook(
            f"the sheet's cells lie far apart, within {box}, which is too much to read: delete those outside of the "
            "table, or raise source.max_unpacked"
        )


def text_lengths(shared_strings: Iterable[bytes]) -> array[int]:
    """Return how many bytes each shared text takes, or more."""
    lengths, before = array("q"), 0
    for text in _whole_tags(shared_strings):
        start = 0
        for found in _ITEM_END.finditer(text):
            lengths.append(before + found.start() - start)
            start, before = found.end(), 0
        before += len(text) - start
    return lengths


def read_exactly(sheet: Iterable[bytes], lengths: Sequence[int], is_1904: bool, most_bytes: int) -> ExactCells:
    """Return what the XML of a sheet says of its cells; `lengths` are those of the shared texts.

    Raises:
        BrokenWorkbook: it is no XML.
        TooLarge: the texts of its cells have more bytes than `most_bytes`.
    """
    handler = _Handler(lengths, is_1904, most_bytes)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = handler.start, handler.end
    parser.CharacterDataHandler = handler.text
    try:
        for piece in sheet:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError) as error:
        raise BrokenWorkbook(f"the sheet of the workbook is damaged: {error}") from error
    handler.found.no_days = array("q", sorted(handler.found.no_days))
    return handler.found


class _Handler:
    """Takes the elements of a sheet."""

    def __init__(self, lengths: Sequence[int], is_1904: bool, most_bytes: int) -> None:
        self.found = ExactCells()
        self._lengths = lengths
        self._is_1904 = is_1904
        self._most_bytes = most_bytes
        self._row = self._column = -1
        self._type: str | None = None
        self._value: list[str] | None = None
        self._has_formula = self._has_value = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
                self._column = -1
            case "c":
                reference = _REFERENCE.fullmatch(attributes.get("r", "").upper())
                self._column += 1
                if reference is not None:
                    self._row, self._column = int(reference[2]) - 1, column_place(reference[1])
                self._type = attributes.get("t")
                self._has_formula = self._has_value = False
                self.found.box.add(self._row, self._column)
            case "f":
                self._has_formula = True
            case "is":
                self._has_value = True
            case "v":
                self._value = []

    def text(self, text: str) -> None:
        if self._value is not None:
            self._value.append(text)

    def end(self, name: str) -> None:
        match name.rpartition(":")[2]:
            case "c" if self._has_formula and not self._has_value:
                self._take_bad(NO_VALUE)
            case "v" if self._value is not None:
                self._take_value(self._value)

    def _take_value(self, value: list[str]) -> None:
        text, self._value = "".join(value).strip(), None
        self._has_value = bool(text) or self._type == "str"
        if self._type == "e":
            self._take_bad(BadCell(text, "is an error"))
        elif self._type == "s":
            index = int(text)
            self.found.text_bytes += self._lengths[index] if 0 <= index < len(self._lengths) else 0
            if self.found.text_bytes > self._most_bytes:
                raise TooLarge(self._most_bytes)
        elif self._type in (None, "n"):
            self._take_number(text)

    def _take_number(self, text: str) -> None:
        at = place(self._row, self._column)
        if text.startswith("-") or (text.startswith("60") and not self._is_1904 and 60 <= _number(text) < 61):
            self.found.no_days.append(at)
        if len(text) > DIGITS and _is_long(text):
            self.found.long_numbers[at] = text

    def _take_bad(self, cell: BadCell) -> None:
        self.found.bad.setdefault(self._row, {})[self._column] = cell


def _is_long(text: str) -> bool:
    """Return whether a number is beyond what a float holds exactly, and has more digits than a workbook keeps."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    if not number.is_finite() or number.copy_abs() < UNSAFE_INTEGER:
        return False
    return len("".join(map(str, number.as_tuple().digits)).rstrip("0")) > DIGITS


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _whole_tags(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a text of XML cut where a tag begins."""
    rest = b""
    is_first = True
    for piece in pieces:
        if is_first and b"\0" in piece[:4]:
            raise BrokenWorkbook("the sheet of the workbook is not in UTF-8")
        is_first = False
        text = rest + piece
        border = max(text.rfind(b"<"), 0)
        yield text[:border]
        rest = text[border:]
        if len(rest) > _LONGEST_TAG_BYTES:
            raise BrokenWorkbook("the sheet of the workbook is damaged: a tag is far too long")
    yield rest
