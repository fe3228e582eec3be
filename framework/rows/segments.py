"""What a format makes of a split: local files of sound records, and notes of the others."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Protocol

from framework.dataclass import dataclass
from framework.model.files import FileLayout


class Cells(Enum):
    """What the cells of a table of DuckDB are.

    TEXT: what the file has, which may be a value of any type. JSON: values of JSON as texts, NULL for its null; a
    string is a string and no number. Dates and times of a format that has some stand there without quotes. TYPED:
    values of the types that the file's layout has.
    """

    TEXT = "text"
    JSON = "json"
    TYPED = "typed"


class Table(Protocol):
    """Rows in a local file, as DuckDB reads them."""

    @property
    def cells(self) -> Cells:
        """What their cells are."""

    def relation(self, layout: FileLayout) -> str:
        """Return the table expression: one row per record, with columns `c0`, `c1`… in the order of the layout's."""


@dataclass(frozen=True)
class Segment:
    """Consecutive sound records of one split, in a local file.

    `before` counts the split's records before it, malformed ones included; `dropped` are the places in the split of
    malformed records in its midst. `records` counts what is in it.
    """

    layout: FileLayout
    split: int
    path: Path
    table: Table
    before: int
    records: int
    size_bytes: int
    dropped: array[int]

    @property
    def relation(self) -> str:
        """DuckDB's table expression for the records."""
        return self.table.relation(self.layout)

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
    `blanks` has for each blank line the place of the record that follows it. `paths` lead to the fields of records
    whose format names them in each one, as in FileLayout, in the order in which they were found.
    """

    layout: FileLayout
    split: int
    segments: tuple[Segment, ...]
    records: int
    malformed_count: int
    malformed_path: Path
    line_ends: int
    blanks: array[int]
    paths: tuple[str, ...] = ()

    def of(self, layout: FileLayout) -> SplitRecords:
        """Return the same records with the layout that their file has by now."""
        if layout is self.layout:
            return self
        parts = {part.member: part for part in layout.parts}
        segments = tuple(replace(segment, layout=parts[segment.layout.member]) for segment in self.segments)
        return replace(self, layout=parts[self.layout.member], segments=segments)

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


def write_malformed(path: Path, malformed: Sequence[MalformedRecord]) -> None:
    """Write the records that no segment holds, as SplitRecords reads them; no file where there are none."""
    if malformed:
        path.write_text(json.dumps([(found.place, found.record) for found in malformed]) + "\n", encoding="ascii")
