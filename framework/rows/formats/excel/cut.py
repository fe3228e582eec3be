"""Cuts the lines of a sheet into records, and writes the sound ones as values of JSON in CSV."""

from __future__ import annotations

import codecs
import json
from array import array
from collections.abc import Sequence
from pathlib import Path

from framework.model.cell_range import cell_name
from framework.model.files import FileLayout
from framework.rows.formats.csv.table import CsvTable
from framework.rows.formats.excel.table import Line, TablePlace
from framework.rows.formats.excel.values import BadCell, cell_text, json_text
from framework.rows.segments import Cells, MalformedRecord, Segment, SplitRecords, write_malformed


def cut_lines(layout: FileLayout, split: int, lines: Sequence[Line], place: TablePlace, stem: Path) -> SplitRecords:
    """Return the records of some lines, in local files whose names begin with `stem`. Blank lines are none."""
    good: list[bytes] = []
    malformed: list[MalformedRecord] = []
    blanks, records = array("q"), 0
    for line in lines:
        cells = line.cells[place.first : place.end]
        is_beyond = any(cell != "" for cell in (*line.cells[: place.first], *line.cells[place.end :]))
        if not is_beyond and not any(cell != "" for cell in cells):
            blanks.append(records + 1)
            continue
        records += 1
        if is_beyond or any(isinstance(cell, BadCell) for cell in cells):
            malformed.append(MalformedRecord(records, _noted(line, place)))
        else:
            fields = [_quoted(json_text(cell)) for cell in cells]
            fields += [""] * (place.end - place.first - len(fields))
            good.append((",".join(fields) + "\n").encode("utf-8"))
    malformed_path = stem.with_name(f"{stem.name}-malformed.jsonl")
    write_malformed(malformed_path, malformed)
    dropped = array("q", (found.place for found in malformed))
    return SplitRecords(
        layout=layout,
        split=split,
        segments=(_segment(layout, split, good, dropped, stem),) if good else (),
        records=records,
        malformed_count=len(malformed),
        malformed_path=malformed_path,
        line_ends=len(lines),
        blanks=blanks,
    )


def noted_fields(record: str) -> list[str | None]:
    """Return the texts of the fields of a malformed record, None for an empty cell."""
    return [each if each is None or isinstance(each, str) else each["text"] for each in json.loads(record)]


def noted_fault(record: str) -> str:
    """Return why a record is malformed."""
    faults = [each for each in json.loads(record) if isinstance(each, dict)]
    return "; ".join(f"cell {each['cell']} {each['fault']}" for each in faults)


def _noted(line: Line, place: TablePlace) -> str:
    """Return a malformed record as JSON: the texts of its cells, with the places of those at fault."""
    end = max(place.end, 1 + max(index for index, cell in enumerate(line.cells) if cell != ""))
    noted: list[object] = []
    for index, cell in enumerate(line.cells[:end]):
        is_beyond = not place.first <= index < place.end
        name = cell_name(line.number - 1, line.first_column + index)
        if isinstance(cell, BadCell):
            noted.append({"cell": name, "fault": f"{cell.reason}{cell.text and ', '}{cell.text}", "text": cell.text})
        elif is_beyond and cell != "":
            noted.append({"cell": name, "fault": "has a value, and its column has no header", "text": cell_text(cell)})
        elif not is_beyond:
            noted.append(cell_text(cell) if cell != "" else None)
    noted += [None] * (place.end - len(line.cells))
    return json.dumps(noted, ensure_ascii=False)


def _quoted(value: str) -> str:
    """Return a value of JSON as a field of CSV: only texts hold quotes, delimiters or line ends."""
    return '"' + value.replace('"', '""') + '"' if value.startswith('"') else value


def _segment(layout: FileLayout, split: int, lines: Sequence[bytes], dropped: array[int], stem: Path) -> Segment:
    path = stem.with_name(f"{stem.name}.csv")
    with path.open("wb") as file:
        file.write(codecs.BOM_UTF8)
        file.writelines(lines)
    size, longest = sum(map(len, lines)), max(map(len, lines))
    table = CsvTable(path, ",", "\n", size, longest, Cells.JSON)
    return Segment(layout, split, path, table, 0, len(lines), size, dropped)
