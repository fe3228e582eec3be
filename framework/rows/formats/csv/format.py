"""CSV as a format of text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from framework.model.csv_options import CsvOptions
from framework.model.files import FileLayout
from framework.rows.bench import Bench
from framework.rows.formats.csv.borders import last_border, read_split
from framework.rows.formats.csv.cut import SplitCutter
from framework.rows.formats.csv.grammar import grammar_of
from framework.rows.formats.csv.lines import physical_lines
from framework.rows.formats.csv.records import RecordCutter
from framework.rows.formats.text.footer import Footer
from framework.rows.formats.text.format import Fetch, SplitText
from framework.rows.formats.text.text import decoded
from framework.rows.job import Split
from framework.rows.segments import SplitRecords


class CsvFormat:
    """See TextFormat."""

    def read_split(self, layout: FileLayout, split: Split, fetch: Fetch) -> SplitText:
        """Return the records that begin in a range of a file, and its borders."""
        file_end, delimiter = layout.file.size_bytes, _options(layout).delimiter
        return read_split(split.start, split.end, file_end, split.begins_record, delimiter, fetch)

    def extract(self, layout: FileLayout) -> Footer:
        """Return what leaves the footer out."""
        return Footer(_options(layout), layout.rows_start.line_end)

    def border_finder(self, layout: FileLayout) -> Callable[[bytes], int]:
        """Return a function that finds the place behind the last record of a text, 0 where none ends in it."""
        options, line_end = _options(layout), layout.rows_start.line_end
        if options.has_parity:
            return partial(last_border, line_end=line_end.encode())
        cutter = RecordCutter(options, len(layout.columns), line_end)

        def find(block: bytes) -> int:
            text, _ = decoded(block, False)
            return len(text[: cutter.border(text)].encode("utf-8"))

        return find

    def cutter(self, layout: FileLayout, split: int, bench: Bench, stem: str) -> SplitCutter:
        """Return the cutter of a split."""
        return SplitCutter(layout, _options(layout), split, bench.folder, stem)

    def fields(self, layout: FileLayout, record: str) -> Sequence[str | None]:
        """Return the fields of a malformed record, None for an unquoted empty one."""
        return grammar_of(_options(layout)).fields(record)

    def fault(self, layout: FileLayout, record: str) -> str | None:
        """Return None: a record is malformed by the number of its fields, or a NUL in one."""
        return None

    def lines(self, records: SplitRecords, places: Collection[int]) -> Mapping[int, int]:
        """Return by its place how many lines of the split stand before a record's first one."""
        return physical_lines(records, places)


def _options(layout: FileLayout) -> CsvOptions:
    assert isinstance(layout.options, CsvOptions)
    return layout.options
