"""The bad rows that loads left out, and what is left of them: those that were not loaded corrected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from framework.dataclass import dataclass
from framework.lake.lake import Lake
from framework.lake.quarantine import quarantine_prefix
from framework.load.quarantine.contents import PLACE_AND_REASON, StoredRows, stored_rows
from framework.load.quarantine.marks import CorrectedRows, read_corrected_rows
from framework.parallel import map_parallel
from framework.warehouse.audit import HistoryQuery
from framework.warehouse.session import WarehouseSession
from framework.warehouse.unsettled import QuarantinedFile, read_quarantined_files

_MOST_LOADS = 100
"""Loads of one delivery, the newest of which are read."""


@dataclass(frozen=True)
class RowsLeftOut:
    """The bad rows of one delivery that loads of a target left out, by file name below `source.prefix` and number.

    `rows` is None where some were deleted from the lake. `pipeline` is that of the newest of these loads.
    """

    pipeline: str
    rows: frozenset[tuple[str, int]] | None


def read_rows_left_out(
    lake: Lake, warehouse: WarehouseSession, etags: Sequence[str]
) -> dict[str, dict[str, RowsLeftOut]]:
    """Return the bad rows of deliveries by ETag and target table, whether they were loaded corrected or not."""
    loads: dict[str, list[QuarantinedFile]] = {}
    for start in range(0, len(etags), HistoryQuery.rows):
        part = tuple(sorted(set(etags[start : start + HistoryQuery.rows])))
        query = HistoryQuery(statuses=("SUCCESS",), etags=part, with_bad_rows=True, rows=_MOST_LOADS * len(part))
        for file in read_quarantined_files(warehouse, query):
            loads.setdefault(file.run_id, []).append(file)
    found: dict[str, dict[str, RowsLeftOut]] = {}
    for load, rows in zip(loads.values(), map_parallel(partial(_rows_of, lake), list(loads.values())), strict=True):
        for file in load:
            of_delivery = found.setdefault(file.etag, {})
            newer = of_delivery.get(file.target, RowsLeftOut(file.pipeline, frozenset()))
            known = None if rows is None or newer.rows is None else newer.rows | rows.get(file.etag, frozenset())
            of_delivery[file.target] = replace(newer, rows=known)
    return found


def _rows_of(lake: Lake, load: Sequence[QuarantinedFile]) -> dict[str, frozenset[tuple[str, int]]] | None:
    """Return the bad rows of a load by ETag; None where the lake no longer has them."""
    with stored_rows(lake, load) as stored:
        if not stored.are_there:
            return None
        rows: dict[str, set[tuple[str, int]]] = {}
        for row in stored.rows(PLACE_AND_REASON):
            rows.setdefault(row.etag, set()).add((row.file, row.row))
        return {etag: frozenset(numbers) for etag, numbers in rows.items()}


def count_corrected(stored: StoredRows, corrected: CorrectedRows) -> Counter[QuarantinedFile]:
    """Return how many bad rows of each file of a load were loaded corrected."""
    found: Counter[QuarantinedFile] = Counter()
    if any(corrected.may_have(file) for file in stored.files):
        for file, row in stored.by_file():
            found[file] += corrected.has(file.pipeline, row)
    return found


def read_left(lake: Lake, warehouse: WarehouseSession, files: Sequence[QuarantinedFile]) -> list[QuarantinedFile]:
    """Return the files with the number of their bad rows that are left; without those of which no row is.

    Rows are read where some of their file were loaded corrected; else it counts that they are in the lake.
    """
    pipelines = list(dict.fromkeys(file.pipeline for file in files))

    def parts(pipeline: str) -> set[str]:
        keys = (found.key for found in lake.list_objects(quarantine_prefix(lake, pipeline)))
        return {part for key in keys for part in key.split("/")}

    there = dict(zip(pipelines, map_parallel(parts, pipelines), strict=True))
    loads: dict[str, list[QuarantinedFile]] = {}
    for file in files:
        if file.run_id in there[file.pipeline]:
            loads.setdefault(file.run_id, []).append(file)
    corrected = read_corrected_rows(lake, warehouse, [file for load in loads.values() for file in load])

    def of_load(load: list[QuarantinedFile]) -> list[QuarantinedFile]:
        if not any(corrected.may_have(file) for file in load):
            return load
        with stored_rows(lake, load) as stored:
            done = count_corrected(stored, corrected)
            return [replace(file, rows=file.rows - done[file]) for file in load if file.rows > done[file]]

    return [file for left in map_parallel(of_load, list(loads.values())) for file in left]
