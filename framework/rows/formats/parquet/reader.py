"""Reads splits of Parquet files: the row groups in them, which DuckDB reads from a local file with holes."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from framework.dataclass import dataclass
from framework.errors import SourceFileError
from framework.model.files import FileLayout
from framework.rows.bench import Bench, KeptSplit
from framework.rows.formats.packing import TooLarge
from framework.rows.formats.parquet.footer import BrokenParquet, write_sparse
from framework.rows.formats.parquet.pages import damaged_page
from framework.rows.formats.parquet.schema import parquet_failures, rows_of, rows_of_paths, value_of, width_of
from framework.rows.formats.parquet.size import ROWS_TOGETHER, UnpackedSize, unpacked_size
from framework.rows.job import Fault, Job, Split, SplitReport
from framework.rows.segments import Cells, Segment, SplitRecords
from framework.rows.workspace import require_space

_FETCHED_WHOLE_BYTES = 16 * 1024**2
"""Up to here a file is fetched by one request."""
_TOO_WIDE = Fault(
    "spec",
    f"the Parquet file cannot be read: {ROWS_TOGETHER:,} of its rows, or all of them, unpack to more than the memory "
    "of DuckDB takes. Send shorter values, or give it more in embedded.memory",
)
_SHARE_OF_MEMORY = 0.25
"""Of DuckDB's memory: a query may hold its rows several times."""


@dataclass(frozen=True)
class ParquetTable:
    """Consecutive rows of a local file with holes: the rows outside are not there."""

    path: Path
    first_row: int
    rows: int
    cells: Cells = Cells.TYPED

    def relation(self, layout: FileLayout) -> str:
        """Return the table expression: columns `c0`, `c1`… of values of the file's own types."""
        cells = ", ".join(f"{value_of(path)} as c{index}" for index, path in enumerate(layout.paths))
        return f"(select {cells} from {rows_of_paths(self.path, layout.paths, layout.types)} where {self._is_here})"

    def unpacked_size(self, cursor: duckdb.DuckDBPyConnection, layout: FileLayout) -> UnpackedSize:
        """Return how large the texts of the rows are."""
        width = width_of(layout.paths)
        rows = f"(select *, file_row_number from {rows_of(self.path, width)} where {self._is_here})"
        return unpacked_size(cursor, rows, layout.paths)

    @property
    def _is_here(self) -> str:
        return f"file_row_number >= {self.first_row} and file_row_number < {self.first_row + self.rows}"


class ParquetReader:
    """Reads Parquet files; see Reader."""

    def read(self, job: Job[Any], split: Split, bench: Bench) -> KeptSplit:
        """Return the rows of a split, in a local file; None where there are none, or the file is gone."""
        layout = job.batch.files[split.file]
        groups = [each for each in layout.row_groups if split.start <= each.start and each.end <= split.end]
        rows = min(sum(group.rows for group in groups), job.batch.sample_rows or sys.maxsize)
        report = SplitReport(split.file, split.number, region=split.region, records=rows)
        if not groups:
            return report, None
        path = bench.folder / f"{layout.ordinal}-{split.number}-{job.round}.parquet"
        size_bytes = layout.file.size_bytes
        try:
            with bench.phases.busy("fetch"):
                require_space(bench.folder, split.end - split.start, f"the next rows of {layout.file.url}")
                if size_bytes <= _FETCHED_WHOLE_BYTES:
                    path.write_bytes(job.store.read_range(layout.file, 0, size_bytes, bench.heard))
                else:
                    footer_at = max(each.end for each in layout.row_groups)
                    footer = bytes(job.store.read_range(layout.file, footer_at, size_bytes, bench.heard))
                    content = job.store.read_range(layout.file, split.start, split.end, bench.heard)
                    write_sparse(path, size_bytes, footer, {split.start: content})
        except SourceFileError as error:
            return SplitReport(split.file, split.number, fault=Fault("gone", str(error))), None
        with bench.slot(), bench.phases.busy("read"), bench.querying() as cursor:
            damaged = damaged_page(cursor, path, groups[0].start, groups[-1].end)
        if damaged is not None:
            path.unlink()
            return SplitReport(split.file, split.number, fault=Fault("whole", damaged)), None
        table = ParquetTable(path, groups[0].first_row, rows)
        most_bytes = job.batch.unpacked_limit(layout.file)
        if sum(group.most_bytes for group in groups) > most_bytes and _exceeds(table, layout, bench, most_bytes):
            path.unlink()
            reason = f"the file cannot be read: {TooLarge(most_bytes)}"
            return SplitReport(split.file, split.number, fault=Fault("spec", reason)), None
        segment = Segment(layout, split.number, path, table, 0, rows, split.end - split.start, array("q"))
        return report, SplitRecords(
            layout=layout,
            split=split.number,
            segments=(segment,),
            records=rows,
            malformed_count=0,
            malformed_path=path.with_suffix(".malformed"),
            line_ends=0,
            blanks=array("q"),
        )

    def stream(self, job: Job[Any], layout: FileLayout, bench: Bench) -> Any:
        """Raise an error: every file is divisible."""
        raise NotImplementedError(layout.url)

    def fields(self, layout: FileLayout, record: str) -> Sequence[str | None]:
        """Raise an error: no record is malformed."""
        raise NotImplementedError(layout.url)

    def fault(self, layout: FileLayout, record: str) -> str | None:
        """Raise an error: no record is malformed."""
        raise NotImplementedError(layout.url)

    def lines(self, records: SplitRecords, places: Collection[int]) -> Mapping[int, int]:
        """Return nothing: there are no lines."""
        return {}

    def damage(self, records: SplitRecords, bench: Bench) -> Fault | None:
        """Return what is wrong with the pages of a split, once its rows could not be read; None where nothing is."""
        if (fault := _too_wide(records, bench)) is not None:
            return fault
        # A count alone might need no page.
        values = ", ".join(f"bit_xor(hash(c{index}))" for index in range(len(records.layout.paths)))
        try:
            for segment in records.segments:
                with bench.cursor() as cursor, parquet_failures(segment.path):
                    cursor.execute(f"select {values} from {segment.relation}").fetchall()
        except BrokenParquet as error:
            return Fault("whole", str(error))
        except duckdb.OutOfMemoryException:
            return _TOO_WIDE
        return None


def _exceeds(table: ParquetTable, layout: FileLayout, bench: Bench, most_bytes: int) -> bool:
    """Return whether the texts of the rows have more bytes; of damaged rows, staging finds what is wrong."""
    try:
        with bench.cursor() as cursor:
            return table.unpacked_size(cursor, layout).total_bytes > most_bytes
    except duckdb.Error:
        return False


def _too_wide(records: SplitRecords, bench: Bench) -> Fault | None:
    """Return that so many bytes are in memory together that it may have run out; None where they are few."""
    for segment in records.segments:
        assert isinstance(segment.table, ParquetTable)
        try:
            with bench.cursor() as cursor:
                widest = segment.table.unpacked_size(cursor, records.layout).widest_bytes
                (memory,) = cursor.execute("select parse_formatted_bytes(current_setting('memory_limit'))").fetchall()
        except duckdb.OutOfMemoryException:
            return _TOO_WIDE
        except duckdb.Error:
            continue
        if widest > int(memory[0]) * _SHARE_OF_MEMORY:
            return _TOO_WIDE
    return None
