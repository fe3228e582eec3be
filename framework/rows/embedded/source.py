"""The source files of a batch as segments: fetched and cut once, read any number of times."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

from framework.errors import SourceFileError
from framework.model.files import FileLayout, SourceBatch
from framework.rows.choice import expected_bytes
from framework.rows.embedded.records import BrokenRecord
from framework.rows.embedded.segments import FileCutter, Segment
from framework.rows.embedded.tally import Tally
from framework.rows.formats.csv.text import BrokenPacking, NoLastLineEnd, plain_text, with_last_line_end, without_lines
from framework.rows.phases import Phases
from framework.rows.protocol import ObjectStore
from framework.rows.reasons import BORDERS_UNKNOWN, broken_record, other_options

LARGEST_SEGMENT_BYTES = 32 * 1024**2
SMALLEST_SEGMENT_BYTES = 4 * 1024**2
SAMPLED_SEGMENT_BYTES = 256 * 1024


class SourceSegments:
    """The segments of a batch, in order of the files and of their records."""

    def __init__(
        self, batch: SourceBatch, store: ObjectStore, folder: Path, workers: int, phases: Phases, tally: Tally
    ) -> None:
        self._batch = batch
        self._store = store
        self._folder = folder
        self._phases = phases
        self._tally = tally
        size = _segment_bytes(batch, workers)
        self.cutters = [FileCutter(layout, batch.options, folder, size) for layout in batch.files]
        self.segment_bytes = size
        self._segments: list[Segment] = []
        self._is_cut = False

    def __iter__(self) -> Iterator[Segment]:
        """Yield the segments; the first time each as soon as its bytes have arrived.

        Raises:
            SourceFileError: files are broken; after the segments before and the files beside them.
        """
        if self._is_cut:
            yield from self._segments
            return
        self._segments.clear()
        self._tally.fetch_anew()
        lines, keys = [], []
        are_sound, may_load = True, True
        with closing(self._contents()) as contents:
            for cutter, pieces in zip(self.cutters, contents, strict=True):
                layout = cutter.layout
                try:
                    for segment in self._cut(cutter, pieces):
                        self._segments.append(segment)
                        yield segment
                except (BrokenRecord, BrokenPacking, NoLastLineEnd) as error:
                    lines.append(self._fault(layout.file.url, error))
                    keys.append(layout.file.key)
                    are_sound &= isinstance(error, NoLastLineEnd)
                    may_load &= isinstance(error, NoLastLineEnd) or self._has_other_options(error)
        if lines:
            lines += [] if are_sound else [BORDERS_UNKNOWN]
            raise SourceFileError("\n".join(lines), keys, needs_new_file=not may_load)
        self._is_cut = True

    def _contents(self) -> Generator[Iterator[bytes]]:
        """Yield each file's bytes; of a sample no more than is asked for is fetched."""
        files = [cutter.layout.file for cutter in self.cutters]
        if self._batch.sample_rows is None:
            with closing(self._store.download(files, self._folder)) as downloads:
                yield from downloads
            return
        for file in files:
            with closing(self._store.read(file)) as pieces:
                yield pieces

    def of_file(self, layout: FileLayout) -> list[Segment]:
        """Return the segments of one file, all of which have been cut."""
        return [segment for segment in self if segment.layout is layout]

    def _cut(self, cutter: FileCutter, pieces: Iterator[bytes]) -> Iterator[Segment]:
        text = plain_text(self._fetched(pieces), cutter.layout.is_gzip, self._batch.options.encoding)
        if self._batch.needs_last_line_end:
            text = with_last_line_end(text)
        segments = cutter.cut(without_lines(text, self._batch.options.skip_lines))
        while True:
            with self._phases.busy("read"):
                segment = next(segments, None)
            if segment is None:
                return
            yield segment
            if self._batch.sample_rows is not None and cutter.records >= self._batch.sample_rows:
                segments.close()
                return

    def _fault(self, url: str, error: Exception) -> str:
        if isinstance(error, BrokenRecord):
            return broken_record(url, error.ordinal, error.reason, self._batch.options)
        return f"{url}: {error}."

    def _has_other_options(self, error: Exception) -> bool:
        return isinstance(error, BrokenRecord) and other_options(error.reason, self._batch.options) is not None

    def _fetched(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        while True:
            with self._phases.busy("fetch"):
                piece = next(pieces, None)
            if piece is None:
                return
            self._tally.add_bytes(len(piece))
            self._tally.report()
            if piece:
                yield piece


def _segment_bytes(batch: SourceBatch, workers: int) -> int:
    """Return the size at which a segment ends: small enough that every worker has some."""
    if batch.sample_rows is not None:
        return SAMPLED_SEGMENT_BYTES
    wanted = expected_bytes(batch) // (2 * workers)
    return min(LARGEST_SEGMENT_BYTES, max(SMALLEST_SEGMENT_BYTES, wanted))
