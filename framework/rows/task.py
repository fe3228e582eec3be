"""A task: from splits of source files to staging files, measurements, profiles or bad rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from framework.errors import MachineError, PipelineError
from framework.model.files import FileLayout
from framework.rows.bench import Bench, KeptSplit
from framework.rows.formats import reader_of
from framework.rows.formats.reader import Stream
from framework.rows.job import Found, Job, Split, SplitReport, Task, TaskResult
from framework.rows.segments import SplitRecords

MAX_SEGMENTS_PER_QUERY = 50


def perform(job: Job[Found], task: Task, bench: Bench) -> TaskResult[Found]:
    """Do a job's work on the splits of a task, and return what was found.

    What a file is to blame for is part of the result; an error that is raised may pass.
    """
    if not job.batch.files[task.splits[0].file].rows_start.is_divisible:
        return _perform_stream(job, task.splits[0], bench)
    read: list[KeptSplit] = []
    try:
        read = [_read(job, split, bench) for split in task.splits]
        return _worked(job, bench, read)
    finally:
        bench.keep(read)


def _read(job: Job[Found], split: Split, bench: Bench) -> KeptSplit:
    layout = job.batch.files[split.file]
    for report, records in bench.kept(split.file, split.number):
        if report.region == split.region:
            return report, _as_named(records, layout)
    return reader_of(layout).read(job, split, bench)


def _as_named(records: SplitRecords | None, layout: FileLayout) -> SplitRecords | None:
    """Return records that an earlier pass has left, with the names that their fields have by now."""
    return None if records is None else records.of(layout)


def _perform_stream(job: Job[Found], split: Split, bench: Bench) -> TaskResult[Found]:
    """Do the work on each split of a stream, as soon as its text has arrived."""
    layout = job.batch.files[split.file]
    if job.is_later and (kept := bench.kept(split.file, None)):
        named = [(report, _as_named(records, layout)) for report, records in kept]
        return _together(bench.each(partial(_work_on, job, bench), named))
    stream = reader_of(layout).stream(job, layout, bench)
    results = bench.each(partial(_perform_split, job, bench, stream), enumerate(stream.splits()))
    if stream.fault is not None or stream.footer_lines:
        of_end = SplitReport(split.file, len(results), footer_lines=stream.footer_lines, fault=stream.fault)
        results = [*results, TaskResult((of_end,))]
    return _together(results)


def _perform_split(job: Job[Found], bench: Bench, stream: Stream, numbered: tuple[int, object]) -> TaskResult[Found]:
    read = stream.cut(*numbered)
    try:
        return _work_on(job, bench, read)
    finally:
        bench.keep([read])


def _work_on(job: Job[Found], bench: Bench, read: KeptSplit) -> TaskResult[Found]:
    return _worked(job, bench, [read])


def _worked(job: Job[Found], bench: Bench, read: Sequence[KeptSplit]) -> TaskResult[Found]:
    """Return the reports of splits and what the work finds in them; a file whose rows cannot be read is at fault."""
    reports = tuple(report for report, _ in read)
    try:
        return TaskResult(reports, tuple(_work(job, bench, read)))
    except (PipelineError, MachineError):
        damaged = {}
        for report, records in read:
            fault = None if records is None else reader_of(records.layout).damage(records, bench)
            if fault is not None:
                damaged[report.place] = replace(report, fault=fault)
        if not damaged:
            raise
        return TaskResult(tuple(damaged.get(report.place, report) for report in reports))


def _together(results: Sequence[TaskResult[Found]]) -> TaskResult[Found]:
    return TaskResult(
        tuple(report for result in results for report in result.reports),
        tuple(found for result in results for found in result.found),
    )


def _work(job: Job[Found], bench: Bench, read: Sequence[KeptSplit]) -> Iterator[Found]:
    """Yield what the work finds in splits, unless one of them is broken."""
    if any(report.fault for report, _ in read):
        return
    group: list[SplitRecords] = []
    segments = 0
    for _, records in read:
        if records is None:
            continue
        group.append(records)
        segments += len(records.segments)
        if segments >= MAX_SEGMENTS_PER_QUERY:
            yield job.work.do(job, bench, group, _name(group))
            group, segments = [], 0
    if group:
        yield job.work.do(job, bench, group, _name(group))
    for _, records in read:
        bench.read(0 if records is None else records.records)


def _name(group: Sequence[SplitRecords]) -> str:
    """Return a name for what is made of a group: in the order of files and splits."""
    return f"{group[0].layout.ordinal:05d}-{group[0].split:06d}"
