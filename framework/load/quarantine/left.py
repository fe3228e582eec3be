"""What is left of bad rows: those in quarantine that were not loaded corrected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from framework.lake.lake import Lake
from framework.lake.quarantine import quarantine_prefix
from framework.load.quarantine.contents import StoredRows, stored_rows
from framework.load.quarantine.marks import CorrectedRows, read_corrected_rows
from framework.parallel import map_parallel
from framework.warehouse.session import WarehouseSession
from framework.warehouse.unsettled import QuarantinedFile


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
