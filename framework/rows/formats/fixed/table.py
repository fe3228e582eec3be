"""DuckDB's view of lines with fields of fixed width."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from framework.dataclass import dataclass
from framework.model.file_options import FixedField, FixedOptions
from framework.model.files import FileLayout
from framework.rows.formats.fixed.fields import BLANKS, end_of
from framework.rows.formats.lines.cut import lines_table
from framework.rows.segments import Cells
from framework.rows.sql.expressions import quoted

_GROUP = 40
"""DuckDB counts the characters up to a field from the line's start: of many fields, so many are cut out together
first."""


@dataclass(frozen=True)
class FixedTable:
    """A file of lines, each a record; with `has_surplus` some are none, because text follows their last field.

    `delimiter`: see CutLines.
    """

    path: Path
    size_bytes: int
    longest_bytes: int
    delimiter: str | None
    has_surplus: bool = False
    cells: Cells = Cells.TEXT

    @property
    def lines(self) -> str:
        """DuckDB's table expression of the lines: one column, `l`."""
        return lines_table(self.path, self.size_bytes, self.longest_bytes, self.delimiter)

    def relation(self, layout: FileLayout) -> str:
        """Return the table expression: columns `c0`, `c1`… of texts, NULL for an empty one."""
        assert isinstance(layout.options, FixedOptions)
        fields = layout.options.fields
        source = f"{self.lines} where not {has_surplus(layout.options)}" if self.has_surplus else self.lines
        if len(fields) <= _GROUP:
            cells = [_cell(field, "l", 1) for field in fields]
        else:
            cells, source = _grouped(fields, source)
        return f"(select {', '.join(f'{cell} as c{index}' for index, cell in enumerate(cells))} from {source})"


def has_surplus(options: FixedOptions) -> str:
    """Return the condition that other characters than blanks follow the last field of a line."""
    end = end_of(options)
    # The bytes are known without counting.
    return f"(strlen(l) > {end} and trim(substring(l, {end + 1}), {quoted(BLANKS)}) <> '')"


def _grouped(fields: Sequence[FixedField], source: str) -> tuple[list[str], str]:
    """Return the cells of many fields, and the table expression of the texts that they are cut out of."""
    places = sorted(range(len(fields)), key=lambda index: fields[index].first)
    cells = [""] * len(fields)
    texts = []
    for number, start in enumerate(range(0, len(places), _GROUP)):
        group = places[start : start + _GROUP]
        begin, end = fields[group[0]].first, fields[group[-1]].last
        texts.append(f"substring(l, {begin}, {end - begin + 1}) as g{number}")
        for index in group:
            cells[index] = _cell(fields[index], f"g{number}", begin)
    return cells, f"(select {', '.join(texts)} from {source})"


def _cell(field: FixedField, text: str, begin: int) -> str:
    """Return the cell of a field that stands in a text, which begins with this character of the line."""
    cell = f"substring({text}, {field.first - begin + 1}, {field.width})"
    return f"nullif(trim({cell}, {quoted(BLANKS)}), '')"
