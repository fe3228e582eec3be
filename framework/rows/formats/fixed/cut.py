"""Cuts the text of a split into lines whose fields have a fixed width."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import replace

from framework.model.file_options import FixedOptions
from framework.model.files import FileLayout
from framework.model.words import counted
from framework.rows.bench import Bench
from framework.rows.formats.fixed.fields import end_of, last_begin
from framework.rows.formats.fixed.table import FixedTable, has_surplus
from framework.rows.formats.lines.cut import NUL, CutLines, LineCutter, records_of
from framework.rows.formats.text.format import BrokenRecord
from framework.rows.segments import MalformedRecord, Segment, SplitRecords

_CARRIAGE_RETURN = b"\r"


class FixedCutter:
    """Cuts one split, once; see Cutter."""

    def __init__(self, layout: FileLayout, options: FixedOptions, split: int, bench: Bench, stem: str) -> None:
        self._layout = layout
        self._options = options
        self._split = split
        self._bench = bench
        self._path = bench.folder / f"{stem}.txt"
        self._malformed_path = bench.folder / f"{stem}-malformed.jsonl"

    def cut(self, text: Iterable[bytes], size_bytes: int, is_last: bool) -> SplitRecords:
        """Return the records of a text.

        Raises:
            BrokenRecord: the file is broken.
        """
        cutter = LineCutter(self._layout, self._path, (NUL, _CARRIAGE_RETURN), has_mark=True)
        lines = cutter.cut(text, size_bytes, is_last)
        self._require_whole(lines)
        dropped = array("q", [found.place for found in lines.malformed])
        table = FixedTable(self._path, lines.size_bytes, lines.longest_bytes, lines.delimiter)
        count = lines.records - len(dropped)
        segment = Segment(self._layout, self._split, self._path, table, 0, count, lines.size_bytes, dropped)
        malformed = lines.malformed
        # A character has a byte or more.
        if lines.longest_bytes > end_of(self._options) and (too_long := self._too_long(segment, table)):
            malformed = sorted([*malformed, *too_long], key=lambda found: found.place)
            dropped = array("q", [found.place for found in malformed])
            segment = replace(
                segment, table=replace(table, has_surplus=True), records=count - len(too_long), dropped=dropped
            )
        return records_of(segment, lines, malformed, self._malformed_path)

    def _too_long(self, segment: Segment, table: FixedTable) -> list[MalformedRecord]:
        """Return the lines with text behind the last field."""
        numbered = f"(select l, row_number() over () as number from {table.lines})"
        with self._bench.querying() as cursor:
            query = f"select number, l from {numbered} where {has_surplus(self._options)}"
            found = cursor.execute(query).fetchall()
        return [MalformedRecord(segment.place(number), line) for number, line in found]

    def _require_whole(self, lines: CutLines) -> None:
        """Check the file's last line, if it has no line end.

        Raises:
            BrokenRecord: more of it is missing than blanks that an editor cuts off.
        """
        last = lines.unended.removesuffix(_CARRIAGE_RETURN)
        characters = len(last.decode("utf-8"))
        if not last or characters >= max(self._layout.rows_start.line_length, last_begin(self._options)):
            return
        reason = f"the last line has no line end and {counted(characters, 'character')}, "
        if characters < last_begin(self._options):
            reason += f"and its last field begins at character {last_begin(self._options):,}"
        else:
            reason += f"and the lines before it have {self._layout.rows_start.line_length:,}"
        place = lines.records + (not last.strip(b" \t"))
        raise BrokenRecord(place, f"{reason}: the file may have been cut off. If it is whole, end it with a line end")
