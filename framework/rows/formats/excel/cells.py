"""The cells of a sheet as its XML has them: what the library that reads workbooks leaves out or would not survive.

It reads an error of a formula as an empty cell, a formula without a value too, and an impossible date as another one.
It refuses a whole workbook for one damaged value, or makes another value of it. It takes any reference of a cell for
its place, however far away, holds a sheet as a full rectangle, and each text as often as the sheet repeats it. All of
that is found here before it reads a sheet.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from datetime import datetime, time
from decimal import Decimal
from math import isfinite
from xml.parsers import expat

from framework.dataclass import dataclass
from framework.model.cell_range import MOST_COLUMNS, MOST_ROWS, cell_name, column_place
from framework.rows.formats.excel.container import BrokenWorkbook
from framework.rows.formats.excel.values import DIGITS, UNSAFE_INTEGER, BadCell
from framework.rows.formats.packing import TooLarge

CELL_BYTES = 32
"""What one cell of the rectangle takes. Source: calamine, enum Data"""
NO_VALUE = BadCell("", "has a formula without a stored value: open the workbook in Excel and save it")
_PREFIX = rb"<(?:[^\s<>/:!?]+:)?"
_CELL = re.compile(_PREFIX + rb"c[\s/>]")
_PLACE = re.compile(_PREFIX + rb"c\s(?:[^>]*?\s)?r=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_FORMULA = rb"(?:<f[^<>]*>(?:[^<]*</f>)?)?"
_SOUND = re.compile(
    rb'<c r="([A-Z]{1,3})([0-9]{1,7})"(?: s="([0-9]{1,6})")?'
    rb'(?: ?/>|></c>| t="s"><v>([0-9]{1,9})</v></c>'
    rb'|(?: t="n")?>' + _FORMULA + rb"<v>-?[0-9]{1,100}(?:\.[0-9]{1,100})?(?:[eE][-+]?[0-9]{1,2})?</v></c>"
    rb'| t="b">' + _FORMULA + rb'<v>[01]</v></c>| t="str">' + _FORMULA + rb"<v>[^<]*</v></c>"
    rb'| t="inlineStr"><is><t[^<>]*>[^<]*</t></is></c>)'
)
"""A cell as Excel and the usual libraries write it, with its column, row, format and shared text. All others are read
by a parser of XML."""
_HELD_BYTES = 64 * 1024
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d.*)|(T?\d\d:\d\d.*)|P[0-9.YMWDTHS]+")
_SHARED_TEXT = re.compile(r"[0-9]{1,9}")
_BOOLEANS = ("0", "1", "true", "false")
_ALMOST_A_DAY = 1 - 0.5 / 86_400_000
"""From here on a time of day rounds to midnight, which is no time of that day."""
_ITEM_END = re.compile(_PREFIX.replace(b"<", b"</", 1) + rb"si\s*>|" + _PREFIX + rb"si\s*/>")
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_ROW = re.compile(r"[0-9]{1,7}")
_LONGEST_NAME = 20
_OUTSIDE = f"lies outside of a sheet, whose last cell is {cell_name(MOST_ROWS - 1, MOST_COLUMNS - 1)}"
_REPLACEMENT = "\ufffd".encode()
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


@dataclass(frozen=True)
class Span:
    """Where a cell stands in the XML of a sheet, and its name."""

    start: int
    end: int
    name: str


@dataclass
class ExactCells:
    """What the XML of a sheet says of its cells.

    `bad` has what is no value, such as an error, by row and column, and `spans` where these cells stand. `no_days` has
    the numbers that are no date where a date is what the cell's format shows. `long_numbers` has the texts of those
    that a float may not hold exactly. Both are by `place`.
    """

    box: Box = field(default_factory=Box)
    bad: dict[int, dict[int, BadCell]] = field(default_factory=dict)
    no_days: array[int] = field(default_factory=lambda: array("q"))
    long_numbers: dict[int, str] = field(default_factory=dict)
    text_bytes: int = 0
    spans: list[Span] = field(default_factory=list)

    def is_no_day(self, row: int, column: int) -> bool:
        """Return whether the number of a cell is no date or time.

        It is negative, the 29 February 1900 that Excel has and no calendar, or a time that is midnight when rounded.
        """
        at = bisect_left(self.no_days, place(row, column))
        return at < len(self.no_days) and self.no_days[at] == place(row, column)


def place(row: int, column: int) -> int:
    """Return one number for a cell."""
    return row * MOST_COLUMNS + column


def check_sheet(sheet: Iterable[bytes], texts: int, formats: int) -> tuple[int, Box | None, bool]:
    """Return how many cells a sheet has, the rectangle around them, and whether each is certainly sound.

    `texts` and `formats` are the numbers of shared ones that a cell may have. The rectangle is None where a cell does
    not name a place within a sheet.

    Raises:
        BrokenWorkbook: the sheet is no XML in UTF-8.
    """
    box, cells, places, is_sound = Box(), 0, 0, True
    for text in _whole_tags(sheet, b"<c "):
        usual = _SOUND.findall(text)
        found: list[tuple[bytes, ...]] = usual
        tags = text.count(b"<c")
        if len(usual) != tags or b":c" in text:
            # Tags of another name, with a prefix, or cells that may be anything.
            found = _PLACE.findall(text)
            tags = sum(1 for _ in _CELL.finditer(text))
            is_sound = is_sound and len(usual) == tags
        cells += tags
        places += len(found)
        if found:
            rows = [int(row) - 1 for row in {each[1] for each in found}]
            columns = [column_place(letters.decode("ascii")) for letters in {each[0] for each in found}]
            box.add(min(rows), min(columns))
            box.add(max(rows), max(columns))
        is_sound = is_sound and _largest(usual, 2) < max(formats, 1) and _largest(usual, 3) < texts
    is_within = not cells or (box.top >= 0 and box.bottom < MOST_ROWS and box.right < MOST_COLUMNS)
    return cells, box if places == cells and is_within else None, is_sound


def _largest(cells: Sequence[tuple[bytes, ...]], group: int) -> int:
    """Return the largest number of those that cells have in a group, -1 where they have none."""
    return max((int(number) for number in {cell[group] for cell in cells} if number), default=-1)


def require_small(box: Box, most_bytes: int) -> None:
    """Check that the rectangle around the cells of a sheet fits into memory.

    Raises:
        BrokenWorkbook: it does not.
    """
    if box.cells * CELL_BYTES > most_bytes:
        raise BrokenWorkbook(
            f"the sheet's cells lie far apart, within {box}, which is too much to read: delete those outside of the "
            "table, or raise source.max_unpacked"
        )


def count_formats(styles: Iterable[bytes]) -> int:
    """Return how many formats of cells the XML of the styles has.

    Raises:
        BrokenWorkbook: it is no XML.
    """
    path: list[str] = []
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        path.append(_local(name))
        count += path[-2:] == ["cellXfs", "xf"]

    _parse(styles, "styles", start, lambda name: path.pop())
    return count


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


def read_exactly(
    sheet: Iterable[bytes], lengths: Sequence[int], formats: int, is_1904: bool, most_bytes: int
) -> ExactCells:
    """Return what the XML of a sheet says of its cells; `lengths` are those of the shared texts.

    Raises:
        BrokenWorkbook: it is no XML, or a cell or row has a place that no sheet has.
        TooLarge: the texts of its cells have more bytes than `most_bytes`.
    """
    handler = _Handler(lengths, formats, is_1904, most_bytes)
    _parse(sheet, "sheet", handler.start, handler.end, handler)
    handler.found.no_days = array("q", sorted(handler.found.no_days))
    return handler.found


def without_bad_cells(sheet: Iterable[bytes], spans: Sequence[Span]) -> Iterator[bytes]:
    """Yield the XML of a sheet in which bad cells are empty."""
    content, at = b"".join(sheet), 0
    for span in spans:
        yield content[at : span.start]
        yield f'<c r="{span.name}"/>'.encode("ascii")
        # The end is where the tag that ends the cell begins.
        at = content.index(b">", span.end) + 1
    yield content[at:]


def _parse(
    content: Iterable[bytes],
    part: str,
    start: Callable[[str, dict[str, str]], object],
    end: Callable[[str], object],
    handler: _Handler | None = None,
) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    if handler is not None:
        parser.buffer_text = True
        parser.CharacterDataHandler = handler.text
        handler.parser = parser
    try:
        for piece in _without_noncharacters(content):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError) as error:
        raise BrokenWorkbook(f"the {part} of the workbook is damaged: {error}") from error


def _without_noncharacters(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a text of the same length without U+FFFE and U+FFFF, which libraries write and no XML may hold."""
    rest = b""
    for piece in pieces:
        rest = (rest + piece).replace(b"\xef\xbf\xbe", _REPLACEMENT).replace(b"\xef\xbf\xbf", _REPLACEMENT)
        yield rest[:-2]
        rest = rest[-2:]
    yield rest


