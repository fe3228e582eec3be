"""The pass that stages: a Parquet file of good rows, and measurements of all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

import duckdb

from framework.dataclass import dataclass
from framework.errors import PipelineError
from framework.model.measurements import StagingFile
from framework.model.staging import StagingColumn
from framework.model.words import counted
from framework.rows.segments import Segment
from framework.rows.sql.expressions import quoted
from framework.rows.sql.keys import hash_keys
from framework.rows.sql.measure import ColumnNumbers, measure_lengths, measure_segment, merged_numbers
from framework.rows.sql.rows import BAD_ROW, good_staging_rows, staging_rows
from framework.rows.sql.samples import Samples, sample_cells

PARQUET = "(format parquet, compression snappy, write_bloom_filter false)"


@dataclass(frozen=True)
class StagedPart:
    """Some segments as one staging file, None where none of their rows is good or nothing was to be written.

    `numbers` are those of its columns, as far as they were looked for: all of them where it `is_measured`. `misfits`
    counts rows that do not fit by file and split, where there are any. `keys` are the hashes of the good rows' keys;
    None where nothing was written, or hashes would prove nothing. `samples` as in Samples. `splits` are those of the
    file's rows, by the source file's ordinal and the split's number.
    """

    rows_read: int
    rows_staged: int
    is_measured: bool
    numbers: ColumnNumbers
    misfits: Mapping[tuple[int, int], int]
    file: StagingFile | None = None
    keys: bytes | None = None
    samples: Samples = field(default_factory=dict)
    splits: tuple[tuple[int, int], ...] = ()


def stage_part(
    cursor: duckdb.DuckDBPyConnection,
    part: Sequence[Segment],
    columns: Sequence[StagingColumn],
    target: Path,
    most_keys: int,
) -> StagedPart:
    """Write a part's good rows; they are read once where all rows fit, and three times where one does not.

    Up to `most_keys` keys are kept as hashes.
    """
    written = f"from read_parquet({quoted(str(target))})"
    records = sum(segment.records for segment in part)
    try:
        staged = _copy(cursor, [staging_rows(segment, columns) for segment in part], target)
    except duckdb.Error as error:
        if BAD_ROW not in str(error):
            raise
        target.unlink(missing_ok=True)
        seen = _stage_good(cursor, part, columns, target)
        return replace(seen, keys=hash_keys(cursor, columns, written, most_keys))
    _require(staged, records, part)
    lengths = measure_lengths(cursor, columns, written)
    return StagedPart(records, staged, False, lengths, {}, keys=hash_keys(cursor, columns, written, most_keys))


def preview_part(
    cursor: duckdb.DuckDBPyConnection, part: Sequence[Segment], columns: Sequence[StagingColumn]
) -> StagedPart:
    """Return what staging would measure, and sample cells, without writing."""
    return replace(measure_part(cursor, part, columns), samples=sample_cells(cursor, part, columns))


def measure_part(
    cursor: duckdb.DuckDBPyConnection, part: Sequence[Segment], columns: Sequence[StagingColumn]
) -> StagedPart:
    """Return what staging would measure, without writing."""
    found = []
    bad: dict[tuple[int, int], int] = {}
    for segment in part:
        rows, bad_rows, numbers = measure_segment(cursor, segment, columns)
        _require(rows, segment.records, [segment])
        if bad_rows:
            place = (segment.layout.ordinal, segment.split)
            bad[place] = bad.get(place, 0) + bad_rows
        found.append(numbers)
    records = sum(segment.records for segment in part)
    return StagedPart(records, records - sum(bad.values()), True, merged_numbers(columns, found), bad)


def _stage_good(
    cursor: duckdb.DuckDBPyConnection,
    part: Sequence[Segment],
    columns: Sequence[StagingColumn],
    target: Path,
) -> StagedPart:
    seen = measure_part(cursor, part, columns)
    staged = _copy(cursor, [good_staging_rows(segment, columns) for segment in part], target)
    _require(staged, seen.rows_staged, part)
    return seen


def _copy(cursor: duckdb.DuckDBPyConnection, queries: Sequence[str], target: Path) -> int:
    answer = cursor.execute(f"copy ({' union all '.join(queries)}) to {quoted(str(target))} {PARQUET}").fetchone()
    assert answer is not None
    return int(answer[0])


def _require(rows: int, expected: int, part: Sequence[Segment]) -> None:
    if rows != expected:
        urls = ", ".join(dict.fromkeys(segment.layout.file.url for segment in part))
        raise PipelineError(
            f"{urls}: {counted(expected, 'record was', 'records were')} cut and {counted(rows, 'row')} read of them; "
            "nothing is loaded. Please report this with the file."
        )
