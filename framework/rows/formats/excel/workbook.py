"""One sheet of a workbook in a local file, read by python-calamine."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framework.errors import MachineError
from framework.model.cell_range import MOST_COLUMNS
from framework.model.words import counted, listed
from framework.rows.formats.excel.cells import (
    ExactCells,
    check_sheet,
    count_formats,
    place,
    read_exactly,
    require_small,
    text_lengths,
    without_bad_cells,
)
from framework.rows.formats.excel.container import SHARED_STRINGS, STYLES, BrokenWorkbook, Container, SheetPart
from framework.rows.formats.excel.values import DIGITS, UNSAFE_INTEGER, BadCell, Cell

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

_MISSING = "an Excel workbook needs the package python-calamine: pip install 'feedway[excel]'"
_MOST_NAMES = 20
_FIRST_DAY_OF_1904 = date(1904, 1, 1)
_LONG_NUMBER = f"has more than the {DIGITS} digits that a workbook keeps of a number (store it as text)"
_PANIC = "PanicException"
"""What a bug of a library in Rust raises: a BaseException without a module to import it from."""


class NoSuchSheet(ValueError):
    """A workbook without the sheet that the spec names; the message says which it has."""


class SheetXml:
    """What the XML of a sheet says beside what calamine reads of it."""

    def __init__(self, container: Container, part: SheetPart, most_bytes: int) -> None:
        """Check that the sheet fits into memory as calamine holds it.

        Raises:
            BrokenWorkbook: it does not, or is damaged.
            TooLarge: the texts of its cells have more bytes than `most_bytes`.
        """
        self._container = container
        self._member = part.member
        self._most_bytes = most_bytes
        self._lengths = text_lengths(container.content(SHARED_STRINGS)) if container.has(SHARED_STRINGS) else array("q")
        self._formats = count_formats(container.content(STYLES)) if container.has(STYLES) else 0
        cells, box, is_sound = check_sheet(container.content(part.member), len(self._lengths), self._formats)
        is_small = cells * max(self._lengths, default=0) <= most_bytes
        require_small(box if box is not None and is_small else self.exact.box, most_bytes)
        self.bad = {} if is_sound else self.exact.bad

    def without_bad_cells(self) -> bytes:
        """Return the XML in which bad cells are empty: calamine refuses some of them, and with them the workbook."""
        return b"".join(without_bad_cells(self._container.content(self._member), self.exact.spans))

    @cached_property
    def exact(self) -> ExactCells:
        """What the XML says of each cell."""
        content, is_1904 = self._container.content(self._member), self._container.is_1904()
        return read_exactly(content, self._lengths, self._formats, is_1904, self._most_bytes)


class Sheet:
    """A sheet: its cells from its first row and its first used column on."""

    def __init__(self, name: str, unpacked_bytes: int, xml: SheetXml, sheet: CalamineSheet) -> None:
        self.name = name
        self.unpacked_bytes = unpacked_bytes
        self._xml = xml
        self._sheet = sheet
        self._bad = xml.bad
        first_bad = min((min(cells) for cells in self._bad.values()), default=MOST_COLUMNS)
        first = first_bad % MOST_COLUMNS if sheet.start is None else sheet.start[1]
        self.first_column = min(first, first_bad)
        self._empty: list[Any] = [""] * (first - self.first_column)

    def rows(self) -> Iterator[list[Cell]]:
        """Yield the cells of each row, from the sheet's first on; an empty one is an empty text.

        Raises:
            BrokenWorkbook: a cell cannot be read.
        """
        row = -1
        with calamine_failures():
            for row, cells in enumerate(self._sheet.iter_rows()):
                yield self._corrected(row, self._empty + cells if self._empty else cells)
        # To calamine, a sheet ends with its last value.
        for below in range(row + 1, max(self._bad, default=-1) + 1):
            yield self._corrected(below, [])

    def _corrected(self, row: int, cells: list[Any]) -> list[Cell]:
        for column, bad in self._bad.get(row, {}).items():
            at = column - self.first_column
            cells += [""] * (at + 1 - len(cells))
            cells[at] = bad
        for index, value in enumerate(cells):
            kind = type(value)
            if kind is float:
                if not -UNSAFE_INTEGER < value < UNSAFE_INTEGER:
                    cells[index] = self._safe(row, index, value)
            elif kind is not str and kind is not bool and self._is_no_day(row, index, value):
                cells[index] = BadCell("", "is formatted as a date or time, and its number is none")
        return cells

    def _safe(self, row: int, index: int, value: float) -> Cell:
        text = self._xml.exact.long_numbers.get(place(row, index + self.first_column))
        return value if text is None else BadCell(text, _LONG_NUMBER)

    def _is_no_day(self, row: int, index: int, value: object) -> bool:
        return _may_be_no_day(value) and self._xml.exact.is_no_day(row, index + self.first_column)


def _may_be_no_day(value: object) -> bool:
    """Return whether a value is what calamine reads of a number that is no date, among others."""
    if isinstance(value, timedelta):
        return False
    day = value.date() if isinstance(value, datetime) else value
    return not isinstance(day, date) or day < _FIRST_DAY_OF_1904


@contextmanager
def calamine_failures() -> Iterator[None]:
    """Turn what calamine cannot read into a fault of the file.

    Raises:
        BrokenWorkbook: the message is calamine's.
    """
    from python_calamine import CalamineError

    try:
        yield
    except (CalamineError, OverflowError, OSError) as error:
        raise BrokenWorkbook(f"the workbook cannot be read: {error}") from error
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise BrokenWorkbook(f"the workbook is damaged: {error}") from error


def open_sheet(path: Path, sheet: int | str, most_bytes: int) -> Sheet:
    """Return a sheet of a workbook by its name, or its place from 1.

    Raises:
        BrokenWorkbook: the workbook cannot be read.
        TooLarge: it unpacks to more than `most_bytes`.
        NoSuchSheet: there is none.
        MachineError: the package that reads workbooks is not installed.
    """
    try:
        from python_calamine import CalamineWorkbook
    except ImportError as error:
        raise MachineError(_MISSING) from error
    container = Container(path, most_bytes)
    part = _part(container.sheets(), sheet)
    if not container.has(part.member):
        raise BrokenWorkbook(f"the workbook is damaged: the cells of its sheet {part.name!r} are not in it")
    xml = SheetXml(container, part, most_bytes)
    with calamine_failures():
        if xml.bad:
            workbook = CalamineWorkbook.from_filelike(container.with_member(part.member, xml.without_bad_cells()))
        else:
            workbook = CalamineWorkbook.from_path(str(path))
        return Sheet(part.name, container.unpacked_bytes, xml, workbook.get_sheet_by_name(part.name))


def _part(parts: Sequence[SheetPart], wanted: int | str) -> SheetPart:
    if isinstance(wanted, int):
        if wanted <= len(parts):
            return parts[wanted - 1]
        missing = f"sheet {wanted}"
    else:
        # Excel itself does not distinguish case in the names of sheets.
        same = [part for part in parts if part.name.casefold() == wanted.casefold()]
        if same:
            return same[0]
        missing = f"sheet {wanted!r}"
    names = listed([repr(part.name) for part in parts[:_MOST_NAMES]])
    more = f", the first {_MOST_NAMES} of them" if len(parts) > _MOST_NAMES else ""
    raise NoSuchSheet(
        f"the workbook has no {missing}, but {counted(len(parts), 'sheet')}{more}: {names}. Send it with the sheet, or "
        "set source.options.sheet"
    )
