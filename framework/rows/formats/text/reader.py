"""Reads splits of files of text: fetches their bytes, finds their records, and cuts these into segments."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from framework.dataclass import dataclass
from framework.errors import SourceFileError
from framework.model.files import FileLayout
from framework.rows.bench import Bench, KeptSplit
from framework.rows.formats.archive import Archive
from framework.rows.formats.packing import BrokenPacking, TooLarge, unpacked
from framework.rows.formats.text.format import BrokenRecord, BrokenText, SplitText, TextFormat, farthest_end
from framework.rows.formats.text.stream import LONGEST_TAIL_BYTES, StreamSplit, stream_splits
from framework.rows.formats.text.text import as_utf8, whole_text, without_start
from framework.rows.job import Fault, Job, Split, SplitReport
from framework.rows.reasons import NO_LAST_LINE_END
from framework.rows.segments import SplitRecords

_LINE_ENDS = (b"\n", b"\r")
_ARCHIVE_BUFFER_BYTES = 8 * 1024**2
BLOCK_BYTES = 512 * 1024
"""Handed to a cutter at a time: what numpy makes of it fits into a processor's cache."""


class TextReader:
    """Reads files of a format of text; see Reader."""

    def __init__(self, text_format: TextFormat) -> None:
        self._format = text_format

    def read(self, job: Job[Any], split: Split, bench: Bench) -> KeptSplit:
        """Return the records of a split, in local files; None where there are none, or it is broken."""
        try:
            return self._read(job, split, bench)
        except SourceFileError as error:
            return SplitReport(split.file, split.number, fault=Fault("gone", str(error))), None

    def stream(self, job: Job[Any], layout: FileLayout, bench: Bench) -> TextStream:
        """Return the stream of a file that is not divisible."""
        return TextStream(self._format, job, layout, bench)

    def fields(self, layout: FileLayout, record: str) -> Sequence[str | None]:
        """Return the fields of a malformed record, None for NULL."""
        return self._format.fields(layout, record)

    def fault(self, layout: FileLayout, record: str) -> str | None:
        """Return why a record is malformed; None where its fields say it."""
        return self._format.fault(layout, record)

    def damage(self, records: SplitRecords, bench: Bench) -> Fault | None:
        """Return None: what is wrong with a text shows when it is cut."""
        return None

    def lines(self, records: SplitRecords, places: Collection[int]) -> Mapping[int, int]:
        """Return by its place how many lines of the split stand before a record's first one."""
        return self._format.lines(records, places)

    def _read(self, job: Job[Any], split: Split, bench: Bench) -> KeptSplit:
        layout = job.batch.files[split.file]
        with bench.phases.busy("fetch"):
            text = self._text(job, split, layout, bench)
        region = text.region
        if region is None:
            return SplitReport(split.file, split.number, borders=text.borders), None
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
        layout = job.batch.files[split.file]
        text = as_utf8(_blocks(pieces), layout.encoding)
        size = sum(map(len, pieces))
        return _cut_text(self._format, job, layout, split.number, _Utf8Text(text, size, is_last, has_end), bench)

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
        return self._format.read_split(layout, split, fetch)


