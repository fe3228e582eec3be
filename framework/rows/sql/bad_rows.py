"""The bad rows of splits, each with its faults."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import Any, Protocol

import duckdb

from framework.dataclass import dataclass
from framework.model.column_type import Kind
from framework.model.files import FileLayout
from framework.model.staging import StagingColumn
from framework.rows.reasons import (
    field_count_reason,
    misfit_reason,
    no_json_reason,
    no_text_reason,
    nul_reason,
    null_key_reason,
    row_reason,
)
from framework.rows.segments import Cells, Segment, SplitRecords
from framework.rows.sql.cells import NO_TEXT
from framework.rows.sql.expressions import quoted
from framework.rows.sql.rows import ROW_IN_SEGMENT, checked_rows, misfit, null_key

_ROWS_PER_FETCH = 1024
_ANSWER_BYTES = 64 * 1024**2
_LEAST_OBJECT_BYTES = 1024**2
_ESCAPED = {chr(code): f"\\u{code:04X}" for code in range(32)} | {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_TO_ESCAPE = re.compile(r'[\x00-\x1f"\\]')
_QUARANTINE_COLUMNS = {
    "file": "varchar",
    "row": "bigint",
    "column": "varchar",
    "reason": "varchar",
    "record": "varchar",
    "header": "varchar",
    "etag": "varchar",
}


class MalformedRecords(Protocol):
    """What a format makes of malformed records."""

    def fields(self, layout: FileLayout, record: str) -> Sequence[str | None]:
        """Return the fields of one, None for NULL."""

    def fault(self, layout: FileLayout, record: str) -> str | None:
        """Return why it is malformed; None where its number of fields or a NUL in one says it."""


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong with a record: `column` is None for the record itself; `text` is None for NULL."""

    column: str | None
    text: str | None
    reason: str


@dataclass(frozen=True)
class BadRecord:
    """A bad row by its place in the split: what is wrong with it, and its fields."""

    place: int
    complaints: tuple[Complaint, ...]
    fields: Sequence[str | None]


def bad_records(
    cursor: duckdb.DuckDBPyConnection,
    records: SplitRecords,
    columns: Sequence[StagingColumn],
    malformed: MalformedRecords,
) -> Iterator[BadRecord]:
    """Yield the bad rows of a split in order."""
    misfits = (record for segment in records.segments for record in _misfits_of_segment(cursor, segment, columns))
    return merge(_malformed(records, malformed), misfits, key=lambda record: record.place)


def quarantined(record: BadRecord, layout: FileLayout, row: int) -> dict[str, object]:
    """Return a bad row as SourceRows.quarantine describes; `row` is its ordinal in the file."""
    return {
        "file": layout.name,
        "row": row,
        "column": record.complaints[0].column,
        "reason": row_reason([(complaint.column, complaint.reason) for complaint in record.complaints]),
        "record": json_array(record.fields),
        "header": json_array(layout.columns),
        "etag": layout.file.identity.etag,
    }


def write_quarantine(cursor: duckdb.DuckDBPyConnection, rows: Iterable[dict[str, object]], target: Path) -> int:
    """Write bad rows as Parquet, through a file of JSON lines; return how many."""
    notes = target.with_suffix(".jsonl")
    longest = 0
    with notes.open("wb") as lines:
        for row in rows:
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


def _malformed(records: SplitRecords, malformed: MalformedRecords) -> Iterator[BadRecord]:
    for found in records.malformed():
        fields = malformed.fields(records.layout, found.record)
        fault = malformed.fault(records.layout, found.record)
        if fault is not None:
            yield BadRecord(found.place, (Complaint(None, found.record, fault),), fields)
            continue
        complaints = tuple(_malformed_complaints(records.layout, found.record, fields))
        yield BadRecord(found.place, complaints, fields)


def _malformed_complaints(layout: FileLayout, record: str, fields: Sequence[str | None]) -> Iterator[Complaint]:
    if len(fields) != len(layout.columns):
        reason = field_count_reason(len(fields), len(layout.columns))
        besides = f", and it {nul_reason()}" if "\0" in record else ""
        yield Complaint(None, record, reason + besides)
        return
    for name, text in zip(layout.columns, fields, strict=True):
        if text is not None and "\0" in text:
            yield Complaint(name, text, nul_reason())


def _misfits_of_segment(
    cursor: duckdb.DuckDBPyConnection, segment: Segment, columns: Sequence[StagingColumn]
) -> Iterator[BadRecord]:
    if not columns:
        return
    faults = [f"({misfit(column, index)} or {null_key(column, index)})" for index, column in enumerate(columns)]
    texts = [f"t{index}" for index in range(len(columns))]
    fields = [f"f{index}" for index in range(len(segment.layout.columns))]
    rows = f"({checked_rows(segment, columns, with_fields=True)}) where is_bad"
    asked = ", ".join([ROW_IN_SEGMENT, *faults, *texts, *fields])
    for condition in _batches(cursor, segment, rows, [*texts, *fields]):
        answer = cursor.execute(f"select {asked} from {rows}{condition}")
        while found := answer.fetchmany(_ROWS_PER_FETCH):
            for row in found:
                yield BadRecord(segment.place(row[0]), tuple(_complaints(columns, row)), row[1 + 2 * len(columns) :])


def _batches(cursor: duckdb.DuckDBPyConnection, segment: Segment, rows: str, texts: Sequence[str]) -> Iterator[str]:
    """Yield conditions that divide bad rows so that an answer has few bytes.

    Only typed cells need it: a dictionary holds a long text once, and an answer as often as it stands.
    """
    if segment.table.cells is not Cells.TYPED:
        yield ""
        return
    size = " + ".join(f"coalesce(strlen({text}), 0)" for text in texts)
    last = done = 0
    for row, row_bytes in cursor.execute(f"select {ROW_IN_SEGMENT}, {size} from {rows}").fetchall():
        if done and done + row_bytes > _ANSWER_BYTES:
            yield f" and {ROW_IN_SEGMENT} > {last} and {ROW_IN_SEGMENT} < {row}"
            last, done = row - 1, 0
        done += row_bytes
    yield f" and {ROW_IN_SEGMENT} > {last}"


def _complaints(columns: Sequence[StagingColumn], row: Sequence[Any]) -> Iterator[Complaint]:
    count = len(columns)
    for column, is_at_fault, text in zip(columns, row[1 : 1 + count], row[1 + count : 1 + 2 * count], strict=True):
        if is_at_fault:
            shown = text.removeprefix("\0") if text is not None and text.startswith(NO_TEXT) else text
            yield Complaint(column.name, shown, _reason(column, text))


def _reason(column: StagingColumn, text: str | None) -> str:
    if text is None:
        return null_key_reason()
    if text.startswith(NO_TEXT):
        return no_text_reason()
    if "\0" in text:
        return nul_reason()
    length_bytes = len(text.encode("utf-8"))
    is_varchar = column.type.kind is Kind.VARCHAR
    fits = is_varchar and length_bytes <= (column.type.length_bytes or 0)
    return no_json_reason() if fits else misfit_reason(column, length_bytes)


def json_array(fields: Sequence[str | None]) -> str:
    """Return the fields as compact JSON."""
    return "[" + ",".join("null" if field is None else _json_text(field) for field in fields) + "]"


def _json_text(field: str) -> str:
    return '"' + _TO_ESCAPE.sub(lambda match: _ESCAPED[match[0]], field) + '"'
