"""What a format makes of a split: local files of sound records, and notes of the others."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from framework.model.files import FileLayout


@dataclass(frozen=True)
class Segment:
    """Consecutive sound records of one split, in a local file.

    `relation` is DuckDB's table expression for them: columns `c0`, `c1`… of texts, one row per record. `before`
    counts the split's records before it, malformed ones included; `dropped` are the places in the split of malformed
    records in its midst. `records` counts what is in it.
    """

    layout: FileLayout
    split: int
    path: Path
    relation: str
    before: int
    records: int
    size_bytes: int
    dropped: array[int]

    def place(self, row: int) -> int:
        """Return the place in the split of the segment's row, both counted from 1."""
        place = self.before + row
        # The number of dropped records before it: each moves later ones by one.
        moved = bisect_right(range(len(self.dropped)), place, key=lambda index: self.dropped[index] - index)
        return place + moved


@dataclass(frozen=True)
class MalformedRecord:
    """A record with too few or too many fields, or with a NUL. `place` counts the split's records from 1."""

    place: int
    record: str


@dataclass(frozen=True)
class SplitRecords:
    """The records of one split.

    `records` counts all of them, `malformed_count` those that no segment holds. `line_ends` counts those of the text;
    `blanks` has for each blank line the place of the record that follows it.
    """

    layout: FileLayout
    split: int
    segments: tuple[Segment, ...]
    records: int
    malformed_count: int
    malformed_path: Path
    line_ends: int
    blanks: array[int]

    def remove(self) -> None:
        """Remove the local files."""
        for segment in self.segments:
            segment.path.unlink(missing_ok=True)
        self.malformed_path.unlink(missing_ok=True)

    def malformed(self) -> Iterator[MalformedRecord]:
        """Yield the malformed records in order."""
        if self.malformed_count:
            with self.malformed_path.open(encoding="ascii") as lines:
                for line in lines:
                    for place, record in json.loads(line):
                        yield MalformedRecord(place, record)
