"""DuckDB's view of lines of JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from framework.dataclass import dataclass
from framework.model.files import FileLayout
from framework.rows.formats.lines.cut import lines_table
from framework.rows.segments import Cells
from framework.rows.sql.expressions import quoted


@dataclass(frozen=True)
class JsonTable:
    """A file of records, each a line. With `has_rewritten` some of them are as exact.rewritten makes them."""

    path: Path
    size_bytes: int
    longest_bytes: int
    has_rewritten: bool = False
    cells: Cells = Cells.JSON

    @property
    def lines(self) -> str:
        """DuckDB's table expression of the lines: one column, `l`."""
        return lines_table(self.path, self.size_bytes, self.longest_bytes)

    def relation(self, layout: FileLayout) -> str:
        """Return the table expression: columns `c0`, `c1`… of values of JSON, NULL for null and for a missing key."""
        parents = [path.split("/")[:-1] for path in layout.paths]
        above = {"/".join(keys[:size]) for keys in parents for size in range(2, len(keys) + 1)}
        cells = ", ".join(f"{_cell(index, path in above)} as c{index}" for index, path in enumerate(layout.paths))
        return f"(select {cells} from {extracted(self, layout.paths)})"


def extracted(table: JsonTable, paths: Sequence[str]) -> str:
    """Return the table expression of the values at some paths: a list of texts, `x`, for each record."""
    values = f"json_extract(l, [{', '.join(map(quoted, paths))}])"
    if table.has_rewritten:
        texts = ", ".join(quoted(f"/0{path}") for path in paths)
        values = f"case when starts_with(l, '[') then json_extract_string(l, [{texts}]) else {values} end"
    return f"(select cast({values} as varchar[]) as x from {table.lines})"


def _cell(index: int, is_above: bool) -> str:
    value = f"x[{index + 1}]"
    # An object whose keys are columns of their own has no value beside them.
    nothing = f"{value} = 'null'" + (f" or starts_with({value}, '{{')" if is_above else "")
    return f"case when not ({nothing}) then {value} end"