class TextStream:
    """A file that is read from its start to its end. `fault` is what is wrong with it as a whole.

    `footer_lines` counts those that were left out at its end.
    """

    def __init__(self, text_format: TextFormat, job: Job[Any], layout: FileLayout, bench: Bench) -> None:
        self._format = text_format
        self._job = job
        self._layout = layout
        self._bench = bench
        self._records = 0
        self._part = 0
        self._last_byte = b""
        self.footer_lines = 0
        self.fault: Fault | None = None

    def splits(self) -> Iterator[PartSplit]:
        """Yield the splits; of a sample, as many as hold enough records."""
        try:
            with closing(self._contents()) as contents:
                for part, content in enumerate(contents):
                    self._part = part
                    for split in self._splits_of(self._layout.parts[part], content):
                        yield PartSplit(part, split, self._last_byte)
                        if self._job.batch.sample_rows is not None and self._records >= self._job.batch.sample_rows:
                            return
        except TooLarge as error:
            self.fault = Fault("spec", str(error), part=self._part)
        except BrokenText as error:
            self.fault = _fault_of(error, self._part)
        except BrokenPacking as error:
            self.fault = Fault("whole", str(error), part=self._part)
        except SourceFileError as error:
            self.fault = Fault("gone", str(error))

    def cut(self, number: int, split: PartSplit) -> KeptSplit:
        """Return the records of a split, in local files; None where it is broken."""
        text = split.split
        has_end = not (text.is_last and self._job.batch.needs_last_line_end) or split.last_byte in _LINE_ENDS
        whole = _Utf8Text(text.pieces(), len(text.text), text.is_last, has_end, split.part)
        kept = _cut_text(self._format, self._job, self._layout, number, whole, self._bench)
        self._records += kept[0].records
        return kept

    def _contents(self) -> Generator[Iterator[bytes]]:
        """Yield the content of each file that holds rows, unpacked."""
        job, layout = self._job, self._layout
        most = job.batch.unpacked_limit(layout.file)
        if layout.packing == "zip":
            yield from self._members(most)
            return
        with closing(job.store.stream(layout.file, self._bench.heard)) as pieces:
            yield pieces if layout.packing is None else unpacked(pieces, layout.packing, most)

    def _members(self, most_bytes: int) -> Iterator[Iterator[bytes]]:
        """Yield the content of each member of an archive; all together may have so many bytes."""

        def fetch(start: int, end: int) -> bytearray:
            return self._job.store.read_range(self._layout.file, start, end, self._bench.heard)

        archive = Archive(fetch, self._layout.file.size_bytes, _ARCHIVE_BUFFER_BYTES)
        for part in self._layout.parts:
            yield archive.content(part.member, most_bytes)

    def _splits_of(self, part: FileLayout, content: Iterator[bytes]) -> Iterator[StreamSplit]:
        text = self._noted(whole_text(content, part.encoding))
        extract = self._format.extract(part)
        records = extract.records(without_start(text, part.rows_start.at))
        yield from stream_splits(records, self._format.border_finder(part), self._job.split_bytes)
        self.footer_lines += extract.lines

    def _noted(self, text: Iterator[bytes]) -> Iterator[bytes]:
        for piece in text:
            self._last_byte = piece[-1:] or self._last_byte
            yield piece


@dataclass(frozen=True)
class PartSplit:
    """A split of one of the files that a stream consists of, and the last byte of that file so far."""

    part: int
    split: StreamSplit
    last_byte: bytes


@dataclass(frozen=True)
class _Utf8Text:
    """The text of a split's records in UTF-8, and its size or more.

    `is_last` says that it ends where its file does; `has_end`, that the file ends as it should. `part` is the member of
    an archive that it belongs to.
    """

    pieces: Iterable[bytes]
    size_bytes: int
    is_last: bool
    has_end: bool
    part: int = 0


def _cut_text(
    text_format: TextFormat, job: Job[Any], layout: FileLayout, number: int, text: _Utf8Text, bench: Bench
) -> KeptSplit:
    """Return the records of a split, in local files; None where it is broken."""
    stem = f"{layout.ordinal}-{number}-{job.round}"
    cutter = text_format.cutter(layout.parts[text.part], number, bench, stem)
    with bench.slot(), bench.phases.busy("read"):
        try:
            records = cutter.cut(text.pieces, text.size_bytes, text.is_last)
        except BrokenRecord as error:
            fault = Fault("record", error.reason, error.place, part=text.part)
            return SplitReport(layout.ordinal, number, part=text.part, fault=fault), None
        except BrokenText as error:
            return SplitReport(layout.ordinal, number, part=text.part, fault=_fault_of(error, text.part)), None
    report = SplitReport(
        file=layout.ordinal,
        split=number,
        part=text.part,
        records=records.records,
        malformed=records.malformed_count,
        line_ends=records.line_ends,
        fault=None if text.has_end else Fault("last line end", NO_LAST_LINE_END, part=text.part),
    )
    return report, records


def _fault_of(error: BrokenText, part: int) -> Fault:
    return Fault("spec" if error.may_load else "whole", str(error), part=part)


def _ends_line(job: Job[Any], layout: FileLayout, bench: Bench) -> bool:
    size = layout.file.size_bytes
    return bytes(job.store.read_range(layout.file, size - 1, size, bench.heard)) in _LINE_ENDS


def _blocks(pieces: Sequence[bytes | bytearray | memoryview]) -> Iterator[bytes]:
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), BLOCK_BYTES):
            yield bytes(view[start : start + BLOCK_BYTES])
