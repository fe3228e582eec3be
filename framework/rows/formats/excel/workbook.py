"""One sheet of a workbook in a local file, read by python-calamine."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framework.errors import MachineError
from framework.model.cell_range import MOST_COLUMNS
from framework.model.words import counted, listed
from framework.rows.formats.excel.cells import (
    Box,
    ExactCells,
    check_sheet,
    place,
    read_exactly,
    require_small,
    text_lengths,
)
from framework.rows.formats.excel.container import SHARED_STRINGS, BrokenWorkbook, Container, SheetPart
from framework.rows.formats.excel.values import DIGITS, UNSAFE_INTEGER, BadCell, Cell

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

_MISSING = "an Excel workbook needs the package python-calamine: pip install 'feedway[excel]'"
_MOST_NAMES = 20
_NO_ANSWER = (time(0, 0), date(1900, 2, 28))
"""What calamine reads of a number that is no date."""
_LONG_NUMBER = f"has more than the {DIGITS} digits that a workbook keeps of a number (store it as text)"
_PANIC = "PanicException"
"""What a bug of a library in Rust raises: a BaseException without a module to import it from."""


class NoSuchSheet(ValueError):
    """A workbook without the sheet that the spec names; the message says which it has."""


class Sheet:
    """A sheet: its cells from its first row and its first used column on."""

    def __init__(self, container: Container, part: SheetPart, sheet: CalamineSheet, has_bad: bool) -> None:
        self.name = part.name
        self.unpacked_bytes = container.unpacked_bytes
        self._container = container
        self._part = part
        self._sheet = sheet
        self._bad = self._exact.bad if has_bad else {}
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
        text = self._exact.long_numbers.get(place(row, index + self.first_column))
        return value if text is None else BadCell(text, _LONG_NUMBER)

    def _is_no_day(self, row: int, index: int, value: object) -> bool:
        return _may_be_no_day(value) and self._exact.is_no_day(row, index + self.first_column)

    @cached_property
    def _exact(self) -> ExactCells:
        content = self._container.content(self._part.member)
        return read_exactly(content, array("q"), self._container.is_1904(), 0)


def _may_be_no_day(value: object) -> bool:
    return (value.date() if isinstance(value, datetime) else value) in _NO_ANSWER and not isinstance(value, timedelta)


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
    has_bad = _require_bounded(container, part, most_bytes)
    with calamine_failures():
        workbook = CalamineWorkbook.from_path(str(path))
        return Sheet(container, part, workbook.get_sheet_by_name(part.name), has_bad)


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


def _require_bounded(container: Container, part: SheetPart, most_bytes: int) -> bool:
    """Check that a sheet fits into memory as calamine holds it; return whether one of its cells may be bad."""
    cells, box, has_bad = check_sheet(container.content(part.member))
    lengths = text_lengths(container.content(SHARED_STRINGS)) if container.has(SHARED_STRINGS) else array("q")
    if box is None or cells * max(lengths, default=0) > most_bytes:
        exact = read_exactly(container.content(part.member), lengths, container.is_1904(), most_bytes)
        box = exact.box
    require_small(box or Box(), most_bytes)
    return has_bad
