"""JSON as a format of text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from framework.model.file_options import JsonOptions
from framework.model.files import FileLayout
from framework.rows.bench import Bench
from framework.rows.formats.json.cut import JsonCutter
from framework.rows.formats.json.document import Document
from framework.rows.formats.json.exact import fault
from framework.rows.formats.lines.borders import last_line_end, read_lines
from framework.rows.formats.text.format import Extract, Fetch, SplitText
from framework.rows.job import Split
from framework.rows.segments import SplitRecords


class JsonFormat:
    """See TextFormat."""

    def read_split(self, layout: FileLayout, split: Split, fetch: Fetch) -> SplitText:
        """Return the lines that begin in a range of a file, and its borders."""
        return read_lines(split.start, split.end, layout.file.size_bytes, split.begins_record, fetch)

    def extract(self, layout: FileLayout) -> Extract:
        """Return what makes lines of a document."""
        options = _options(layout)
        return _Lines() if options.is_lines else Document(options.records)

    def border_finder(self, layout: FileLayout) -> Callable[[bytes], int]:
        """Return a function that finds the place behind the last record of a text, 0 where none ends in it."""
        return last_line_end

    def cutter(self, layout: FileLayout, split: int, bench: Bench, stem: str) -> JsonCutter:
        """Return the cutter of a split."""
        return JsonCutter(layout, _options(layout), split, bench, stem)

    def fields(self, layout: FileLayout, record: str) -> Sequence[str | None]:
        """Return a malformed record as one field."""
        return (record,)

    def fault(self, layout: FileLayout, record: str) -> str | None:
        """Return why a record is malformed."""
        return fault(record)

    def lines(self, records: SplitRecords, places: Collection[int]) -> Mapping[int, int]:
        """Return by its place how many lines of the split stand before a record; nothing of a document."""
        if not _options(records.layout).is_lines:
            return {}
        return {place: place - 1 + bisect_right(records.blanks, place) for place in places}


class _Lines:
    """Takes all lines of a text; see Extract."""

    lines = 0

    def records(self, text: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the text."""
        return text


def _options(layout: FileLayout) -> JsonOptions:
    assert isinstance(layout.options, JsonOptions)
    return layout.options
