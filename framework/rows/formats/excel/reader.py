"""Reads workbooks: each from its first row to its last, cut into pieces of some thousand rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from framework.errors import SourceFileError
from framework.model.file_options import ExcelOptions
from framework.model.files import FileLayout
from framework.rows.bench import Bench, KeptSplit
from framework.rows.formats.excel.container import BrokenWorkbook
from framework.rows.formats.excel.cut import cut_lines, noted_fault, noted_fields
from framework.rows.formats.excel.table import BrokenTable, Line, RowLines, TablePlace, find_table, rows_of
from framework.rows.formats.excel.workbook import NoSuchSheet, open_sheet
from framework.rows.formats.packing import TooLarge
from framework.rows.job import Fault, Job, Split, SplitReport
from framework.rows.segments import SplitRecords
from framework.rows.workspace import require_space

_ROWS_PER_SPLIT = 10_000
_CELLS_PER_SPLIT = 200_000


class ExcelReader:
    """Reads workbooks; see Reader."""

    def read(self, job: Job[Any], split: Split, bench: Bench) -> KeptSplit:
        """Raise an error: no workbook is divisible."""
        raise NotImplementedError(split)

    def stream(self, job: Job[Any], layout: FileLayout, bench: Bench) -> ExcelStream:
        """Return the stream of a workbook."""
        return ExcelStream(job, layout, bench)

    def fields(self, layout: FileLayout, record: str) -> Sequence[str | None]:
        """Return the fields of a malformed record, None for an empty cell."""
        return noted_fields(record)

    def fault(self, layout: FileLayout, record: str) -> str | None:
        """Return why a record is malformed."""
        return noted_fault(record)

    def lines(self, records: SplitRecords, places: Collection[int]) -> Mapping[int, int]:
        """Return by its place how many rows of the sheet stand before a record, within the split."""
        return {place: place - 1 + bisect_right(records.blanks, place) for place in places}

    def damage(self, records: SplitRecords, bench: Bench) -> Fault | None:
        """Return None: what is wrong with a workbook shows when it is opened."""
        return None


class ExcelStream:
    """A workbook that is read from its start to its end; see Stream."""

    def __init__(self, job: Job[Any], layout: FileLayout, bench: Bench) -> None:
        assert isinstance(layout.options, ExcelOptions)
        self._job = job
        self._layout = layout
        self._options = layout.options
        self._bench = bench
        self._place: TablePlace | None = None
        self._records = 0
        self._lines: RowLines | None = None
        self.fault: Fault | None = None

    @property
    def footer_lines(self) -> int:
        """The number of lines left out at the sheet's end, once all rows were read."""
        return 0 if self._lines is None else self._lines.footer_lines

    def splits(self) -> Iterator[list[Line]]:
        """Yield the lines of each split; of a sample, as many as hold enough records."""
        path = self._bench.folder / f"{self._layout.ordinal}-{self._job.round}.xlsx"
        try:
            self._fetch(path)
            yield from self._pieces(path)
        except (TooLarge, BrokenTable, NoSuchSheet) as error:
            self.fault = Fault("spec", str(error))
        except BrokenWorkbook as error:
            self.fault = Fault("whole", str(error))
        except SourceFileError as error:
            self.fault = Fault("gone", str(error))
        finally:
            path.unlink(missing_ok=True)

    def cut(self, number: int, split: list[Line]) -> KeptSplit:
        """Return the records of a split, in local files."""
        assert self._place is not None
        layout, bench = self._layout, self._bench
        stem = bench.folder / f"{layout.ordinal}-{number}-{self._job.round}"
        with bench.slot(), bench.phases.busy("read"):
            records = cut_lines(layout, number, split, self._place, stem)
        self._records += records.records
        report = SplitReport(
            file=layout.ordinal,
            split=number,
            records=records.records,
            malformed=records.malformed_count,
            line_ends=records.line_ends,
        )
        return report, records

    def _fetch(self, path: Path) -> None:
        file = self._layout.file
        require_space(self._bench.folder, file.size_bytes, f"the workbook {file.url}")
        pieces = self._job.store.stream(file, self._bench.heard)
        with self._bench.phases.busy("fetch"), closing(pieces), path.open("wb") as copy:
            copy.writelines(pieces)

    def _pieces(self, path: Path) -> Iterator[list[Line]]:
        most = self._job.batch.unpacked_limit(self._layout.file)
        with self._bench.slot(), self._bench.phases.busy("read"):
            sheet = open_sheet(path, self._options.sheet, most)
            self._place = find_table(sheet, self._options)
            self._lines = rows_of(sheet, self._options, self._place)
        lines = iter(self._lines)
        sample = self._job.batch.sample_rows
        rows = min(
            _ROWS_PER_SPLIT, 1 + _CELLS_PER_SPLIT // max(1, len(self._layout.columns)), sample or _ROWS_PER_SPLIT
        )
        is_first = True
        while (piece := list(islice(lines, rows))) or is_first:
            is_first = False
            yield piece
            if sample is not None and self._records >= sample:
                return
