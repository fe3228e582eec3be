"""Cells of a spreadsheet: the names of columns, and ranges such as `A3:F`."""

from __future__ import annotations

import re

from framework.dataclass import dataclass

MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
"""Source: https://support.microsoft.com/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3"""
_RANGE = re.compile(r"([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})?")


@dataclass(frozen=True)
class CellRange:
    """A rectangle of cells. Rows and columns count from 0, both ends included; `last_row` None is that of the sheet."""

    first_row: int
    first_column: int
    last_row: int | None
    last_column: int


def parse_range(text: str) -> CellRange:
    """Return the range that a text in upper case names.

    Raises:
        ValueError: it is none, or lies outside of a sheet; the message completes "the range".
    """
    found = _RANGE.fullmatch(text)
    if found is None:
        raise ValueError("is no range of cells")
    first_column, last_column = column_place(found[1]), column_place(found[3])
    first_row = int(found[2]) - 1
    last_row = None if found[4] is None else int(found[4]) - 1
    if max(first_column, last_column) >= MOST_COLUMNS or max(first_row, last_row or 0) >= MOST_ROWS:
        raise ValueError(f"lies outside of a sheet, whose last cell is {cell_name(MOST_ROWS - 1, MOST_COLUMNS - 1)}")
    if first_row < 0 or (last_row is not None and last_row < 0):
        raise ValueError("has a row 0, and rows count from 1")
    if last_column < first_column or (last_row is not None and last_row < first_row):
        raise ValueError("ends before it begins")
    return CellRange(first_row, first_column, last_row, last_column)


def column_place(letters: str) -> int:
    """Return the place of a column, from 0: 26 for `AA`."""
    place = 0
    for letter in letters:
        place = 26 * place + ord(letter) - ord("A") + 1
    return place - 1


def cell_name(row: int, column: int) -> str:
    """Return the name of a cell by its place: `C5` for 4 and 2."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row + 1}"
