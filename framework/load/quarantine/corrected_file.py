"""Reads a corrected quarantine file: Parquet, CSV converted from it, or CSV as `quarantine export` writes it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from framework.dataclass import dataclass
from framework.errors import SourceFileError
from framework.load.quarantine.contents import parquet_rows
from framework.load.quarantine.spreadsheet import is_sheet, sheet_rows

_NEEDED = ("file", "row", "record", "header", "etag")
_FORBIDDEN_PARTS = {"", ".", ".."}
_DELIMITER = re.compile(r'"?file"?([;\t])')
"""What some spreadsheets write in place of commas, in the header of an exported file."""
_PARQUET_MAGIC = b"PAR1"
_MOST_DIGITS = 18
"""Maximum number of digits of a row's number: a BIGINT holds them."""


@dataclass(frozen=True)
class CorrectedRow:
    """One row of a quarantine file: where it came from, its fields, and their names.

    `etag` distinguishes the deliveries of one file name. `number` counts the rows of the quarantine file from 1.
    """

    file: str
    etag: str
    row: int
    record: tuple[str | None, ...]
    header: tuple[str, ...]
    number: int


def read_corrected(path: Path, shown: str) -> list[CorrectedRow]:
    """Return the rows of a quarantine file; `shown` is how messages name it. `column` and `reason` may be missing.

    `path` must have no glob characters.

    Raises:
        SourceFileError: it is no quarantine file, or a row of it cannot be understood.
        SpecError: it is Parquet, and the package that reads it is not installed.
    """
    with path.open("rb") as file:
        is_parquet = file.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC
    rows = _parquet_rows(path, shown) if is_parquet else _csv_rows(path, shown)
    return [_corrected(row, number, shown) for number, row in rows]


def _csv_rows(path: Path, shown: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    csv.field_size_limit(2**31 - 1)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = _DELIMITER.match(file.readline())
            file.seek(0)
            reader = csv.DictReader(file, strict=True, delimiter=found[1] if found else ",")
            columns = reader.fieldnames or ()
            lines = _whole_lines(reader, shown)
            is_exported = is_sheet(columns)
            _require([*columns, *(("record",) if is_exported else ())], shown)
            yield from sheet_rows(lines, shown) if is_exported else lines
    except (csv.Error, UnicodeDecodeError) as error:
        raise SourceFileError(f"{shown}: neither Parquet nor CSV in UTF-8: {error}. Save it as one of them.") from error


def _whole_lines(reader: Iterable[dict[str, str]], shown: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines with their numbers, but for those without a text, whose cells somebody emptied."""
    for number, line in enumerate(reader, start=1):
        if None in line:
            raise SourceFileError(f"{shown}: row {number} has more cells than the header. Put its texts in quotes.")
        if any(line.values()):
            yield number, line


def _parquet_rows(path: Path, shown: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, row in enumerate(parquet_rows(path, shown), start=1):
        if number == 1:
            _require(list(row), shown)
        yield number, row


def _require(names: Sequence[str], shown: str) -> None:
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise SourceFileError(
            f"{shown}: the column {missing[0]!r} is missing. A quarantine file has {', '.join(_NEEDED)}; "
            "correct the record and leave the others as they are."
        )


def _corrected(row: Mapping[str, object], place_in_file: int, shown: str) -> CorrectedRow:
    place = f"{shown}: row {place_in_file}"
    header = _texts(row["header"], f"{place}, header")
    if None in header or not header:
        raise SourceFileError(f"{place}, header: a name is missing. Leave the header as quarantine has it.")
    number, name, etag = str(row["row"]), str(row["file"] or ""), str(row["etag"] or "")
    is_inside = _FORBIDDEN_PARTS.isdisjoint(name.split("/"))
    is_number = number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS
    if not is_number or int(number) < 1 or not is_inside or not etag:
        raise SourceFileError(
            f"{place}: file, row and etag must say where the row came from. Leave them as quarantine has them."
        )
    record = _texts(row["record"], f"{place}, record")
    return CorrectedRow(name, etag, int(number), record, tuple(map(str, header)), place_in_file)


def _texts(value: object, place: str) -> tuple[str | None, ...]:
    """Read a JSON array of texts and nulls. A number is read as its own text, so that none passes through a float."""
    try:
        fields = json.loads(str(value), parse_int=str, parse_float=str)
        # Half a surrogate pair is JSON and no text.
        json.dumps(fields, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise SourceFileError(f"{place}: no JSON: {error}. Write an array of texts and nulls.") from error
    if not isinstance(fields, list) or any(field is not None and not isinstance(field, str) for field in fields):
        raise SourceFileError(f'{place}: no array of texts and nulls, such as ["1", null, "a"]. Correct it.')
    return tuple(fields)
