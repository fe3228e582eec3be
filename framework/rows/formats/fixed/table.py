"""DuckDB's view of lines with fields of fixed width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

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
        numbered = sorted(enumerate(layout.options.fields), key=lambda field: field[1].first)
        sound = f" where not {has_surplus(layout.options)}" if self.has_surplus else ""
        if len(numbered) <= _GROUP:
            return f"(select {', '.join(_cells(numbered, 'l', 1))} from {self.lines}{sound})"
        groups = [numbered[start : start + _GROUP] for start in range(0, len(numbered), _GROUP)]
        begins = [group[0][1].first for group in groups]
        texts = [
            f"substring(l, {begin}, {group[-1][1].last - begin + 1}) as g{number}"
            for number, (begin, group) in enumerate(zip(begins, groups, strict=True))
        ]
        cells = [
            cell
            for number, (begin, group) in enumerate(zip(begins, groups, strict=True))
            for cell in _cells(group, f"g{number}", begin)
        ]
        return f"(select {', '.join(cells)} from (select {', '.join(texts)} from {self.lines}{sound}))"


def has_surplus(options: FixedOptions) -> str:
    """Return the condition that other characters than blanks follow the last field of a line."""
    end = end_of(options)
    # The bytes are known without counting.
    return f"(strlen(l) > {end} and trim(substring(l, {end + 1}), {quoted(BLANKS)}) <> '')"


def _cells(fields: Sequence[tuple[int, FixedField]], text: str, begin: int) -> Iterator[str]:
    """Yield the cells of fields that stand in a text, which begins with this character of the line."""
    for index, field in fields:
        cell = f"substring({text}, {field.first - begin + 1}, {field.width})"
        yield f"nullif(trim({cell}, {quoted(BLANKS)}), '') as c{index}"
