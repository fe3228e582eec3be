"""Fixed width as a format of text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence

from framework.model.file_options import FixedOptions
from framework.model.files import FileLayout
from framework.rows.bench import Bench
from framework.rows.formats.fixed.cut import FixedCutter
from framework.rows.formats.fixed.fields import cut_fields, fault, surplus
from framework.rows.formats.lines.borders import last_line_end, read_lines
from framework.rows.formats.text.footer import Footer
from framework.rows.formats.text.format import Fetch, SplitText
from framework.rows.job import Split
from framework.rows.segments import SplitRecords


class FixedFormat:
    """See TextFormat."""

    def read_split(self, layout: FileLayout, split: Split, fetch: Fetch) -> SplitText:
        """Return the lines that begin in a range of a file, and its borders."""
        return read_lines(split.start, split.end, layout.file.size_bytes, split.begins_record, fetch)

    def extract(self, layout: FileLayout) -> Footer:
        """Return what leaves the footer out."""
        return Footer(_options(layout), layout.rows_start.line_end)

    def border_finder(self, layout: FileLayout) -> Callable[[bytes], int]:
        """Return a function that finds the place behind the last line of a text, 0 where none ends in it."""
        line_end = layout.rows_start.line_end.encode()
        return last_line_end if line_end == b"\n" else lambda text: text.rfind(line_end) + 1

    def cutter(self, layout: FileLayout, split: int, bench: Bench, stem: str) -> FixedCutter:
        """Return the cutter of a split."""
        return FixedCutter(layout, _options(layout), split, bench, stem)

    def fields(self, layout: FileLayout, record: str) -> Sequence[str | None]:
        """Return the fields of a malformed line, and behind them the text that follows the last one."""
        behind = surplus(record, _options(layout))
        return (*cut_fields(record, _options(layout)), *([behind] if behind else []))

    def fault(self, layout: FileLayout, record: str) -> str | None:
        """Return why a line is malformed."""
        return fault(record, _options(layout))

    def lines(self, records: SplitRecords, places: Collection[int]) -> Mapping[int, int]:
        """Return by its place how many lines of the split stand before a record."""
        return {place: place - 1 + bisect_right(records.blanks, place) for place in places}


def _options(layout: FileLayout) -> FixedOptions:
    assert isinstance(layout.options, FixedOptions)
    return layout.options
