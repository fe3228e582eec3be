"""A staging file without a load, to find out whether COPY works."""

from __future__ import annotations

from pathlib import Path

from framework.rows.sql.database import connect_briefly
from framework.rows.sql.expressions import quoted
from framework.rows.sql.stage import PARQUET

_ROW = "select cast(0 as integer) as feedway_file, cast(0 as bigint) as feedway_row"


def write_one_row(path: Path) -> None:
    """Write a staging file of one row that has none but Feedway's own columns."""
    with connect_briefly() as database:
        database.execute(f"copy ({_ROW}) to {quoted(str(path))} {PARQUET}")
