"""DuckDB's view of sound records."""

from __future__ import annotations

from pathlib import Path

from framework.dataclass import dataclass
from framework.model.files import FileLayout
from framework.rows.segments import Cells
from framework.rows.sql.expressions import quoted

_LEAST_LINE_BYTES = 2 * 1024**2


@dataclass(frozen=True)
class CsvTable:
    """A file of sound records, each a row; an unquoted empty field is NULL, a quoted one is `''`.

    `cells` says what their texts are. `size_bytes` is the file's size, `longest_bytes` that of its longest record.
    """

    path: Path
    delimiter: str
    line_end: str
    size_bytes: int
    longest_bytes: int
    cells: Cells = Cells.TEXT

    def relation(self, layout: FileLayout) -> str:
        """Return the table expression: columns `c0`, `c1`… of texts, in the order of the layout's."""
        line = max(_LEAST_LINE_BYTES, self.longest_bytes + 1024)
        texts = ", ".join(f"'c{index}': 'varchar'" for index in range(len(layout.columns)))
        options = {
            "columns": f"{{{texts}}}",
            "auto_detect": "false",
            "header": "false",
            "delim": quoted(self.delimiter),
            "quote": "'\"'",
            "escape": "'\"'",
            "nullstr": "''",
            "allow_quoted_nulls": "false",
            "parallel": "false",
            "new_line": quoted(self.line_end.replace("\r", "\\r").replace("\n", "\\n")),
            # Strict reading of CR LF fails at the end of every file (DuckDB 2.0.1). The records are sound.
            "strict_mode": "false",
            "max_line_size": str(line),
            # The segment in one piece: where a second buffer began within a quoted field, DuckDB 2.0.1 gave up now and
            # then ("does not support a full read on this file"), one thread or not.
            "buffer_size": str(max(self.size_bytes + 1024, 2 * line)),
        }
        settings = ", ".join(f"{name} = {value}" for name, value in options.items())
        return f"read_csv({quoted(str(self.path))}, {settings})"
