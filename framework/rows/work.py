"""What the passes make of records: nothing yet, profiles, staging files, bad rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from framework.dataclass import dataclass
from framework.model.measurements import FIRST_BAD_ROWS, BadRow, Quarantined, StagingFile
from framework.model.notation import Notation
from framework.model.staging import StagingColumn
from framework.rows.bench import Bench
from framework.rows.formats import reader_of
from framework.rows.job import Job
from framework.rows.segments import Segment, SplitRecords
from framework.rows.sql.bad_rows import BadRecord, bad_records, quarantined, write_quarantine
from framework.rows.sql.profile import ProfilePart, profile_segments
from framework.rows.sql.stage import StagedPart, preview_part, stage_part

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Before:
    """How many records and lines of its file stand before a split."""

    records: int
    lines: int


Places = Mapping[tuple[int, int], Before]
"""By file and split."""


@dataclass(frozen=True)
class OnlyRead:
    """Reads the records and finds nothing, so that the borders are known."""

    def do(self, job: Job[Any], bench: Bench, records: Sequence[SplitRecords], name: str) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class FindPaths:
    """Finds the paths to the fields of records that name them."""

    def do(
        self, job: Job[Any], bench: Bench, records: Sequence[SplitRecords], name: str
    ) -> dict[tuple[int, str], tuple[str, ...]]:
        """Return the paths by the file's ordinal and the archive's member, in order."""
        found: dict[tuple[int, str], dict[str, None]] = {}
        for split in records:
            if not split.records:
                continue
            found.setdefault((split.layout.ordinal, split.layout.member), {}).update(dict.fromkeys(split.paths))
        return {place: tuple(paths) for place, paths in found.items()}


@dataclass(frozen=True)
class ProfileColumns:
    """Profiles columns without a type, each by its notation."""

    columns: Mapping[str, Notation]

    def do(self, job: Job[Any], bench: Bench, records: Sequence[SplitRecords], name: str) -> ProfilePart:
        """Return the numbers that make a profile."""
        segments = _segments(records)
        if not segments:
            return ProfilePart({}, {})
        with bench.working() as cursor:
            return profile_segments(cursor, segments, self.columns)


@dataclass(frozen=True)
class StageRows:
    """Writes good rows below an address, or with None only measures. A task keeps up to `most_keys` keys as hashes."""

    columns: tuple[StagingColumn, ...]
    destination: str | None
    most_keys: int

    def do(self, job: Job[Any], bench: Bench, records: Sequence[SplitRecords], name: str) -> StagedPart:
        """Return what was staged."""
        segments = _segments(records)
        if self.destination is None or not segments:
            with bench.working() as cursor:
                return preview_part(cursor, segments, self.columns)
        # Two attempts may differ, if one of them was read under a wrong assumption: each has a file of its own.
        target = bench.folder / f"rows-{name}-{job.round}-{token_hex(4)}.parquet"
        with bench.working() as cursor:
            staged = stage_part(cursor, segments, self.columns, target, self.most_keys)
        url = f"{self.destination}/{target.name}"
        file = StagingFile(url, target.stat().st_size) if staged.rows_staged else None
        if file is not None:
            with bench.phases.busy("upload"):
                job.store.upload(target, url)
        target.unlink()
        return replace(staged, file=file, splits=tuple((split.layout.ordinal, split.split) for split in records))


@dataclass(frozen=True)
class ReadBadRows:
    """Reads the first bad rows of each split."""

    columns: tuple[StagingColumn, ...]
    limit: int
    before: Places

    def do(self, job: Job[Any], bench: Bench, records: Sequence[SplitRecords], name: str) -> list[list[BadRow]]:
        """Return the bad rows in order, each as its entries: one per offending column."""
        found: list[list[BadRow]] = []
        with bench.working() as cursor:
            for split in records:
                reader = reader_of(split.layout)
                bad = list(islice(bad_records(cursor, split, self.columns, reader), self.limit))
                found += _bad_rows(split, self.before, bad)
        return found


@dataclass(frozen=True)
class QuarantineRows:
    """Writes all bad rows below an address. `first_in` has the splits of which the first ones are returned.

    All attempts at a task write the same bytes under the same name: what is superseded leaves no row twice.
    """

    columns: tuple[StagingColumn, ...]
    destination: str
    before: Places
    first_in: frozenset[tuple[int, int]]

    def do(self, job: Job[Any], bench: Bench, records: Sequence[SplitRecords], name: str) -> Quarantined:
        """Return how many were written, and the first ones."""
        target = bench.folder / f"bad-{name}.parquet"
        first: dict[int, tuple[BadRow, ...]] = {}
        with bench.working() as cursor:
            rows = (row for split in records for row in self._rows(cursor, split, first))
            written = write_quarantine(cursor, rows, target)
        if written:
            with bench.phases.busy("upload"):
                job.store.upload(target, f"{self.destination}/{target.name}")
        target.unlink()
        return Quarantined(written, first)

    def _rows(
        self, cursor: duckdb.DuckDBPyConnection, split: SplitRecords, first: dict[int, tuple[BadRow, ...]]
    ) -> Iterator[dict[str, object]]:
        """Yield the bad rows of a split as quarantine has them; add the first ones of its file to `first`."""
        layout, shown = split.layout, list[BadRecord]()
        known = first.get(layout.ordinal, ())
        # A line's number takes a pass over the split: only for rows that a result has.
        most = FIRST_BAD_ROWS - len(known) if (layout.ordinal, split.split) in self.first_in else 0
        for bad in bad_records(cursor, split, self.columns, reader_of(layout)):
            if len(shown) < most:
                shown.append(replace(bad, complaints=bad.complaints[:1], fields=()))
            yield quarantined(bad, layout, self.before[layout.ordinal, split.split].records + bad.place)
        if shown:
            added = [entry.in_short for row in _bad_rows(split, self.before, shown) for entry in row]
            first[layout.ordinal] = (*known, *added)


def _bad_rows(split: SplitRecords, places: Places, records: Sequence[BadRecord]) -> list[list[BadRow]]:
    """Return bad records with their places in their file, each as its entries: one per complaint."""
    layout, before = split.layout, places[split.layout.ordinal, split.split]
    lines = reader_of(layout).lines(split, {record.place for record in records})
    first_line = layout.rows_start.line + before.lines
    return [
        [
            BadRow(
                layout.name,
                before.records + record.place,
                complaint.column,
                complaint.text,
                complaint.reason,
                None if record.place not in lines else first_line + lines[record.place],
            )
            for complaint in record.complaints
        ]
        for record in records
    ]


def _segments(records: Sequence[SplitRecords]) -> list[Segment]:
    return [segment for split in records for segment in split.segments]
