"""Random files: rows, bad rows, measurements and quarantine.

What they are to be is worked out with Python's csv module and decimal.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from framework.model.csv_options import CsvOptions
from framework.model.date_format import DateFormat
from framework.model.notation import Notation
from framework.model.staging import StagingColumn
from framework.model.text import accepted_text
from tests.rows.conftest import Bench, column

COLUMNS = [
    column("k", "integer", required=True),
    column("d", "decimal(6,2)"),
    column("f", "double precision"),
    column("b", "boolean"),
    column("day", "date"),
    column("at", "timestamp"),
    column("v", "varchar(5)", measure_length=True),
    column("long", "varchar(65535)", measure_length=True),
    column("de", "date", notation=Notation(formats=(DateFormat("d.M.yyyy"),))),
]
NAMES = [staged.name for staged in COLUMNS]
ANYTHING = st.text(st.sampled_from('0123456789-+.eE ,;"\n\rTZ:é😀aNF\\'), max_size=8)
LIKELY = {
    "k": st.integers(-(2**33), 2**33).map(str),
    "d": st.decimals(-20_000, 20_000, places=3).map(str),
    "f": st.floats(allow_nan=True).map(repr),
    "b": st.sampled_from(["true", "FALSE", "True", "1", "yes"]),
    "day": st.dates().map(str) | st.sampled_from(["2023-02-29", "0000-01-01", "2024-1-1", "2024-06-31"]),
    "at": st.datetimes().map(str) | st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M}") | st.dates().map(str),
    "v": st.text("aé😀", max_size=4),
    "long": st.text(max_size=20).filter(lambda text: "\0" not in text and "\ufffd" not in text),
    "de": st.dates().map(lambda day: f"{day.day}.{day.month}.{day:%Y}") | st.sampled_from(["31.6.2024", "01.1.2024"]),
}
ROWS = st.tuples(*(st.one_of(LIKELY[name], LIKELY[name], st.none(), ANYTHING) for name in NAMES)).map(list)
RAGGED = st.lists(st.none() | ANYTHING, max_size=12)
FILES = st.lists(st.one_of(ROWS, ROWS, ROWS, RAGGED), max_size=30)


def python_value(staged: StagingColumn, text: str) -> Any:
    """Return the value of a text by Python's own means; ValueError for a misfit."""
    if staged.type.is_text:
        if len(text.encode()) > (staged.type.length_bytes or 0):
            raise ValueError(text)
        return text
    if staged.notation.formats:
        found = re.fullmatch(r"([1-9]|[12][0-9]|3[01])\.([1-9]|1[0-2])\.([0-9]{4})", text, re.ASCII)
        return date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat("misfit")
    if re.fullmatch(accepted_text(staged.type), text) is None:
        raise ValueError(text)
    readers: dict[str, Callable[[str], Any]] = {
        "integer": int,
        "decimal(6,2)": lambda number: Decimal(number).quantize(Decimal("0.01")),
        "double precision": float,
        "boolean": lambda word: word.lower() == "true",
        "date": date.fromisoformat,
        "timestamp": datetime.fromisoformat,
    }
    value = readers[staged.type.sql](text)
    if staged.type.sql == "integer" and not -(2**31) <= value < 2**31:
        raise ValueError(text)
    if staged.type.sql == "double precision" and not math.isfinite(value):
        raise ValueError(text)
    return value


def written(rows: list[list[str | None]], line_end: str, delimiter: str) -> bytes:
    """Return a file in which NULL is an unquoted empty field, and every text is quoted that needs to be."""

    def field(text: str | None) -> str:
        if text is None:
            return ""
        needed = not text or set(text) & set('"\r\n' + delimiter)
        return '"' + text.replace('"', '""') + '"' if needed else text

    lines = [delimiter.join(NAMES), *(delimiter.join(map(field, row)) for row in rows)]
    return (line_end.join(lines) + line_end).encode("utf-8")


def expected_rows(files: list[list[list[str | None]]]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return the good rows with their file, and (file, row, column, text) of what is bad."""
    good: list[tuple[Any, ...]] = []
    bad: list[tuple[Any, ...]] = []
    for ordinal, rows in enumerate(files):
        # A record without any character is no record.
        records = [row for row in rows if row not in ([], [None])]
        for number, row in enumerate(records, start=1):
            if len(row) != len(COLUMNS):
                bad.append((f"{ordinal}.csv", number, None))
                continue
            values, faults = [], []
            for staged, text in zip(COLUMNS, row, strict=True):
                try:
                    values.append(None if text is None else python_value(staged, text))
                    if text is None and staged.required:
                        raise ValueError("NULL key")
                except ValueError:
                    faults.append((f"{ordinal}.csv", number, staged.name))
            bad += faults
            if not faults:
                good.append((*values, ordinal))
    return good, bad


@settings(
    max_examples=8,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    files=st.lists(FILES, min_size=3, max_size=3),
    line_end=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from([",", ";", "|"]),
)
def test_rows_and_bad_rows_are_those_that_python_finds(
    bench: Bench, files: list[list[list[str | None]]], line_end: str, delimiter: str
) -> None:
    contents = {f"{n}.csv": written(rows, line_end, delimiter) for n, rows in enumerate(files)}
    for ordinal, rows in enumerate(files):
        text = contents[f"{ordinal}.csv"].decode("utf-8")
        parsed = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
        assert parsed[1:] == [[field or "" for field in row] for row in rows if row not in ([], [None])]
    batch = bench.batch(contents, CsvOptions(delimiter, "utf-8"))
    good, bad = expected_rows(files)

    measured, staged = bench.stage(batch, COLUMNS)
    again, kept = bench.measure_and_quarantine(batch, COLUMNS)
    bad_rows = bench.read_bad_rows(batch, COLUMNS, 1000)

    assert again == measured
    assert [row[:-1] for row in staged] == good
    assert [(found.file, found.row, found.column) for found in bad_rows] == bad
    assert measured.rows_staged == len(good)
    assert measured.rows_bad == len({place[:2] for place in bad})
    assert measured.malformed_rows == sum(name is None for _, _, name in bad)
    for name in NAMES:
        entries = [found for found in bad_rows if found.column == name]
        nulls = sum(found.text is None for found in entries)
        assert (measured.columns[name].misfits, measured.columns[name].null_keys) == (len(entries) - nulls, nulls)
    assert [(row["file"], row["row"]) for row in kept] == list(dict.fromkeys(place[:2] for place in bad))
    for row in kept:
        records = [record for record in files[int(row["file"][0])] if record not in ([], [None])]
        assert json.loads(row["record"]) == records[row["row"] - 1]
        assert json.loads(row["header"]) == NAMES
