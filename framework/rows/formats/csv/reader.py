"""Reads splits of CSV files: fetches their bytes, finds their records, and cuts these into segments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from framework.errors import SourceFileError
from framework.model.files import FileLayout, SourceBatch
from framework.rows.bench import Bench, KeptSplit
from framework.rows.formats.csv.borders import SplitText, farthest_end, read_split
from framework.rows.formats.csv.cut import BLOCK_BYTES, LONGEST_TAIL_BYTES, SplitCutter
from framework.rows.formats.csv.fields import split_record
from framework.rows.formats.csv.lines import physical_lines
from framework.rows.formats.csv.records import BrokenRecord
from framework.rows.formats.csv.stream import StreamSplit, stream_splits
from framework.rows.formats.csv.text import BrokenPacking, as_utf8, whole_text, without_start
from framework.rows.job import Fault, Job, Split, SplitReport
from framework.rows.reasons import NO_LAST_LINE_END
from framework.rows.segments import SplitRecords

_LINE_ENDS = (b"\n", b"\r")


class CsvReader:
    """Reads the CSV files of a batch; see Reader."""

    def __init__(self, batch: SourceBatch) -> None:
        self._options = batch.options

    def read(self, job: Job[Any], split: Split, bench: Bench) -> KeptSplit:
        """Return the records of a split, in local files; None where there are none, or it is broken."""
        try:
            return self._read(job, split, bench)
        except SourceFileError as error:
            return SplitReport(split.file, split.number, fault=Fault("gone", str(error))), None

    def stream(self, job: Job[Any], layout: FileLayout, bench: Bench) -> CsvStream:
        """Return the stream of a file that is not divisible."""
        return CsvStream(job, layout, bench)

    def fields(self, record: str) -> Sequence[str | None]:
        """Return the fields of a malformed record, None for an unquoted empty one."""
        return split_record(record, self._options.delimiter)

    def lines(self, records: SplitRecords, places: Collection[int]) -> dict[int, int]:
        """Return by its place how many lines of the split stand before a record's first one."""
        return physical_lines(records, places)

    def _read(self, job: Job[Any], split: Split, bench: Bench) -> KeptSplit:
        layout = job.batch.files[split.file]
        with bench.phases.busy("fetch"):
            text = self._text(job, split, layout, bench)
        region = text.region
        if region is None:
            return SplitReport(split.file, split.number, text.borders), None
        is_last = region.end == layout.file.size_bytes
        has_end = not is_last or not job.batch.needs_last_line_end or _ends_line(job, layout, bench)
        report, records = self._cut_pieces(job, split, text.pieces, is_last, has_end, bench)
        if report.fault is not None and (tail := self._tail(job, layout, region.end, bench)):
            report, records = self._cut_pieces(job, split, (*text.pieces, tail), True, has_end, bench)
            # The tail's line ends are those of later splits.
            report = replace(report, line_ends=report.line_ends - tail.count(b"\n"))
        return replace(report, borders=text.borders, region=region), records

    def _cut_pieces(
        self,
        job: Job[Any],
        split: Split,
        pieces: Sequence[bytes | bytearray | memoryview],
        is_last: bool,
        has_end: bool,
        bench: Bench,
    ) -> KeptSplit:
        text = as_utf8(_blocks(pieces), self._options.encoding)
        size = sum(map(len, pieces))
        return _cut_text(job, job.batch.files[split.file], split.number, _Utf8Text(text, size, is_last, has_end), bench)

    def _tail(self, job: Job[Any], layout: FileLayout, start: int, bench: Bench) -> bytearray | None:
        """Return the rest of a file where it is nothing but line ends, in which the last record may end; else None."""
        end = layout.file.size_bytes
        if not 0 < end - start <= LONGEST_TAIL_BYTES:
            return None
        tail = job.store.read_range(layout.file, start, end, bench.heard)
        return None if tail.strip(b"\r\n") else tail

    def _text(self, job: Job[Any], split: Split, layout: FileLayout, bench: Bench) -> SplitText:
        def fetch(start: int, end: int) -> bytearray:
            return job.store.read_range(layout.file, start, end, bench.heard)

        if split.region is not None:
            begin, end = split.region.begin, min(split.region.end, farthest_end(split.end))
            return SplitText(None, split.region, (fetch(begin, end),))
        file_end, delimiter = layout.file.size_bytes, self._options.delimiter
        return read_split(split.start, split.end, file_end, split.begins_record, delimiter, fetch)


