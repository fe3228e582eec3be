"""Why a row is bad, in the words that every engine uses."""

from __future__ import annotations

import csv
import io

from framework.column_type import Kind
from framework.schema.values import StagingColumn


def misfit_reason(column: StagingColumn, text: str) -> str:
    """Say why a text is no value of the column; it follows the text in a message."""
    if column.type.kind in (Kind.CHAR, Kind.VARCHAR):
        return f"has {len(text.encode('utf-8'))} bytes, more than {column.type.sql} holds"
    if column.format is not None:
        return f"is not a {column.type.sql} in the format {column.format}"
    return f"is not a value of {column.type.sql}"


def null_key_reason() -> str:
    """Say why a NULL makes the row bad."""
    return "stands in an upsert key, which needs a value"


def field_count_reason(record: str, delimiter: str, expected: int) -> str:
    """Say how many fields a record has, and how many its file's header names."""
    csv.field_size_limit(max(csv.field_size_limit(), len(record) + 1))
    found = len(next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), []))
    return f"the record has {found} fields, the header names {expected}"
