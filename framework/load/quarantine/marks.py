"""Which bad rows were loaded corrected: a mark in the lake names the rows of corrections, and JOB_STS their load.

The mark comes before the load. So corrections that are loaded always have one, and one without a load means nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial

from framework.dataclass import dataclass
from framework.lake.lake import Lake
from framework.lake.quarantine import quarantine_prefix
from framework.load.quarantine.contents import QuarantinedRow
from framework.parallel import map_parallel
from framework.warehouse.audit import HISTORY_COLUMNS, HistoryQuery, read_history
from framework.warehouse.session import WarehouseSession
from framework.warehouse.unsettled import QuarantinedFile

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


@dataclass(frozen=True)
class CorrectedRows:
    """The rows that were loaded corrected, by pipeline, file name below `source.prefix`, and ETag.

    `written` counts, by the same, the rows that their loads wrote to the table: of several with one key the newest.
    """

    rows: Mapping[tuple[str, str, str], Collection[int]]
    written: Mapping[tuple[str, str, str], int]

    def may_have(self, file: QuarantinedFile) -> bool:
        """Return whether a row of a delivery like this file was loaded corrected."""
        return any((pipeline, etag) == (file.pipeline, file.etag) for pipeline, _, etag in self.rows)

    def superseded(self, file: QuarantinedFile) -> int:
        """Return how many corrected rows of deliveries like this file a newer row with their key kept out."""
        own = [key for key in self.rows if (key[0], key[2]) == (file.pipeline, file.etag)]
        return sum(max(0, len(self.rows[key]) - self.written[key]) for key in own)

    def has(self, pipeline: str, row: QuarantinedRow) -> bool:
        """Return whether a row was loaded corrected."""
        return row.row in self.rows.get((pipeline, row.file, row.etag), ())


def rows_loaded_before(lake: Lake, warehouse: WarehouseSession, pipeline: str, mark: Mark) -> list[int]:
    """Return the rows of corrections that others have loaded; none where these very corrections are loaded."""
    marks = [other for _, other in _read_marks(lake, {pipeline: {_digest(mark.etag)}})]
    others = [other for other in marks if (other.file, other.etag) == (mark.file, mark.etag)]
    loaded = _loaded(warehouse, [(pipeline, other) for other in others])
    if (pipeline, mark.corrections) in loaded:
        return []
    rows = {row for other in others if (pipeline, other.corrections) in loaded for row in other.rows}
    return sorted(rows.intersection(mark.rows))


def read_corrected_rows(lake: Lake, warehouse: WarehouseSession, files: Iterable[QuarantinedFile]) -> CorrectedRows:
    """Return the rows of the deliveries of files that were loaded corrected.

    A row counts as loaded too where a newer one with its key was in the table or among the corrected ones.
    """
    deliveries: dict[str, set[str]] = {}
    for file in files:
        deliveries.setdefault(file.pipeline, set()).add(_digest(file.etag))
    marks = _read_marks(lake, deliveries)
    loaded = _loaded(warehouse, marks)
    rows: dict[tuple[str, str, str], set[int]] = {}
    written: Counter[tuple[str, str, str]] = Counter()
    for pipeline, mark in marks:
        if (pipeline, mark.corrections) in loaded:
            rows.setdefault((pipeline, mark.file, mark.etag), set()).update(mark.rows)
            written[pipeline, mark.file, mark.etag] += loaded[pipeline, mark.corrections]
    return CorrectedRows(rows, written)


def _read_marks(lake: Lake, deliveries: Mapping[str, Collection[str]]) -> list[tuple[str, Mark]]:
    """Return the marks of deliveries, which are given by the digests of their ETags, with their pipelines."""
    found = map_parallel(partial(_mark_keys, lake), list(deliveries.items()))
    keys = [(pipeline, key) for pipeline, of_pipeline in zip(deliveries, found, strict=True) for key in of_pipeline]
    contents = map_parallel(lake.get, [key for _, key in keys])
    return [(keys[place][0], Mark(**json.loads(each))) for place, each in enumerate(contents) if each is not None]


def _mark_keys(lake: Lake, deliveries: tuple[str, Collection[str]]) -> list[str]:
    """Return the keys of the marks of a pipeline's deliveries, which are given by the digests of their ETags."""
    pipeline, digests = deliveries
    prefix = _prefix(lake, pipeline)
    keys = [found.key for found in lake.list_objects(prefix)]
    return [key for key in keys if key.removeprefix(prefix)[:_DIGEST] in digests]


def _loaded(warehouse: WarehouseSession, marks: Sequence[tuple[str, Mark]]) -> dict[tuple[str, str], int]:
    """Return how many rows each load of corrections wrote to the table, by pipeline and ETag; only those loaded."""
    found: dict[tuple[str, str], int] = {}
    for start in range(0, len(marks), HistoryQuery.rows):
        part = marks[start : start + HistoryQuery.rows]
        pipelines = tuple(sorted({pipeline for pipeline, _ in part}))
        etags = tuple(sorted({mark.corrections for _, mark in part}))
        query = HistoryQuery(pipelines, ("SUCCESS",), etags=etags, rows=len(pipelines) * len(etags))
        loads = (dict(zip(HISTORY_COLUMNS, row, strict=True)) for row in read_history(warehouse, query))
        for load in loads:
            written = (int(load[name] or 0) for name in ("records_inserted", "records_updated"))
            found[str(load["pipeline"]), str(load["source_etag"])] = sum(written)
    return found


def _prefix(lake: Lake, pipeline: str) -> str:
    # Readers of a folder of Parquet leave names that begin with _ alone.
    return f"{quarantine_prefix(lake, pipeline)}_corrected/"


def _digest(etag: str) -> str:
    return hashlib.sha256(etag.encode()).hexdigest()[:_DIGEST]