class CsvStream:
    """A file that is read from its start to its end. `fault` is what is wrong with it as a whole."""

    def __init__(self, job: Job[Any], layout: FileLayout, bench: Bench) -> None:
        self._job = job
        self._layout = layout
        self._bench = bench
        self._records = 0
        self._last_byte = b""
        self.fault: Fault | None = None

    def splits(self) -> Iterator[StreamSplit]:
        """Yield the splits; of a sample, as many as hold enough records."""
        job, layout = self._job, self._layout
        try:
            with closing(job.store.stream(layout.file, self._bench.heard)) as pieces:
                text = self._noted(whole_text(pieces, layout.is_gzip, job.batch.options.encoding))
                rows = without_start(text, layout.rows_start.at)
                for split in stream_splits(rows, layout.rows_start.line_end, job.split_bytes):
                    yield split
                    if job.batch.sample_rows is not None and self._records >= job.batch.sample_rows:
                        return
        except BrokenPacking as error:
            self.fault = Fault("packing", str(error))
        except SourceFileError as error:
            self.fault = Fault("gone", str(error))

    def cut(self, number: int, split: StreamSplit) -> KeptSplit:
        """Return the records of a split, in local files; None where it is broken."""
        has_end = not (split.is_last and self._job.batch.needs_last_line_end) or self._last_byte in _LINE_ENDS
        text = _Utf8Text(split.pieces(), len(split.text), split.is_last, has_end)
        kept = _cut_text(self._job, self._layout, number, text, self._bench)
        self._records += kept[0].records
        return kept

    def _noted(self, text: Iterator[bytes]) -> Iterator[bytes]:
        for piece in text:
            self._last_byte = piece[-1:] or self._last_byte
            yield piece


@dataclass(frozen=True)
class _Utf8Text:
    """The text of a split's records in UTF-8, and its size or more.

    `is_last` says that it ends where its file does; `has_end`, that the file ends as it should.
    """

    pieces: Iterable[bytes]
    size_bytes: int
    is_last: bool
    has_end: bool


def _cut_text(job: Job[Any], layout: FileLayout, number: int, text: _Utf8Text, bench: Bench) -> KeptSplit:
    """Return the records of a split, in local files; None where it is broken."""
    stem = f"{layout.ordinal}-{number}-{job.round}"
    cutter = SplitCutter(layout, number, job.batch.options, bench.folder, stem)
    with bench.slot(), bench.phases.busy("read"):
        try:
            records = cutter.cut(text.pieces, text.size_bytes, text.is_last)
        except BrokenRecord as error:
            return SplitReport(layout.ordinal, number, fault=Fault("record", error.reason, error.place)), None
    report = SplitReport(
        file=layout.ordinal,
        split=number,
        records=records.records,
        malformed=records.malformed_count,
        line_ends=records.line_ends,
        fault=None if text.has_end else Fault("last line end", NO_LAST_LINE_END),
    )
    return report, records


def _ends_line(job: Job[Any], layout: FileLayout, bench: Bench) -> bool:
    size = layout.file.size_bytes
    return bytes(job.store.read_range(layout.file, size - 1, size, bench.heard)) in _LINE_ENDS


def _blocks(pieces: Sequence[bytes | bytearray | memoryview]) -> Iterator[bytes]:
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), BLOCK_BYTES):
            yield bytes(view[start : start + BLOCK_BYTES])
