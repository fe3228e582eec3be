"""Bad rows as CSV that a spreadsheet neither converts nor runs, and back.

A text is in double quotes in its cell, with the escapes of JSON: `"00123"`, `"=1+1"`. So it is no number, date or
formula to a spreadsheet, and stands on one line. An empty cell is NULL. The last column is never empty, because some
spreadsheets leave out empty cells at the end of a line.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TextIO

from framework.errors import SourceFileError
from framework.load.quarantine.contents import QuarantinedRow
from framework.model.words import counted
from framework.rows.reasons import no_json_reason, no_text_reason

_FIELD = "record."
_SURPLUS = "surplus."
_FIRST = ("file", "row", "column", "reason")
_LAST = ("header", "etag")
_MISSING = "(missing)"
"""A field that the record lacks."""
_UNREADABLE = "(unreadable)"
"""Before a text that stands for something else in the file: bytes that are no text, a record that is none."""
_SURPLUS_NULL = "(null)"


def write_sheet(rows: Callable[[], Iterable[QuarantinedRow]], file: TextIO) -> int:
    """Write rows, which can be read twice, as CSV with a header; return how many."""
    fields: dict[str, None] = {}
    surplus = written = 0
    for row in rows():
        fields |= dict.fromkeys(row.header)
        surplus = max(surplus, len(row.record) - len(row.header))
    writer = csv.writer(file)
    of_fields = [_field_column(name) for name in fields]
    writer.writerow([*_FIRST, *of_fields, *(f"{_SURPLUS}{number + 1}" for number in range(surplus)), *_LAST])
    for row in rows():
        writer.writerow([*_place(row), *_cells(row, list(fields)), *_surplus_cells(row, surplus), *_origin(row)])
        written += 1
    return written


def is_sheet(columns: Sequence[str]) -> bool:
    """Return whether a CSV file with these columns was written by `write_sheet`."""
    return "record" not in columns and any(name.startswith(_FIELD) for name in columns)


def sheet_rows(lines: Iterable[tuple[int, Mapping[str, str]]], shown: str) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the numbered rows of such a file as quarantine has them; `shown` is how messages name it.

    Raises:
        SourceFileError: a row cannot be understood, or has a cell that must be corrected.
    """
    for number, line in lines:
        place = f"{shown}: row {number}"
        try:
            header = json.loads(line["header"] or "")
        except ValueError as error:
            raise SourceFileError(f"{place}, header: no JSON: {error}. Leave it as it was exported.") from error
        record = _record(line, [str(name) for name in header] if isinstance(header, list) else [], place)
        origin = {name: _text(line[name] or "", f"{place}, {name}") for name in ("file", "etag")}
        yield number, {"row": line["row"], "header": line["header"], "record": json.dumps(record), **origin}


def _place(row: QuarantinedRow) -> list[object]:
    return [_cell(row.file), row.row, _cell(row.column), _cell(row.reason)]


def _origin(row: QuarantinedRow) -> list[str]:
    return [_printable(json.dumps(row.header, ensure_ascii=False)), _cell(row.etag)]


def _cells(row: QuarantinedRow, fields: Sequence[str]) -> Iterator[str]:
    places = {name: place for place, name in enumerate(row.header)}
    for name in fields:
        place = places.get(name)
        if place is None:
            yield ""
        elif place >= len(row.record):
            yield _MISSING
        else:
            cell = _cell(row.record[place])
            yield f"{_UNREADABLE} {cell}" if _is_unreadable(row, name) else cell


def _surplus_cells(row: QuarantinedRow, number: int) -> Iterator[str]:
    texts = row.record[len(row.header) :]
    for place in range(number):
        yield "" if place >= len(texts) else _cell(texts[place]) or _SURPLUS_NULL


def _is_unreadable(row: QuarantinedRow, name: str) -> bool:
    """Return whether the text of a field would load as it is although the field is bad."""
    if row.column is None:
        # A record that is none is one field, which may be as many as the header has.
        return len(row.record) == len(row.header)
    reasons = (no_text_reason(), no_json_reason())
    if name == row.column:
        return row.reason.startswith(reasons)
    return any(f"; {name} {reason}" in row.reason for reason in reasons)


def _cell(text: str | None) -> str:
    return "" if text is None else _printable(json.dumps(text, ensure_ascii=False))


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def _field_column(name: str) -> str:
    return f"{_FIELD}{_cell(name)[1:-1]}"


def _record(line: Mapping[str, str], header: Sequence[str], place: str) -> list[str | None]:
    columns = {_field_column(name): name for name in header}
    for column, cell in line.items():
        if column.startswith(_FIELD) and cell and column not in columns:
            raise SourceFileError(f"{place}, {column}: its file does not have this field. Leave it empty.")
    cells: list[str] = []
    for column in columns:
        if column not in line:
            raise SourceFileError(
                f"{place}: the column {column!r} is missing. Leave the columns as they were exported."
            )
        cells.append(line[column] or "")
    while cells and cells[-1] == _MISSING:
        cells.pop()
    if _MISSING in cells:
        name = list(columns)[cells.index(_MISSING)]
        raise SourceFileError(f"{place}, {name}: write its value in place of {_MISSING}, or leave the cell empty.")
    record = [_value(cell, f"{place}, {column}") for cell, column in zip(cells, columns, strict=False)]
    surplus = [line[column] or "" for column in line if column.startswith(_SURPLUS)]
    while surplus and not surplus[-1]:
        surplus.pop()
    if surplus:
        raise SourceFileError(
            f"{place}: {counted(len(surplus), 'field')} more than its header names. Empty the cells of {_SURPLUS}*, "
            "once their texts are where they belong."
        )
    return record


def _value(cell: str, place: str) -> str | None:
    if cell.startswith(_UNREADABLE):
        raise SourceFileError(f"{place}: write its value in place of {_UNREADABLE}, or leave the cell empty for NULL.")
    return _text(cell, place) if cell else None


def _text(cell: str, place: str) -> str:
    """Return the text of a cell: in double quotes with JSON's escapes, or as it is typed."""
    if not cell.startswith('"'):
        return cell
    try:
        text = json.loads(cell)
    except ValueError as error:
        raise SourceFileError(
            f"{place}: the text is not in double quotes as it was exported: {error}. Write it in double quotes, with "
            r"\" for a double quote and \\ for a backslash, or without any."
        ) from error
    return str(text)
