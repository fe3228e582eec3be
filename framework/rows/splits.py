"""The division of a batch into splits, and of splits into tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from framework.model.file_options import ParquetOptions
from framework.model.files import FileLayout, SourceBatch
from framework.rows.chain import Region, prove_regions
from framework.rows.choice import expected_bytes
from framework.rows.job import Split, SplitReport, Task

SMALLEST_SPLIT_BYTES = 8 * 1024**2
LARGEST_SPLIT_BYTES = 16 * 1024**2
WIDE = 500
"""From so many columns on, splits are up to twice as large: for each split a column takes DuckDB half a millisecond to
plan."""
SAMPLED_SPLIT_BYTES = 256 * 1024
SPLITS_PER_CORE = 4
MAX_FILES_PER_TASK = 200


def split_bytes(batch: SourceBatch, cores: int) -> int:
    """Return the size of a split: small enough that each core has some."""
    if batch.sample_rows is not None:
        return SAMPLED_SPLIT_BYTES
    wanted = expected_bytes(batch) // (SPLITS_PER_CORE * cores)
    is_wide = any(len(layout.columns) >= WIDE for layout in batch.files)
    largest = 2 * LARGEST_SPLIT_BYTES if is_wide else LARGEST_SPLIT_BYTES
    return min(largest, max(SMALLEST_SPLIT_BYTES, wanted))


def divide(batch: SourceBatch, size_bytes: int) -> list[Split]:
    """Return the splits of a batch, in order. Every file has at least one."""
    return [split for layout in batch.files for split in divide_file(layout, size_bytes)]


def divide_file(layout: FileLayout, size_bytes: int) -> Iterator[Split]:
    """Yield the splits of a file, in order, at least one."""
    start, end = layout.rows_start.at, layout.file.size_bytes
    if not layout.rows_start.is_divisible:
        yield Split(layout.ordinal, 0, 0, end)
        return
    if isinstance(layout.options, ParquetOptions):
        yield from _divide_by_row_groups(layout, size_bytes)
        return
    count = -(-(end - start) // size_bytes)
    if count <= 1:
        yield Split(layout.ordinal, 0, start, end, True, Region(start, end))
        return
    places = [start + (end - start) * number // count for number in range(count + 1)]
    for number in range(count):
        yield Split(layout.ordinal, number, places[number], places[number + 1], number == 0)


def _divide_by_row_groups(layout: FileLayout, size_bytes: int) -> Iterator[Split]:
    """Yield splits of at least a size, if the file has so much, each with whole row groups."""
    number = start = end = 0
    for group in layout.row_groups:
        start, end = start or group.start, group.end
        if end - start >= size_bytes:
            yield Split(layout.ordinal, number, start, end, True, Region(start, end))
            number, start = number + 1, 0
    if start or not number:
        yield Split(layout.ordinal, number, start, end, True, Region(start, end))


def prove(splits: Sequence[Split], reports: Mapping[tuple[int, int], SplitReport], batch: SourceBatch) -> list[Split]:
    """Return the splits with their regions proven, those in which no record begins left out; streams as they are."""
    proven: list[Split] = []
    for file, group in groupby(splits, key=lambda split: split.file):
        of_file = list(group)
        borders = [reports[file, split.number].borders for split in of_file]
        if any(each is None for each in borders):
            proven += of_file
            continue
        regions = prove_regions([each for each in borders if each], batch.files[file].file.size_bytes)
        found = zip(of_file, regions, strict=True)
        proven += [replace(split, region=region) for split, region in found if region is not None]
    return proven


def read_again(proven: Sequence[Split], reports: Mapping[tuple[int, int], SplitReport]) -> list[Split]:
    """Return the splits that were read under a wrong assumption, up to the first proven fault of each file."""
    again = []
    broken: set[int] = set()
    for split in proven:
        report = reports[split.file, split.number]
        if split.file in broken:
            continue
        is_right = split.region is None or report.region == split.region
        if not is_right and report.fault and report.region and split.region:
            is_right = report.region.begin == split.region.begin
        if not is_right:
            again.append(split)
        elif report.fault:
            broken.add(split.file)
    return again


def in_order(splits: Sequence[Split], size_bytes: int) -> list[Task]:
    """Return tasks for splits in their order, small ones together."""
    return list(_packed(splits, size_bytes))


def pack(splits: Sequence[Split], size_bytes: int) -> list[Task]:
    """Return tasks for splits, biggest first: small ones whose region is proven share one."""
    small = [split for split in splits if split.region is not None]
    tasks = [Task((split,)) for split in splits if split.region is None]
    tasks += _packed(sorted(small, key=lambda split: split.start - split.end), size_bytes)
    return sorted(tasks, key=lambda task: -task.size_bytes)


def _packed(splits: Sequence[Split], size_bytes: int) -> Iterator[Task]:
    held: list[Split] = []
    size = 0
    for split in splits:
        is_alone = split.region is None or (held and held[-1].region is None)
        if held and (is_alone or size + split.end - split.start > size_bytes or len(held) == MAX_FILES_PER_TASK):
            yield Task(tuple(held))
            held, size = [], 0
        held.append(split)
        size += split.end - split.start
    if held:
        yield Task(tuple(held))
