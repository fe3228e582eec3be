"""The first bad rows of a load, with what is wrong in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import duckdb

from framework.frames.embedded.rows import ROW_IN_SEGMENT, checked_rows, misfit, null_key
from framework.frames.embedded.segments import FileCutter, Segment
from framework.frames.reasons import field_count_reason, misfit_reason, null_key_reason
from framework.schema.values import BadRow, StagingColumn
from framework.spec.pipeline import CsvOptions


def bad_rows_of_file(
    cursor: duckdb.DuckDBPyConnection,
    cutter: FileCutter,
    segments: Sequence[Segment],
    columns: Sequence[StagingColumn],
    options: CsvOptions,
    limit: int,
) -> list[list[BadRow]]:
    """Return a file's first `limit` bad rows in order, each as its entries: one per offending column."""
    layout = cutter.layout
    found: dict[int, list[BadRow]] = {}
    for ordinal, record in islice(cutter.wrong_records(), limit):
        reason = field_count_reason(record, options.delimiter, len(layout.columns))
        found[ordinal] = [BadRow(layout.name, ordinal, None, record, reason)]
    count = 0
    for segment in segments:
        if count >= limit:
            break
        for row in _bad_rows(cursor, segment, columns, options, limit - count):
            count += 1
            ordinal = segment.ordinal(row[0])
            found[ordinal] = list(_reasons(layout.name, ordinal, columns, row))
    return [found[ordinal] for ordinal in sorted(found)][:limit]


def _bad_rows(
    cursor: duckdb.DuckDBPyConnection,
    segment: Segment,
    columns: Sequence[StagingColumn],
    options: CsvOptions,
    limit: int,
) -> list[tuple[Any, ...]]:
    """Return the first bad rows: where they are, then by column whether it is at fault, and its text."""
    faults = [f"({misfit(column, index)} or {null_key(column, index)})" for index, column in enumerate(columns)]
    asked = ", ".join([ROW_IN_SEGMENT, *(f"{fault}, t{index}" for index, fault in enumerate(faults))])
    rows = checked_rows(segment, columns, options)
    return cursor.execute(f"select {asked} from ({rows}) where is_bad limit {limit}").fetchall()


def _reasons(file: str, ordinal: int, columns: Sequence[StagingColumn], row: Sequence[Any]) -> Iterator[BadRow]:
    for column, is_at_fault, text in zip(columns, row[1::2], row[2::2], strict=True):
        if is_at_fault:
            reason = null_key_reason() if text is None else misfit_reason(column, text)
            yield BadRow(file, ordinal, column.name, text, reason)