class _Handler:
    """Takes the elements of a sheet."""

    parser: expat.XMLParserType

    def __init__(self, lengths: Sequence[int], formats: int, is_1904: bool, most_bytes: int) -> None:
        self.found = ExactCells()
        self._lengths = lengths
        self._formats = formats
        self._is_1904 = is_1904
        self._most_bytes = most_bytes
        self._row = self._column = -1
        self._start = 0
        self._type = self._format = ""
        self._value: list[str] = []
        self._is_value = self._has_formula = self._has_value = self._has_text = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match _local(name):
            case "row":
                self._row = _row_place(attributes["r"]) if "r" in attributes else self._row + 1
                self._column = -1
            case "c":
                self._column += 1
                if "r" in attributes:
                    self._row, self._column = _cell_place(attributes["r"])
                if not (0 <= self._row < MOST_ROWS and 0 <= self._column < MOST_COLUMNS):
                    name = attributes.get("r") or cell_name(self._row, self._column)
                    raise ValueError(f"its cell {name[:_LONGEST_NAME]!r} {_OUTSIDE}")
                self.found.box.add(self._row, self._column)
                self._start = self.parser.CurrentByteIndex
                self._type, self._format = attributes.get("t", "n"), attributes.get("s", "0")
                self._value = []
                self._has_formula = self._has_value = self._has_text = False
            case "f":
                self._has_formula = True
            case "is":
                self._has_text = True
            case "v":
                self._value = []
                self._is_value = self._has_value = True

    def text(self, text: str) -> None:
        if self._is_value:
            self._value.append(text)

    def end(self, name: str) -> None:
        match _local(name):
            case "v":
                self._is_value = False
            case "c":
                self._take_cell("".join(self._value))

    def _take_cell(self, text: str) -> None:
        """Note what is special about a cell."""
        has_value = self._has_text or text.strip() or (self._has_value and self._type in ("str", "e"))
        if self._has_formula and not has_value:
            self._take_bad(NO_VALUE)
        elif not has_value and not text:
            return
        elif reason := self._fault(text):
            self._take_bad(BadCell(text.strip(), reason))
        elif self._type == "s":
            self.found.text_bytes += self._lengths[int(text)]
            if self.found.text_bytes > self._most_bytes:
                raise TooLarge(self._most_bytes)
        elif self._type == "n" and text:
            self._take_number(text)

    def _fault(self, text: str) -> str:
        """Return why a cell is no value, empty where it is one."""
        is_format = self._format.isdecimal() and int(self._format) < max(self._formats, 1)
        match self._type:
            case "e":
                return "is an error"
            case _ if not is_format:
                return "has a format that the workbook does not have"
            case "n" if text and not (_NUMBER.fullmatch(text) and isfinite(float(text))):
                return "is no number"
            case "s" if not _SHARED_TEXT.fullmatch(text) or int(text) >= len(self._lengths):
                return "has a shared text that the workbook does not have"
            case "b" if text not in _BOOLEANS:
                return "is no boolean"
            case "d" if not _is_moment(text):
                return "is no date or time"
            case "inlineStr" if text and not self._has_text:
                return "has no text where it should be"
            case "n" | "s" | "b" | "d" | "inlineStr" | "str":
                return ""
            case _:
                return f"has the unknown type {self._type[:_LONGEST_NAME]!r}"

    def _take_number(self, text: str) -> None:
        at, number = place(self._row, self._column), float(text)
        is_leap_day = not self._is_1904 and 60 <= number < 61
        if number < 0 or is_leap_day or _ALMOST_A_DAY <= number < 1:
            self.found.no_days.append(at)
        if len(text) > DIGITS and _is_long(text):
            self.found.long_numbers[at] = text

    def _take_bad(self, cell: BadCell) -> None:
        self.found.bad.setdefault(self._row, {})[self._column] = cell
        name = cell_name(self._row, self._column)
        self.found.spans.append(Span(self._start, self.parser.CurrentByteIndex, name))


