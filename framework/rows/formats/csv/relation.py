"""DuckDB's view of sound records."""

from __future__ import annotations

from pathlib import Path

from framework.rows.sql.expressions import quoted

_LEAST_LINE_BYTES = 2 * 1024**2


def relation(path: Path, columns: int, delimiter: str, line_end: str, size_bytes: int, longest_bytes: int) -> str:
    """Return the table expression of a file of sound records: columns `c0`, `c1`… of texts, one row per record.

    An unquoted empty field is NULL, a quoted one is `''`.
    """
    line = max(_LEAST_LINE_BYTES, longest_bytes + 1024)
    texts = ", ".join(f"'c{index}': 'varchar'" for index in range(columns))
    options = {
        "columns": f"{{{texts}}}",
        "auto_detect": "false",
        "header": "false",
        "delim": quoted(delimiter),
        "quote": "'\"'",
        "escape": "'\"'",
        "nullstr": "''",
        "allow_quoted_nulls": "false",
        "parallel": "false",
        "new_line": quoted(line_end.replace("\r", "\\r").replace("\n", "\\n")),
        # Strict reading of CR LF fails at the end of every file (DuckDB 2.0.1). The records are sound.
        "strict_mode": "false",
        "max_line_size": str(line),
        # The segment in one piece: where a second buffer began within a quoted field, DuckDB 2.0.1 gave up now and
        # then ("does not support a full read on this file"), one thread or not.
        "buffer_size": str(max(size_bytes + 1024, 2 * line)),
    }
    settings = ", ".join(f"{name} = {value}" for name, value in options.items())
    return f"read_csv({quoted(str(path))}, {settings})"
