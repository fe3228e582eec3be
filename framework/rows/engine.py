"""The row engine: passes over the rows of a batch, as tasks that an executor runs.

A split's records count only when its borders are proven. The first round of the first pass reads every split under an
assumption; what all splits say of their borders then proves each one's region, and those that were read under a wrong
assumption are read once more, all in one round. Later passes know all regions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import TypeVar

from framework.dataclass import dataclass
from framework.model.files import SourceBatch, SourceFile
from framework.model.measurements import (
    FIRST_BAD_ROWS,
    BadRow,
    ColumnProfile,
    FileMeasurement,
    Measurements,
    Quarantined,
    RowRange,
    StagingFile,
    joined,
)
from framework.model.notation import Notation
from framework.model.staging import StagingColumn
from framework.rows.choice import expected_bytes
from framework.rows.executor import Executor, Session
from framework.rows.held import HeldFiles
from framework.rows.job import Job, Split, SplitReport, Task, TaskResult, Work
from framework.rows.protocol import NOTHING_READ, ObjectStore, Watch
from framework.rows.soundness import require_sound, require_there
from framework.rows.splits import divide, divide_file, in_order, pack, prove, read_again, split_bytes
from framework.rows.sql.keys import MOST_KEYS, are_distinct
from framework.rows.sql.measure import column_measurements, merged_numbers, value_counts
from framework.rows.sql.profile import column_profiles
from framework.rows.sql.samples import first_samples
from framework.rows.sql.stage import StagedPart
from framework.rows.work import Before, FindPaths, OnlyRead, ProfileColumns, QuarantineRows, ReadBadRows, StageRows

_Found = TypeVar("_Found")


class SplitEngine:
    """The RowEngine that reads files split by split, by the tasks of an executor."""

    def __init__(self, executor: Executor, store: ObjectStore) -> None:
        self._executor = executor
        self._store = store

    @property
    def name(self) -> str:
        """The executor's name in results and logs."""
        return self._executor.name

    @contextmanager
    def open(
        self, batch: SourceBatch, watch: Watch, contents: Mapping[SourceFile, bytes] = NOTHING_READ
    ) -> Iterator[BatchRows]:
        """Yield the rows of a batch; what the executor keeps of them is removed when the block ends."""
        with self._executor.open(batch, watch) as session:
            store = HeldFiles(self._store, contents)
            yield BatchRows(session, store, batch, split_bytes(batch, self._executor.cores))


@dataclass(frozen=True)
class _Known:
    """A split whose borders are proven, and what was found of it; of a stream, of each split that was cut of it."""

    split: Split
    reports: tuple[SplitReport, ...]


