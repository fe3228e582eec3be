"""Rows of a segment with the texts and values of the staging columns, as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from framework.model.column_type import Kind
from framework.model.notation import Notation
from framework.model.staging import FILE_COLUMN, ROW_COLUMN, Constant, FileName, FromFile, RunDate, StagingColumn
from framework.rows.segments import Cells, Segment
from framework.rows.sql.cells import Native, cell_text, is_nested_cell, is_string, native, record_text
from framework.rows.sql.expressions import cast_of, converted, duckdb_type, is_one_of, named, quoted
from framework.rows.sql.json_text import is_forgiven
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

    `with_fields` adds the texts of all fields of the file as `f…`. Where a column's notation is not plain, `p…` are the
    texts as plain ones.
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


def plain_name(segment: Segment, column: StagingColumn, index: int) -> str:
    """Return the name of the column's texts in plain notation."""
    return f"t{index}" if _rewritten(segment, column, index) is None else f"p{index}"


def _casts(segment: Segment, columns: Sequence[StagingColumn], with_fields: bool = False) -> str:
    """Return the query of texts with their casts `k…`, each computed once."""
    texts = _texts(segment, columns, with_fields)
    rewritten = [(index, _rewritten(segment, column, index)) for index, column in enumerate(columns)]
    if plain := [f"{text} as p{index}" for index, text in rewritten if text is not None]:
        texts = f"select {', '.join(['*', *plain])} from ({texts})"
    casts = [
        f"{cast_of(plain_name(segment, column, index), column.type)} as k{index}"
        for index, column in enumerate(columns)
        if is_read(column) and _native(segment, column) is None
    ]
    return f"select {', '.join(['*', *casts])} from ({texts})"


def _rewritten(segment: Segment, column: StagingColumn, index: int) -> str | None:
    """Return the expression of the column's texts in plain notation; None where they are so written.

    What the file does not have is written by Feedway. Of what the file itself calls a number, only the notation of days
    and booleans is asked for: its point is one.
    """
    text = f"t{index}"
    plain = None if _place(segment, column) is None else plain_text(text, column.type, column.notation)
    if plain is None or segment.table.cells is Cells.TEXT:
        return plain
    if column.type.is_exact_number or column.type.kind in (Kind.REAL, Kind.DOUBLE):
        return f"case when s{index} then {plain} else {text} end"
    return f"coalesce({plain}, case when not s{index} then {text} end)"


def _place(segment: Segment, column: StagingColumn) -> int | None:
    """Return the place of the column's cells in the file; None where they are not from it."""
    is_of_file = isinstance(column.value, FromFile) and column.name in segment.layout.columns
    return segment.layout.columns.index(column.name) if is_of_file else None


def _native(segment: Segment, column: StagingColumn) -> Native | None:
    place = _place(segment, column)
    has_markers = bool(column.notation.null_values)
    return None if place is None or has_markers else native(segment, place, column.type)


def _texts(segment: Segment, columns: Sequence[StagingColumn], with_fields: bool = False) -> str:
    """Return the query of texts.

    Beside them stand, of cells that are no texts, whether the file calls one a text, `s…`, and of cells that need no
    text between, whether there is one, `h…`, and its value, `n…`.
    """
    texts = [f"{_text(segment, column)} as t{index}" for index, column in enumerate(columns)]
    for index, column in enumerate(columns):
        place, found = _place(segment, column), _native(segment, column)
        if place is None:
            continue
        if (condition := is_string(segment, place)) is not None:
            texts.append(f"{condition} as s{index}")
        if found is not None:
            value = found.value if found.is_value is None else f"case when {found.is_value} then {found.value} end"
            texts += [f"c{place} is not null as h{index}", f"{value} as n{index}"]
    if with_fields:
        # A text in a SUPER column is one only in quotes.
        nested = {column.name for column in columns if column.type.kind is Kind.SUPER}
        for index, name in enumerate(segment.layout.columns):
            text = cell_text(segment, index, as_json=True) if name in nested else record_text(segment, index)
            texts.append(f"{text} as f{index}")
    return f"select {', '.join([*texts, f'row_number() over () as {ROW_IN_SEGMENT}'])} from {segment.relation}"


def field_text(segment: Segment, name: str, notation: Notation, as_json: bool = False) -> str | None:
    """Return the expression of a column's text, None where the file lacks it; `as_json`: as a value of JSON."""
    if name not in segment.layout.columns:
        return None
    text = cell_text(segment, segment.layout.columns.index(name), as_json)
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
    as_json = column.type.kind is Kind.SUPER
    return field_text(segment, column.name, column.notation, as_json) or _literal(column.value.fill)


def _literal(text: str | None) -> str:
    return "cast(null as varchar)" if text is None else quoted(text)


def _value(segment: Segment, column: StagingColumn, index: int, misfit: str = "null") -> str:
    if isinstance(column.value, RunDate):
        # With its offset: what a TIMESTAMPTZ is made of must not be taken for local time.
        at = f"{column.value.at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
        offset = "+00:00" if column.type.kind is Kind.TIMESTAMPTZ else ""
        return f"cast({quoted(at + offset)} as {duckdb_type(column.type)})"
    if _native(segment, column) is not None:
        return f"case when h{index} then coalesce(n{index}, {misfit}) end" if misfit != "null" else f"n{index}"
    value = converted(column, plain_name(segment, column, index), f"k{index}", misfit)
    if column.type.is_text and _place(segment, column) is not None and segment.table.cells is not Cells.TEXT:
        no_text = f"contains(t{index}, chr(0))"
        if segment.table.cells is Cells.JSON or is_nested_cell(segment, segment.layout.columns.index(column.name)):
            is_nested = f"not s{index} and left(t{index}, 1) in ('{{', '[')"
            no_text += f" or case when {is_nested} then {is_forgiven(f't{index}')} else false end"
        return f"case when {no_text} then {misfit} else {value} end"
    return value


def _checked(segment: Segment, column: StagingColumn, index: int) -> str:
    text, plain = f"t{index}", plain_name(segment, column, index)
    # Made of the text, or DuckDB would take it for a constant and fail before the first row.
    some = text if _native(segment, column) is None else f"cast(h{index} as varchar)"
    failing = f"error(concat({quoted(BAD_ROW)}, left({some}, 0)))"
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
