"""The bad rows of a load, each with its faults."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from framework.model.csv_options import CsvOptions
from framework.model.files import FileLayout
from framework.model.measurements import BadRow
from framework.model.staging import StagingColumn
from framework.rows.embedded.rows import ROW_IN_SEGMENT, checked_rows, misfit, null_key
from framework.rows.embedded.segments import FileCutter, Segment
from framework.rows.embedded.sql import quoted
from framework.rows.formats.csv.fields import json_array, split_record
from framework.rows.reasons import field_count_reason, misfit_reason, nul_reason, null_key_reason, row_reason

_ROWS_PER_FETCH = 1024
_LEAST_OBJECT_BYTES = 1024**2
_QUARANTINE_COLUMNS = {
    "file": "varchar",
    "row": "bigint",
    "column": "varchar",
    "reason": "varchar",
    "record": "varchar",
    "header": "varchar",
    "etag": "varchar",
}


@dataclass(frozen=True)
class _BadRecord:
    """A bad row: its entries, one per offending column, and its fields."""

    ordinal: int
    entries: tuple[BadRow, ...]
    fields: Sequence[str | None]


def bad_rows_of_file(
    cursor: duckdb.DuckDBPyConnection,
    cutter: FileCutter,
    segments: Iterable[Segment],
    columns: Sequence[StagingColumn],
    options: CsvOptions,
    limit: int,
) -> list[list[BadRow]]:
    """Return a file's first `limit` bad rows in order, each as its entries: one per offending column."""
    found = islice(_bad_records(cursor, cutter, segments, columns, options), limit)
    return [list(record.entries) for record in found]


def write_bad_rows(
    cursor: duckdb.DuckDBPyConnection,
    sources: Sequence[tuple[FileCutter, Iterable[Segment]]],
    columns: Sequence[StagingColumn],
    options: CsvOptions,
    target: Path,
) -> int:
    """Write all bad rows of some files as SourceRows.quarantine describes, through a file of JSON lines."""
    notes = target.with_suffix(".jsonl")
    longest = 0
    with notes.open("wb") as lines:
        for cutter, segments in sources:
            header = json_array(cutter.layout.columns)
            for record in _bad_records(cursor, cutter, segments, columns, options):
                row = _quarantined(record, header, cutter.layout.file.identity.etag)
                line = json.dumps(row, ensure_ascii=False).encode("utf-8")
                longest = max(longest, len(line))
                lines.write(line + b"\n")
    types = ", ".join(f"{quoted(name)}: {quoted(type_sql)}" for name, type_sql in _QUARANTINE_COLUMNS.items())
    # Its buffers are twice the declared size of the largest object.
    size = max(_LEAST_OBJECT_BYTES, longest + 1024)
    read = (
        f"read_json({quoted(str(notes))}, format = 'newline_delimited', columns = {{{types}}}, "
        f"maximum_object_size = {size})"
    )
    answer = cursor.execute(
        f"copy (select * from {read}) to {quoted(str(target))} (format parquet, compression snappy)"
    ).fetchone()
    notes.unlink()
    assert answer is not None
    return int(answer[0])


def _quarantined(record: _BadRecord, header: str, etag: str) -> dict[str, object]:
    first = record.entries[0]
    return {
        "file": first.file,
        "row": record.ordinal,
        "column": first.column,
        "reason": row_reason([(entry.column, entry.reason) for entry in record.entries]),
        "record": json_array(record.fields),
        "header": header,
        "etag": etag,
    }


def _bad_records(
    cursor: duckdb.DuckDBPyConnection,
    cutter: FileCutter,
    segments: Iterable[Segment],
    columns: Sequence[StagingColumn],
    options: CsvOptions,
) -> Iterator[_BadRecord]:
    """Yield a file's bad rows in order."""
    misfits = (record for segment in segments for record in _misfits_of_segment(cursor, segment, columns, options))
    return merge(_malformed(cutter, options), misfits, key=lambda record: record.ordinal)


def _malformed(cutter: FileCutter, options: CsvOptions) -> Iterator[_BadRecord]:
    layout = cutter.layout
    for ordinal, record in cutter.malformed_records():
        fields = split_record(record, options.delimiter)
        yield _BadRecord(ordinal, tuple(_malformed_entries(layout, ordinal, record, fields)), fields)


def _malformed_entries(layout: FileLayout, ordinal: int, record: str, fields: Sequence[str | None]) -> Iterator[BadRow]:
    if len(fields) != len(layout.columns):
        reason = field_count_reason(len(fields), len(layout.columns))
        besides = f", and it {nul_reason()}" if "\0" in record else ""
        yield BadRow(layout.name, ordinal, None, record, reason + besides)
        return
    for name, text in zip(layout.columns, fields, strict=True):
        if text is not None and "\0" in text:
            yield BadRow(layout.name, ordinal, name, text, nul_reason())


def _misfits_of_segment(
    cursor: duckdb.DuckDBPyConnection, segment: Segment, columns: Sequence[StagingColumn], options: CsvOptions
) -> Iterator[_BadRecord]:
    faults = [f"({misfit(column, index)} or {null_key(column, index)})" for index, column in enumerate(columns)]
    texts = [f"t{index}" for index in range(len(columns))]
    fields = [f"c{index}" for index in range(len(segment.layout.columns))]
    rows = checked_rows(segment, columns, options, with_fields=True)
    asked = ", ".join([ROW_IN_SEGMENT, *faults, *texts, *fields])
    answer = cursor.execute(f"select {asked} from ({rows}) where is_bad")
    while found := answer.fetchmany(_ROWS_PER_FETCH):
        for row in found:
            ordinal = segment.ordinal(row[0])
            entries = tuple(_entries(segment.layout.name, ordinal, columns, row))
            yield _BadRecord(ordinal, entries, row[1 + 2 * len(columns) :])


def _entries(file: str, ordinal: int, columns: Sequence[StagingColumn], row: Sequence[Any]) -> Iterator[BadRow]:
    count = len(columns)
    for column, is_at_fault, text in zip(columns, row[1 : 1 + count], row[1 + count : 1 + 2 * count], strict=True):
        if is_at_fault:
            reason = null_key_reason() if text is None else misfit_reason(column, len(text.encode("utf-8")))
            yield BadRow(file, ordinal, column.name, text, reason)
