"""The same rows, written in each format, are staged alike."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.rows.benches import stage_rows

TYPES = {
    "id": "bigint",
    "price": "decimal(18,4)",
    "text": "varchar(200)",
    "flag": "boolean",
    "day": "date",
    "at": "timestamp",
}
ARROW = {
    "id": pa.int64(),
    "price": pa.decimal128(18, 4),
    "text": pa.string(),
    "flag": pa.bool_(),
    "day": pa.date32(),
    "at": pa.timestamp("us"),
}
PLAIN = tuple(name for name in TYPES if name != "text")
"""The columns whose values have no line ends, and no blanks around them."""
WIDTH = 26
FIXED = ", ".join(f"{name}: [{1 + place * WIDTH}, {(place + 1) * WIDTH}]" for place, name in enumerate(PLAIN))
Row = Mapping[str, Any]
ROW = st.fixed_dictionaries(
    {
        "id": st.integers(-(2**63), 2**63 - 1),
        "price": st.none() | st.decimals(-(10**13), 10**13, places=4),
        "text": st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
        "flag": st.none() | st.booleans(),
        "day": st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
        "at": st.none() | st.datetimes(),
    }
)


def written(value: Any) -> str:
    """Return a value as CSV has it, in quotes where it is a text; NULL is nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return str(value)


def as_csv(rows: Sequence[Row]) -> bytes:
    text = ",".join(TYPES) + "\n" + "".join(",".join(written(row[name]) for name in TYPES) + "\n" for row in rows)
    return text.encode("utf-8")


def in_json(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(str(value) if isinstance(value, date) else value)


def as_lines(rows: Sequence[Row]) -> bytes:
    """Return the rows as lines of JSON; a NULL is null, or has no key."""
    found = []
    for number, row in enumerate(rows):
        pairs = [f'"{name}": {in_json(value)}' for name, value in row.items() if value is not None or number % 2 == 0]
        found.append("{" + ", ".join(pairs) + "}\n")
    return "".join(found).encode("utf-8")


def as_array(rows: Sequence[Row]) -> bytes:
    return b"[" + as_lines(rows).strip().replace(b"}\n{", b"},\n{") + b"]"


def as_parquet(rows: Sequence[Row]) -> bytes:
    columns = {name: pa.array([row[name] for row in rows], ARROW[name]) for name in TYPES}
    target = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), target, row_group_size=3)
    return target.getvalue()


def as_workbook(rows: Sequence[Row]) -> bytes:
    """Return the rows as a workbook; numbers and times that it does not hold exactly are texts, as are early days."""
    book = openpyxl.Workbook()
    book.active.append(list(TYPES))
    for row in rows:
        book.active.append([in_cell(row[name]) for name in TYPES])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def in_cell(value: Any) -> Any:
    match value:
        case bool() | None:
            return value
        case int() | Decimal():
            return value if -(10**11) < value < 10**11 else str(value)
        case datetime():
            return str(value)
        case date():
            return value if value >= date(1900, 3, 1) else str(value)
        case _:
            return value


def as_fixed(rows: Sequence[Row]) -> bytes:
    return "".join(f"{''.join(f'{written(row[name]):>{WIDTH}}' for name in PLAIN)}\n" for row in rows).encode("utf-8")


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(
    ("source", "write"),
    [("format: json", as_lines), ("format: json", as_array), ("format: parquet", as_parquet)],
)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROW, min_size=1, max_size=8), size=st.sampled_from([64, 1024**2]))
def test_rows_are_staged_as_those_of_csv(
    tmp_path_factory: pytest.TempPathFactory,
    source: str,
    write: Callable[[Sequence[Row]], bytes],
    rows: list[Row],
    size: int,
) -> None:
    expected, _ = stage_rows(as_csv(rows), "format: csv", TYPES, tmp_path_factory.mktemp("csv"), size)
    assert len(expected) == len(rows)

    found, seen = stage_rows(write(rows), source, TYPES, tmp_path_factory.mktemp("other"), size)

    assert seen.rows_bad == 0
    # A key that no record has is no column.
    assert [{name: row.get(name) for name in TYPES} for row in found] == expected


TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@pytest.mark.exhaustive
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(st.tuples(ROW, TEXTS), min_size=1, max_size=8))
def test_rows_of_a_workbook_are_staged_as_those_of_csv(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Row, str]]
) -> None:
    # An empty text of a workbook is NULL, and openpyxl takes some texts for formulas and escapes.
    table = [{**row, "text": f"x{text}".replace("_", "-")} for row, text in rows]
    expected, _ = stage_rows(as_csv(table), "format: csv", TYPES, tmp_path_factory.mktemp("csv"))

    found, seen = stage_rows(as_workbook(table), "format: excel", TYPES, tmp_path_factory.mktemp("excel"))

    assert (seen.rows_bad, found) == (0, expected)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROW, min_size=1, max_size=8), size=st.sampled_from([64, 1024**2]))
def test_rows_of_fixed_width_are_staged_as_those_of_csv(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], size: int
) -> None:
    expected, _ = stage_rows(as_csv(rows), "format: csv", TYPES, tmp_path_factory.mktemp("csv"), size)

    source = f"format: fixed, options: {{fields: {{{FIXED}}}}}"
    found, seen = stage_rows(as_fixed(rows), source, TYPES, tmp_path_factory.mktemp("fixed"), size)

    assert (seen.rows_bad, found) == (0, [{name: row[name] for name in PLAIN} for row in expected])


def test_the_rows_of_csv_are_those_of_the_csv_module(tmp_path: Path) -> None:
    row = {"id": -7, "price": Decimal("1.2300"), "text": 'a "b",\n', "flag": True, "day": date(2024, 1, 31), "at": None}
    content = as_csv([row])

    found, _ = stage_rows(content, "format: csv", TYPES, tmp_path)

    assert list(csv.reader(io.StringIO(content.decode(), newline="")))[1][2] == row["text"]
    assert found == [row]
