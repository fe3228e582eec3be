"""Reads splits of Parquet files: the row groups in them, which DuckDB reads from a local file with holes."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framework.errors import SourceFileError
from framework.model.files import FileLayout
from framework.rows.bench import Bench, KeptSplit
from framework.rows.formats.parquet.footer import BrokenParquet, write_sparse
from framework.rows.formats.parquet.schema import parquet_failures, rows_of_paths, value_of
from framework.rows.job import Fault, Job, Split, SplitReport
from framework.rows.segments import Cells, Segment, SplitRecords
from framework.rows.workspace import require_space

_FETCHED_WHOLE_BYTES = 16 * 1024**2
"""Up to here a file is fetched by one request."""


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
        end = self.first_row + self.rows
        is_here = f"file_row_number >= {self.first_row} and file_row_number < {end}"
        return f"(select {cells} from {rows_of_paths(self.path, layout.paths, layout.types)} where {is_here})"


class ParquetReader:
    """Reads Parquet files; see Reader."""

    def read(self, job: Job[Any], split: Split, bench: Bench) -> KeptSplit:
        """Return the rows of a split, in a local file; None where there are none, or the file is gone."""
        layout = job.batch.files[split.file]
        groups = [each for each in layout.row_groups if split.start <= each.start and each.end <= split.end]
        rows = sum(group.rows for group in groups)
        report = SplitReport(split.file, split.number, region=split.region, records=rows)
        if not groups:
            return report, None
        path = bench.folder / f"{layout.ordinal}-{split.number}-{job.round}.parquet"
        size = layout.file.size_bytes
        try:
            with bench.phases.busy("fetch"):
                require_space(bench.folder, split.end - split.start, f"the next rows of {layout.file.url}")
                if size <= _FETCHED_WHOLE_BYTES:
                    path.write_bytes(job.store.read_range(layout.file, 0, size, bench.heard))
                else:
                    footer_at = max(each.end for each in layout.row_groups)
                    footer = bytes(job.store.read_range(layout.file, footer_at, size, bench.heard))
                    content = job.store.read_range(layout.file, split.start, split.end, bench.heard)
                    write_sparse(path, size, footer, {split.start: content})
        except SourceFileError as error:
            return SplitReport(split.file, split.number, fault=Fault("gone", str(error))), None
        table = ParquetTable(path, groups[0].first_row, rows)
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

    def damage(self, records: SplitRecords, bench: Bench) -> str | None:
        """Return what is wrong with the pages of a split, once its rows could not be read; None where nothing is."""
        # A count alone might need no page.
        values = ", ".join(f"bit_xor(hash(c{index}))" for index in range(len(records.layout.paths)))
        try:
            for segment in records.segments:
                with bench.cursor() as cursor, parquet_failures():
                    cursor.execute(f"select {values} from {segment.relation}").fetchall()
        except BrokenParquet as error:
            return str(error)
        return None
