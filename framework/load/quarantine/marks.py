"""Which bad rows were loaded corrected: a mark in the lake names the rows of corrections, and JOB_STS their load.

The mark comes before the load. So corrections that are loaded always have one, and one without a load means nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from framework.lake.lake import Lake
from framework.parallel import map_parallel
from framework.warehouse.audit import HISTORY_COLUMNS, HistoryQuery, read_history
from framework.warehouse.session import WarehouseSession

Delivery = tuple[str, str]
"""The name of a file below `source.prefix`, and its ETag."""
_ETAG_COLUMN = HISTORY_COLUMNS.index("source_etag")
_DIGEST = 32


@dataclass(frozen=True)
class Mark:
    """The rows of one delivery that corrections hold. `corrections` is their ETag in JOB_STS."""

    file: str
    etag: str
    rows: tuple[int, ...]
    corrections: str


def put_mark(lake: Lake, pipeline: str, mark: Mark) -> None:
    """Write a mark. The same corrections have the same mark."""
    key = f"{_prefix(lake, pipeline)}{_digest(mark.etag)}/{mark.corrections}.json"
    lake.put(key, json.dumps(asdict(mark)))


def read_corrected_rows(
    lake: Lake, warehouse: WarehouseSession, pipeline: str, etags: Collection[str]
) -> Mapping[Delivery, frozenset[int]]:
    """Return the rows of deliveries with these ETags that were loaded corrected; those without such a row are missing.

    A row counts as loaded too where a newer one with its key was in the table.
    """
    prefix, asked = _prefix(lake, pipeline), {_digest(etag) for etag in etags}
    keys = [found.key for found in lake.list_objects(prefix) if found.key.removeprefix(prefix)[:_DIGEST] in asked]
    contents = [content for content in map_parallel(lake.get, keys) if content is not None]
    marks = [Mark(**json.loads(content)) for content in contents]
    loaded = _loaded(warehouse, pipeline, sorted({mark.corrections for mark in marks}))
    rows: dict[Delivery, frozenset[int]] = {}
    for mark in marks:
        if mark.corrections in loaded:
            delivery = (mark.file, mark.etag)
            rows[delivery] = rows.get(delivery, frozenset()) | frozenset(mark.rows)
    return rows


def _loaded(warehouse: WarehouseSession, pipeline: str, corrections: list[str]) -> set[str]:
    """Return which corrections are loaded."""
    found: set[str] = set()
    for start in range(0, len(corrections), HistoryQuery.rows):
        etags = tuple(corrections[start : start + HistoryQuery.rows])
        rows = read_history(warehouse, HistoryQuery((pipeline,), ("SUCCESS",), etags=etags))
        found |= {str(row[_ETAG_COLUMN]) for row in rows}
    return found


def _prefix(lake: Lake, pipeline: str) -> str:
    # Readers of a folder of Parquet leave names that begin with _ alone.
    return lake.key(f"data/quarantine/{pipeline}/_corrected/")


def _digest(etag: str) -> str:
    return hashlib.sha256(etag.encode()).hexdigest()[:_DIGEST]
