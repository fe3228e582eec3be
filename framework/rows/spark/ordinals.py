"""The ordinals of records in their file, looked up for the few that are reported."""

from __future__ import annotations

from collections.abc import Sequence

from framework.model.staging import ROW_COLUMN
from framework.rows.spark.files import OpenedFile
from framework.rows.spark.source import SparkSource


def true_ordinals(source: SparkSource, opened: OpenedFile, rows: Sequence[int]) -> dict[int, int]:
    """Return by feedway_row the record's ordinal in its file, 1 for the first after the header.

    Reads the file once more, for its records alone; not at all without rows.
    """
    if not rows:
        return {}
    records = source.read_records(opened)
    last = records.where(f"{ROW_COLUMN} <= {max(rows)}").select(ROW_COLUMN)
    numbered = last.selectExpr(ROW_COLUMN, f"row_number() over (order by {ROW_COLUMN}) as ordinal")
    wanted = ", ".join(f"{row}L" for row in rows)
    found = numbered.where(f"{ROW_COLUMN} in ({wanted})").collect()
    return {row[ROW_COLUMN]: row["ordinal"] for row in found}
