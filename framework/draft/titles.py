"""What stands above the rows of a file: a header, a title, or nothing. What cannot be known is refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from framework.rows.formats.csv.header_rule import DataCell, MostlyEmpty, kind_of, looks_like_data

_SEPARATOR_LINE = re.compile(r'"?sep=(?:\\t|[^"])"?[ \t]*', re.IGNORECASE)
"""Excel takes the delimiter from such a line."""


def filled(cells: Sequence[str]) -> int:
    """Return how many cells have a text."""
    return sum(bool(cell.strip(' "')) for cell in cells)


def is_real_header(header: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether a record is surely a header: full, its names differ, and one stands above values."""
    if len(set(header)) < len(header) or not all(cell.strip() for cell in header):
        return False
    return looks_like_data(header, below) is None and any(
        kind_of(name) is None and _has_values(below, place) for place, name in enumerate(header)
    )


def _has_values(below: Sequence[Sequence[str]], place: int) -> bool:
    cells = [record[place] for record in below if place < len(record) and record[place].strip()]
    return 2 * sum(kind_of(cell) is not None for cell in cells) > len(cells)


def header_of_filled(records: Sequence[Sequence[str]]) -> bool | None:
    """Return whether a first record with many empty cells is a header; None where that cannot be known."""
    places = [place for place, cell in enumerate(records[0]) if cell.strip()]
    first = [records[0][place] for place in places]
    below = [[record[place] for place in places] for record in records[1:] if len(record) == len(records[0])]
    match looks_like_data(first, below):
        case DataCell():
            return False
        case MostlyEmpty():
            return None
    return True if len(first) > 1 and is_real_header(first, below) else None


def may_be_title(records: Sequence[Sequence[str]]) -> bool:
    """Return whether the first record has empty cells and the second, which has none, is surely a header."""
    if len(records) < 3 or all(cell.strip() for cell in records[0]):
        return False
    return len(records[0]) == len(records[1]) and is_real_header(records[1], records[2:])


def are_titles(above: Sequence[Sequence[str]], records: Sequence[Sequence[str]], has_header: bool) -> bool:
    """Return whether the fields of lines above records are no rows: one text each, above what is surely a header."""
    if not any(map(filled, above)):
        return True
    return has_header and all(filled(cells) <= 1 for cells in above) and is_real_header(records[0], records[1:])


def is_separator_line(line: str) -> bool:
    """Return whether a line sets the delimiter for Excel."""
    return _SEPARATOR_LINE.fullmatch(line) is not None


def doubt_about(records: Sequence[Sequence[str]]) -> str | None:
    """Return what the first record may be, and the option that decides; None where it is no likely title."""
    (width, most), *_ = Counter(map(len, records[1:])).most_common(1) or [(0, 0)]
    if width < 2 or 2 * most <= len(records) - 1:
        return None
    first = records[0]
    if len(first) == 1:
        return (
            f"the first line has 1 field and the lines below it have {width}: it is a title above rows "
            "(--skip-lines 1), or the header of one column (--delimiter with a text that does not occur, such as "
            "--delimiter '~')"
        )
    if len(first) == width and filled(first) < width:
        return (
            f"the first line fills {filled(first)} of its {width} fields: it is a title above rows (--skip-lines 1), "
            "or the header (--skip-lines 0)"
        )
    return None
