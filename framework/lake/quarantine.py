"""Where the lake has bad rows: a folder for each load."""

from __future__ import annotations

from datetime import datetime

from framework.lake.lake import Lake


def quarantine_prefix(lake: Lake, pipeline: str) -> str:
    """Return the key prefix of a pipeline's bad rows."""
    return lake.key(f"data/quarantine/{pipeline}/")


def quarantine_folder(lake: Lake, pipeline: str, began_at: datetime, run_id: str) -> str:
    """Return the key prefix of the bad rows of a load, which began at a time in UTC."""
    return f"{quarantine_prefix(lake, pipeline)}{began_at:%Y/%m}/{run_id}/"
