"""Rows written as a table: a line of column names, then a line per row, with commas between cells."""

from __future__ import annotations

import re
from collections.abc import Iterator

from framework.dataclass import dataclass

_CELL = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|\Z)')


class TableTextError(ValueError):
    """The text is no table; `within` is the line and column, from 0, of the mistake."""

    def __init__(self, message: str, within: tuple[int, int]) -> None:
        super().__init__(message)
        self.within = within


@dataclass(frozen=True)
class TableCell:
    """A cell: None where it is empty and not quoted. `within` is its line and column in the text, from 0."""

    text: str | None
    within: tuple[int, int]


def read_table(text: str) -> list[dict[str, TableCell]]:
    """Return the rows by column name. Quotes are doubled inside quotes; blank lines are left out.

    Raises:
        TableTextError: a quote is misplaced, a name is missing or given twice, or a row has more or fewer cells.
    """
    lines = [line for line in _lines(text) if len(line) > 1 or line[0].text is not None]
    if not lines:
        raise TableTextError("the table is empty", (0, 0))
    header, *rows = lines
    names: list[str] = []
    for cell in header:
        if not cell.text or cell.text in names:
            raise TableTextError(
                f"the column name {cell.text!r} is given twice" if cell.text else "a column has no name", cell.within
            )
        names.append(cell.text)
    for row in rows:
        if len(row) != len(names):
            raise TableTextError(f"the row has {len(row)} cells, and the header names {len(names)}", row[0].within)
    return [dict(zip(names, row, strict=True)) for row in rows]


def _lines(text: str) -> Iterator[list[TableCell]]:
    place, number, start = 0, 0, 0
    line: list[TableCell] = []
    while place < len(text):
        within = number, place - start
        found = _CELL.match(text, place)
        if found is None:
            raise TableTextError("a quote is misplaced, or does not end before a comma or a line's end", within)
        quoted, plain, end = found.groups()
        line.append(TableCell(quoted.replace('""', '"') if quoted is not None else plain or None, within))
        if breaks := found[0].count("\n"):
            number, start = number + breaks, text.rindex("\n", place, found.end()) + 1
        place = found.end()
        if end != ",":
            yield line
            line = []
        elif place == len(text):
            line.append(TableCell(None, (number, place - start)))
    if line:
        yield line
