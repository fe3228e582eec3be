"""A sample of a file has about as many rows as were asked for, in each format."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest

from framework.model.column_type import parse_type
from framework.model.files import SourceBatch
from framework.model.staging import FromFile, StagingColumn
from framework.rows.engine import BatchRows
from framework.rows.formats.json.pointer import name_of
from framework.rows.splits import SAMPLED_SPLIT_BYTES, split_bytes
from tests.unit.rows.benches import InlineSession, KeptFiles, look_of

ROWS = 3000
NOTE = "x" * 200
"""So that the rows take more than twice what a sample reads of a text in one piece."""


def excel() -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in (["id", "note"], *([number, NOTE] for number in range(ROWS))):
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def parquet() -> bytes:
    content = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"id": range(ROWS), "note": [NOTE] * ROWS}), content)
    return content.getvalue()


def json_array() -> bytes:
    return json.dumps([{"id": number, "note": NOTE} for number in range(ROWS)]).encode()


def fixed() -> bytes:
    return "".join(f"{number:<5}{NOTE}\n" for number in range(ROWS)).encode()


@pytest.mark.parametrize(
    ("content", "source", "most"),
    [
        (excel, "format: excel", 10),
        (parquet, "format: parquet", 10),
        (json_array, "format: json", ROWS / 2),
        (fixed, "format: fixed, options: {fields: {id: [1, 5], note: [6, 300]}}", ROWS / 2),
    ],
)
def test_a_sample_has_few_rows(content: Callable[[], bytes], source: str, most: int, tmp_path: Path) -> None:
    file = content()
    layout, store = look_of(file, source), KeptFiles({"0.csv": file}, piece_bytes=64 * 1024)
    batch = SourceBatch((layout,), sample_rows=10)
    rows = BatchRows(InlineSession(tmp_path, store), store, batch, split_bytes(batch, 2))
    if not layout.columns:
        paths = rows.paths()[0, ""]
        names = tuple(map(name_of, paths))
        batch = replace(batch, files=(replace(layout, columns=names, header=names, paths=paths),))
        rows = rows.named(batch)

    seen = rows.stage([StagingColumn("id", parse_type("integer"), FromFile())], "s3://lake/staging")

    assert split_bytes(batch, 2) == SAMPLED_SPLIT_BYTES
    assert 10 <= seen.files[0].rows_read <= most
