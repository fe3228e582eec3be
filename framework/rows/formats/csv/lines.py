"""Physical lines of records in their split, looked up for the few that are reported."""

from __future__ import annotations

import codecs
from bisect import bisect_right
from collections.abc import Collection, Iterator

from framework.rows.segments import Segment, SplitRecords


def physical_lines(records: SplitRecords, places: Collection[int]) -> dict[int, int]:
    """Return by its place how many lines of the split stand before a record's first one.

    Lines are those of an editor: a line end inside quotes counts, and so do blank lines. They end as the file's header
    does.
    """
    found: dict[int, int] = {}
    lines = 0
    for place, size in _sizes(records):
        if place in places:
            found[place] = lines + bisect_right(records.blanks, place)
            if len(found) == len(places):
                break
        lines += size
    return found


def _sizes(records: SplitRecords) -> Iterator[tuple[int, int]]:
    """Yield the place of each record, in order, and how many lines it takes."""
    mark = records.layout.rows_start.line_end
    malformed = ((record.place, 1 + record.record.count(mark)) for record in records.malformed())
    coming = next(malformed, None)
    for segment in records.segments:
        for row, size in enumerate(_sizes_of_segment(segment, mark.encode()), start=1):
            place = segment.place(row)
            while coming is not None and coming[0] < place:
                yield coming
                coming = next(malformed, None)
            yield place, size
    if coming is not None:
        yield coming
    yield from malformed


def _sizes_of_segment(segment: Segment, mark: bytes) -> Iterator[int]:
    """Yield how many lines each record of a segment takes. Segments end their records with a line feed."""
    size, is_quoted = 0, False
    with segment.path.open("rb") as lines:
        lines.read(len(codecs.BOM_UTF8))
        for line in lines:
            is_quoted ^= line.count(b'"') % 2 == 1
            # In a file of carriage returns, a line feed ends no line.
            size += line.count(mark)
            if not is_quoted:
                yield size if mark == b"\n" else size + 1
                size = 0
