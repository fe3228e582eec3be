"""The table in a sheet: its lines, its header, and where its rows begin and end."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import translate
from itertools import islice

from framework.dataclass import dataclass
from framework.model.cell_range import cell_name, parse_range
from framework.model.file_options import ExcelOptions
from framework.model.words import counted
from framework.rows.formats.excel.container import BrokenWorkbook
from framework.rows.formats.excel.values import BadCell, Cell, cell_text
from framework.rows.formats.excel.workbook import Sheet
from framework.rows.formats.text.lines import MOST_SKIPPED_LINES, none_begins_with

MOST_FOOTER_LINES = 100
_FIRST_LINES = 150
"""Enough to judge a header by."""
_LINE_END = re.compile(r"[\r\n]+")


@dataclass(frozen=True)
class Line:
    """A row of a sheet within the range of the options: its number from 1, and its cells from `first_column` on."""

    number: int
    first_column: int
    cells: Sequence[Cell]

    @property
    def is_blank(self) -> bool:
        """Whether all of its cells are empty."""
        return not any(cell != "" for cell in self.cells)

    @property
    def first_text(self) -> str:
        """The text of its first cell that is not empty."""
        return next((cell_text(cell) for cell in self.cells if cell != ""), "")


@dataclass(frozen=True)
class TablePlace:
    """Where a table is: its header, the number of its first row's line, and the places of its columns in a line."""

    header: tuple[str, ...]
    first_line: int
    first: int
    end: int


class BrokenTable(ValueError):
    """A sheet that is not what its options say; the message says why."""


def lines_of(sheet: Sheet, options: ExcelOptions) -> Iterator[Line]:
    """Yield the lines of a sheet within the range of its options; skipped ones among them."""
    if not options.range:
        for row, cells in enumerate(sheet.rows()):
            yield Line(row + 1, sheet.first_column, cells)
        return
    within = parse_range(options.range)
    first, end = within.first_column - sheet.first_column, within.last_column + 1 - sheet.first_column
    last_row = None if within.last_row is None else within.last_row + 1
    for row, cells in islice(enumerate(sheet.rows()), within.first_row, last_row):
        empty: list[Cell] = [""] * min(-first, end - first) if first < 0 else []
        yield Line(row + 1, within.first_column, [*empty, *cells[max(first, 0) : max(end, 0)]])


def resolve(sheet: Sheet, options: ExcelOptions) -> ExcelOptions:
    """Return the options that hold for one file.

    Raises:
        BrokenTable: no line is the one that they ask for.
    """
    if not options.skip_until:
        return options
    for number, line in enumerate(islice(lines_of(sheet, options), MOST_SKIPPED_LINES)):
        if line.first_text.startswith(options.skip_until):
            return replace(options, skip_lines=number, skip_until="")
    raise BrokenTable(none_begins_with(options.skip_until))


def find_table(sheet: Sheet, options: ExcelOptions) -> TablePlace:
    """Return where the table of a sheet is; the options are resolved.

    Raises:
        BrokenWorkbook: there is none.
        BrokenTable: it is not as the options say.
    """
    lines = list(_table_lines(sheet, options, most=1))
    if not lines:
        if options.skip_lines or options.range:
            raise BrokenTable(f"the sheet {sheet.name!r} has no cells where source.options has the table")
        if options.header is False:
            return TablePlace(options.names, 1, 0, len(options.names))
        raise BrokenWorkbook(f"the sheet {sheet.name!r} is empty: not even a header")
    first = _first_column(sheet, options)
    if options.header is False:
        return TablePlace(options.names, lines[0].number, first, first + len(options.names))
    header = lines[0]
    end = max((place + 1 for place, cell in enumerate(header.cells) if cell != ""), default=0)
    for place, cell in enumerate(header.cells[:end]):
        if isinstance(cell, BadCell):
            name = cell_name(header.number - 1, header.first_column + place)
            raise BrokenWorkbook(f"the header's cell {name} {cell.reason}")
    names = tuple(cell_text(cell) for cell in header.cells[first:end])
    if any("\0" in name for name in names):
        raise BrokenWorkbook("the header holds a NUL character")
    if options.names and len(options.names) != len(names):
        found = counted(len(names), "column")
        raise BrokenTable(f"the header has {found}, and source.options.names has {len(options.names)}")
    return TablePlace(options.names or names, header.number + 1, first, end)


def first_text(sheet: Sheet, options: ExcelOptions) -> tuple[str, bool]:
    """Return the first lines behind skipped ones as CSV, and whether they are all.

    A line end within a cell is a blank. A line of one cell at its start has one field, such as a title.
    """
    lines = list(islice(lines_of(sheet, options), options.skip_lines, options.skip_lines + _FIRST_LINES + 1))
    is_all = len(lines) <= _FIRST_LINES
    rows = [[_LINE_END.sub(" ", cell_text(cell)) for cell in line.cells] for line in lines[:_FIRST_LINES]]
    used = [place for row in rows for place, text in enumerate(row) if text]
    first, end = min(used, default=0), max(used, default=-1) + 1
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        fields = row[first:end]
        is_title = any(fields[:1]) and not any(fields[1:])
        writer.writerow(fields[:1] if is_title else fields if any(fields) else [])
    return text.getvalue(), is_all


def rows_of(sheet: Sheet, options: ExcelOptions, place: TablePlace) -> RowLines:
    """Return the lines of the rows of a table."""
    lines = (line for line in lines_of(sheet, options) if line.number >= place.first_line)
    last = max((line.number for line in lines if not line.is_blank), default=place.first_line - 1)
    return RowLines(sheet, options, place.first_line, last)


class RowLines:
    """The lines of the rows of a table. `footer_lines` counts those that were left out at its end."""

    def __init__(self, sheet: Sheet, options: ExcelOptions, first: int, last: int) -> None:
        self._sheet = sheet
        self._options = options
        self._first = first
        self._last = last
        self.footer_lines = 0

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines, blank ones among them, up to the last that is none.

        Raises:
            BrokenTable: the footer is not as the options say.
        """
        options = self._options
        last, left_out = self._last, options.footer_lines
        if left_out:
            found = max(0, last - self._first + 1)
            if found < left_out:
                raise BrokenTable(
                    f"the sheet has {counted(found, 'line')} below its header, and source.options.footer_lines is "
                    f"{left_out}: it may have been cut off"
                )
            last, self.footer_lines = last - left_out, left_out
        pattern = re.compile(translate(options.footer_from)) if options.footer_from else None
        for line in lines_of(self._sheet, options):
            if line.number < self._first:
                continue
            if line.number > last:
                return
            if pattern is not None and pattern.match(line.first_text) and not line.is_blank:
                self.footer_lines = last - line.number + 1
                if self.footer_lines > MOST_FOOTER_LINES:
                    raise BrokenTable(
                        f"more than {MOST_FOOTER_LINES} lines follow the first one that is like "
                        "source.options.footer_lines.from: rows may be among them"
                    )
                return
            yield line


def _table_lines(sheet: Sheet, options: ExcelOptions, most: int) -> Iterator[Line]:
    lines = islice(lines_of(sheet, options), options.skip_lines, None)
    return islice((line for line in lines if not line.is_blank), most)


def _first_column(sheet: Sheet, options: ExcelOptions) -> int:
    """Return the place in a line of the first column with a cell in the table; with a range, that of the range."""
    if options.range:
        return 0
    first: int | None = None
    for line in islice(lines_of(sheet, options), options.skip_lines, None):
        for place, cell in enumerate(line.cells[:first]):
            if cell != "":
                first = place
                break
        if first == 0:
            break
    return first or 0