def _row_place(text: str) -> int:
    if not _ROW.fullmatch(text) or not 0 < int(text) <= MOST_ROWS:
        raise ValueError(f"its row {text[:_LONGEST_NAME]!r} {_OUTSIDE}")
    return int(text) - 1


def _cell_place(text: str) -> tuple[int, int]:
    reference = _REFERENCE.fullmatch(text)
    if reference is None:
        raise ValueError(f"its cell {text[:_LONGEST_NAME]!r} {_OUTSIDE}")
    return int(reference[2]) - 1, column_place(reference[1].upper())


def _local(name: str) -> str:
    """Return the name of an element without its prefix."""
    return name.rpartition(":")[2]


def _is_moment(text: str) -> bool:
    """Return whether a text is a date, a time, both, or a duration, by ISO 8601."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return False
    try:
        if found[1]:
            datetime.fromisoformat(text)
        elif found[2]:
            time.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_long(text: str) -> bool:
    """Return whether a number is beyond what a float holds exactly, and has more digits than a workbook keeps."""
    number = Decimal(text)
    if number.copy_abs() < UNSAFE_INTEGER:
        return False
    return len("".join(map(str, number.as_tuple().digits)).rstrip("0")) > DIGITS


def _whole_tags(pieces: Iterable[bytes], mark: bytes = b"<") -> Iterator[bytes]:
    """Yield a text of XML cut where a tag begins; if it can be, one that begins with a mark."""
    rest = b""
    is_first = True
    for piece in pieces:
        if is_first and b"\0" in piece[:4]:
            raise BrokenWorkbook("the sheet of the workbook is not in UTF-8")
        is_first = False
        rest += piece
        border = rest.rfind(mark)
        if border <= 0 and len(rest) > _HELD_BYTES:
            border = rest.rfind(b"<")
        if border > 0:
            yield rest[:border]
            rest = rest[border:]
        if len(rest) > _LONGEST_TAG_BYTES:
            raise BrokenWorkbook("the sheet of the workbook is damaged: a tag is far too long")
    yield rest