class BatchRows:
    """The rows of one batch; see SourceRows."""

    def __init__(self, session: Session, store: ObjectStore, batch: SourceBatch, size_bytes: int) -> None:
        self._session = session
        self._store = store
        self._batch = batch
        self._size_bytes = size_bytes
        self._known: list[_Known] | None = None
        self._misfits: dict[tuple[int, int], int] | None = None

    @property
    def phase_seconds(self) -> Mapping[str, float]:
        """Busy seconds by phase so far, over all threads; empty where tasks run elsewhere."""
        return self._session.phase_seconds

    def paths(self) -> Mapping[tuple[int, str], tuple[str, ...]]:
        """Return the paths to the fields of files whose records name them, by the file's ordinal and the member."""
        found: dict[tuple[int, str], dict[str, None]] = {}
        for part in self._pass("read", FindPaths()):
            for place, paths in part.items():
                found.setdefault(place, {}).update(dict.fromkeys(paths))
        return {place: tuple(paths) for place, paths in found.items()}

    def named(self, batch: SourceBatch) -> BatchRows:
        """Return the rows of the same files, with the columns that this batch gives them."""
        rows = BatchRows(self._session, self._store, batch, self._size_bytes)
        rows._known = self._known
        return rows

    def profile(self, columns: Mapping[str, Notation]) -> Mapping[str, ColumnProfile]:
        """Return the profiles of columns, read by their notations, over all rows of the batch."""
        return column_profiles(columns, self._pass("profile", ProfileColumns(columns)))

    def stage(self, columns: Sequence[StagingColumn], destination: str | None) -> Measurements:
        """Write the batch's good rows as Parquet below `destination`, and return what was measured."""
        most_keys = MOST_KEYS // (expected_bytes(self._batch) // self._size_bytes + 1)
        parts = self._pass("stage", StageRows(tuple(columns), destination, most_keys))
        misfits = {place: rows for part in parts for place, rows in part.misfits.items()}
        self._misfits = misfits
        found = merged_numbers(columns, [part.numbers for part in parts])
        reports = self._reports()
        files = []
        for layout in self._batch.files:
            of_file = [report for report in reports if report.file == layout.ordinal]
            bad = sum(report.malformed + misfits.get(report.place, 0) for report in of_file)
            read = sum(report.records for report in of_file)
            files.append(FileMeasurement(layout.ordinal, read, read - bad, bad))
        return Measurements(
            files=tuple(files),
            columns=column_measurements(columns, found),
            malformed_rows=sum(report.malformed for report in reports),
            footer_lines=sum(report.footer_lines for report in reports),
            values=value_counts(columns, found) if all(part.is_measured for part in parts) else {},
            samples=first_samples(part.samples for part in parts),
            staging_files=tuple(self._staging_files(parts)),
            has_distinct_keys=are_distinct([part.keys for part in parts if part.rows_staged]),
        )

    def _staging_files(self, parts: Sequence[StagedPart]) -> Iterator[StagingFile]:
        """Yield the staging files with the rows that they were made of."""
        before = self._before()
        reports = {report.place: report for report in self._reports()}
        for part in parts:
            if part.file is not None:
                ranges = []
                for report in (reports[place] for place in sorted(part.splits)):
                    url = self._batch.files[report.file].parts[report.part].url
                    first = before[report.place].records + 1
                    if report.records:
                        ranges.append(RowRange(url, first, first + report.records - 1))
                yield replace(part.file, rows=joined(ranges))

    def read_bad_rows(
        self, columns: Sequence[StagingColumn], files: Sequence[int], limit: int, *, staged: bool = True
    ) -> tuple[BadRow, ...]:
        """Return the first `limit` bad rows of some files, by file and row; one entry per offending column."""
        tasks = in_order(self._suspects(files) if staged else self._splits(files), self._size_bytes)
        work = ReadBadRows(tuple(columns), limit, self._before())
        rows: list[list[BadRow]] = []
        wave = self._session.cores
        while tasks and len(rows) < limit:
            now, tasks = tasks[:wave], tasks[wave:]
            results = self._run("bad rows", work, now)
            require_sound(self._batch, (report for result in results for report in result.reports))
            rows += [row for result in results for found in result.found for row in found]
            wave *= 2
        return tuple(entry for row in rows[:limit] for entry in row)

    def quarantine(self, columns: Sequence[StagingColumn], files: Sequence[int], destination: str) -> Quarantined:
        """Write all bad rows of the files with these ordinals as Parquet below `destination`; return what they are."""
        tasks = in_order(self._suspects(files), self._size_bytes)
        work = QuarantineRows(tuple(columns), destination, self._before(), self._first_places())
        results = self._run("quarantine", work, tasks)
        require_sound(self._batch, (report for result in results for report in result.reports))
        written = [part for result in results for part in result.found]
        first: dict[int, tuple[BadRow, ...]] = {}
        for file, rows in (item for part in written for item in part.first.items()):
            first[file] = (*first.get(file, ()), *rows)[:FIRST_BAD_ROWS]
        return Quarantined(sum(part.rows for part in written), first)

    def _pass(self, step: str, work: Work[_Found]) -> list[_Found]:
        """Return what the work finds in all splits of the batch.

        Raises:
            SourceFileError: files are broken.
        """
        if self._known is not None:
            splits = [known.split for known in self._known]
            results = self._run(step, work, pack(splits, self._size_bytes))
            require_sound(self._batch, [report for result in results for report in result.reports])
        elif self._batch.sample_rows is not None:
            results = self._sample(step, work, self._batch.sample_rows)
        else:
            results = self._first_pass(step, work)
        return [found for result in results for found in result.found]

    def _first_pass(self, step: str, work: Work[_Found]) -> list[TaskResult[_Found]]:
        splits = divide(self._batch, self._size_bytes)
        tasks = pack(splits, self._size_bytes)
        first = self._run(step, work, tasks)
        reports = {report.place: report for result in first for report in result.reports}
        proven = prove(splits, reports, self._batch)
        again = read_again(proven, reports)
        second = self._run(step, work, pack(again, self._size_bytes), 2)
        right = {split.place for split in proven} - {split.place for split in again}
        done = zip(tasks, first, strict=True)
        results = [result for task, result in done if all(split.place in right for split in task.splits)] + second
        self._learn(proven, results)
        return results

    def _sample(self, step: str, work: Work[_Found], rows: int) -> list[TaskResult[_Found]]:
        """Return what is found in the first splits of each file, as many as hold so many rows."""
        results: list[TaskResult[_Found]] = []
        splits: list[Split] = []
        for layout in self._batch.files:
            found, begin, end = 0, layout.rows_start.at, layout.file.size_bytes
            if not layout.rows_start.is_divisible:
                splits.append(Split(layout.ordinal, 0, 0, end))
                results += self._run(step, work, [Task((splits[-1],))])
                continue
            if layout.row_groups:
                for split in divide_file(layout, self._size_bytes):
                    (result,) = self._run(step, work, [Task((split,))])
                    results.append(result)
                    splits.append(split)
                    found += sum(report.records for report in result.reports)
                    if found >= rows:
                        break
                continue
            for number in count():
                split = Split(layout.ordinal, number, begin, min(begin + self._size_bytes, end), True)
                (result,) = self._run(step, work, [Task((split,))])
                (report,) = result.reports
                results.append(result)
                splits.append(replace(split, region=report.region))
                found += report.records
                if report.fault or report.region is None or report.region.end == end or found >= rows:
                    break
                begin = report.region.end
        self._learn(splits, results)
        return results

    def _learn(self, proven: Sequence[Split], results: Sequence[TaskResult[_Found]]) -> None:
        """Keep the proven splits with their reports for later passes, unless files are broken."""
        reports = sorted((report for result in results for report in result.reports), key=lambda report: report.place)
        require_sound(self._batch, reports)
        by_place = {split.place: split for split in proven}
        of_split: dict[tuple[int, int], list[SplitReport]] = {}
        for report in reports:
            # A stream is one split, and has a report for each that was cut of it.
            place = report.place if report.place in by_place else (report.file, 0)
            of_split.setdefault(place, []).append(report)
        self._known = [_Known(by_place[place], tuple(found)) for place, found in of_split.items()]

    def _reports(self) -> list[SplitReport]:
        """Return the reports of all splits in order; reads the files if that was not done yet."""
        if self._known is None:
            self._pass("read", OnlyRead())
        assert self._known is not None
        return [report for known in self._known for report in known.reports]

    def _splits(self, files: Sequence[int]) -> list[Split]:
        """Return the splits of some files, in order."""
        self._reports()
        return [known.split for known in self._known or () if known.split.file in files]

    def _suspects(self, files: Sequence[int]) -> list[Split]:
        """Return the splits of some files that may hold bad rows: those where staging found some, if it has looked."""
        self._reports()
        misfits = self._misfits
        return [
            known.split
            for known in self._known or ()
            if known.split.file in files
            and any(misfits is None or report.malformed or report.place in misfits for report in known.reports)
        ]

    def _first_places(self) -> frozenset[tuple[int, int]]:
        """Return by file and split where the first bad rows of each file are."""
        misfits, bad = self._misfits or {}, Counter[int]()
        found = []
        for report in self._reports():
            if bad[report.file] < FIRST_BAD_ROWS:
                found.append(report.place)
            bad[report.file] += report.malformed + misfits.get(report.place, 0)
        return frozenset(found)

    def _before(self) -> dict[tuple[int, int], Before]:
        """Return by file and split how much stands before it."""
        found: dict[tuple[int, int], Before] = {}
        before, part = Before(0, 0), (-1, 0)
        for report in self._reports():
            before = before if (report.file, report.part) == part else Before(0, 0)
            part = (report.file, report.part)
            found[report.place] = before
            before = Before(before.records + report.records, before.lines + report.line_ends)
        return found

    def _run(self, step: str, work: Work[_Found], tasks: Sequence[Task], number: int = 1) -> list[TaskResult[_Found]]:
        if not tasks:
            return []
        job = Job(self._store, self._batch, self._size_bytes, work, number, is_later=self._known is not None)
        results = self._session.run(step, job, tasks)
        require_there(self._batch, (report for result in results for report in result.reports))
        return results
