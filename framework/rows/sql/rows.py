"""Rows of a segment with the texts and values of the staging columns, as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from framework.model.column_type import Kind
from framework.model.notation import Notation
from framework.model.staging import FILE_COLUMN, ROW_COLUMN, Constant, FileName, FromFile, RunDate, StagingColumn
from framework.rows.segments import Segment
from framework.rows.sql.expressions import cast_of, converted, duckdb_type, is_one_of, named, quoted
from framework.rows.sql.notation import plain_text

BAD_ROW = "feedway: a row does not fit"
"""The error that ends a query at the first bad row."""
ROW_IN_SEGMENT = "segment_row"
RECORDS_PER_SPLIT = 2**40
"""More than a split can hold: feedway_row orders rows by split, and within it by record."""


def staging_rows(segment: Segment, columns: Sequence[StagingColumn]) -> str:
    """Return the query of a segment's staging rows; it fails with BAD_ROW at a bad row."""
    values = [_checked(segment, column, index) for index, column in enumerate(columns)]
    return f"select {_staged(segment, columns, values)} from ({_casts(segment, columns)})"


def good_staging_rows(segment: Segment, columns: Sequence[StagingColumn]) -> str:
    """Return the query of a segment's staging rows that leaves bad ones out."""
    values = [f"v{index}" for index in range(len(columns))]
    return f"select {_staged(segment, columns, values)} from ({checked_rows(segment, columns)}) where not is_bad"


def checked_rows(segment: Segment, columns: Sequence[StagingColumn], with_fields: bool = False) -> str:
    """Return the query of a segment's rows: texts `t…`, values `v…`, ROW_IN_SEGMENT and `is_bad`.

    `with_fields` adds all fields of the file as `c…`. Where a column's notation is not plain, `p…` are the texts as
    plain ones.
    """
    casts = _casts(segment, columns, with_fields)
    values = [f"{_value(segment, column, index)} as v{index}" for index, column in enumerate(columns)]
    faults = [
        fault for index, column in enumerate(columns) for fault in (misfit(column, index), null_key(column, index))
    ]
    is_bad = " or ".join(["false", *faults])
    return f"select *, {is_bad} as is_bad from (select {', '.join(['*', *values])} from ({casts}))"


def is_read(column: StagingColumn) -> bool:
    """Whether the column's values are made of texts, which may be misfits."""
    return not isinstance(column.value, RunDate)


def misfit(column: StagingColumn, index: int) -> str:
    """Return the condition that the text is no value of the type."""
    return f"(t{index} is not null and v{index} is null)" if is_read(column) else "false"


def null_key(column: StagingColumn, index: int) -> str:
    """Return the condition that a required value is missing."""
    return f"(t{index} is null)" if column.required and is_read(column) else "false"


def _casts(segment: Segment, columns: Sequence[StagingColumn], with_fields: bool = False) -> str:
    """Return the query of texts with their casts `k…`, each computed once."""
    texts = _texts(segment, columns, with_fields)
    rewritten = [(index, _rewritten(segment, column, index)) for index, column in enumerate(columns)]
    if plain := [f"{text} as p{index}" for index, text in rewritten if text is not None]:
        texts = f"select {', '.join(['*', *plain])} from ({texts})"
    casts = [
        f"{cast_of(plain_name(segment, column, index), column.type)} as k{index}"
        for index, column in enumerate(columns)
        if is_read(column)
    ]
    return f"select {', '.join(['*', *casts])} from ({texts})"


def plain_name(segment: Segment, column: StagingColumn, index: int) -> str:
    """Return the name of the column's texts in plain notation."""
    return f"t{index}" if _rewritten(segment, column, index) is None else f"p{index}"


def _rewritten(segment: Segment, column: StagingColumn, index: int) -> str | None:
    """Return the expression of the column's texts in plain notation; None where they are so written.

    What the file does not have is written by Feedway.
    """
    is_of_file = isinstance(column.value, FromFile) and column.name in segment.layout.columns
    return plain_text(f"t{index}", column.type, column.notation) if is_of_file else None


def _texts(segment: Segment, columns: Sequence[StagingColumn], with_fields: bool = False) -> str:
    texts = [f"{_text(segment, column)} as t{index}" for index, column in enumerate(columns)]
    texts += [f"c{index}" for index in range(len(segment.layout.columns))] if with_fields else []
    return f"select {', '.join([*texts, f'row_number() over () as {ROW_IN_SEGMENT}'])} from {segment.relation}"


def field_text(segment: Segment, name: str, notation: Notation) -> str | None:
    """Return the expression of a column's text, None where the file lacks it."""
    if name not in segment.layout.columns:
        return None
    text = f"c{segment.layout.columns.index(name)}"
    if notation.null_values:
        return f"case when not ({is_one_of(text, notation.null_values)}) then {text} end"
    return text


def _text(segment: Segment, column: StagingColumn) -> str:
    if isinstance(column.value, RunDate):
        return "cast(null as varchar)"
    if isinstance(column.value, FileName):
        return quoted(segment.layout.name)
    if isinstance(column.value, Constant):
        return _literal(column.value.text)
    assert isinstance(column.value, FromFile)
    return field_text(segment, column.name, column.notation) or _literal(column.value.fill)


def _literal(text: str | None) -> str:
    return "cast(null as varchar)" if text is None else quoted(text)


def _value(segment: Segment, column: StagingColumn, index: int, misfit: str = "null") -> str:
    if isinstance(column.value, RunDate):
        # With its offset: what a TIMESTAMPTZ is made of must not be taken for local time.
        at = f"{column.value.at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
        offset = "+00:00" if column.type.kind is Kind.TIMESTAMPTZ else ""
        return f"cast({quoted(at + offset)} as {duckdb_type(column.type)})"
    return converted(column, plain_name(segment, column, index), f"k{index}", misfit)


def _checked(segment: Segment, column: StagingColumn, index: int) -> str:
    text, plain = f"t{index}", plain_name(segment, column, index)
    # Made of the text, or DuckDB would take it for a constant and fail before the first row.
    failing = f"error(concat({quoted(BAD_ROW)}, left({text}, 0)))"
    value = _value(segment, column, index, failing)
    if plain != text:
        value = f"case when {plain} is null and {text} is not null then {failing} else {value} end"
    return f"coalesce({value}, {failing})" if column.required and is_read(column) else value


def _staged(segment: Segment, columns: Sequence[StagingColumn], values: Sequence[str]) -> str:
    written = [_written(column, value) for column, value in zip(columns, values, strict=True)]
    named_values = [f"{value} as {named(column.name)}" for column, value in zip(columns, written, strict=True)]
    place = [
        f"cast({segment.layout.ordinal} as integer) as {FILE_COLUMN}",
        f"cast({segment.split * RECORDS_PER_SPLIT + segment.before} + {ROW_IN_SEGMENT} as bigint) as {ROW_COLUMN}",
    ]
    return ", ".join([*named_values, *place])


def _written(column: StagingColumn, value: str) -> str:
    """Return the value as staging files hold it: a time with an offset as the time in UTC, a time of day as text."""
    if column.type.kind is Kind.TIME:
        return f"cast({value} as varchar)"
    return f"make_timestamp(epoch_us({value}))" if column.type.kind is Kind.TIMESTAMPTZ else value
