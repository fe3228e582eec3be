"""Parquet files whose few bytes unpack to many are set aside before their rows take memory."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from framework.errors import SourceFileError
from framework.model.column_type import parse_type
from framework.model.staging import FromFile, StagingColumn
from framework.rows.formats.parquet.schema import rows_of
from framework.rows.formats.parquet.size import unpacked_size
from framework.rows.sql.database import connect_briefly
from tests.unit.rows.benches import open_rows

LONG = StagingColumn("text", parse_type("varchar(65535)"), FromFile())


def repeated(value: Any, rows: int) -> bytes:
    """Return a file with one value in all rows, which stands there once."""
    target = io.BytesIO()
    column = pa.array([value]).dictionary_encode().take(pa.array([0] * rows))
    pyarrow.parquet.write_table(pa.table({"text": column}), target, compression="zstd")
    return target.getvalue()


def test_texts_that_unpack_to_too_much_are_refused(tmp_path: Path) -> None:
    content = repeated("x" * 1_000_000, 2_000)
    assert len(content) < 1_000
    rows, _, store = open_rows(content, "format: parquet", tmp_path)

    with pytest.raises(SourceFileError, match=r"0\.csv: .* it unpacks to more than 1\.0 GB, the limit of"):
        rows.stage([LONG], "s3://lake/staging")
    assert store.written == []


def test_a_small_dictionary_is_no_reason_to_refuse(tmp_path: Path) -> None:
    content = repeated("x" * 1_500, 500_000)
    rows, layout, _ = open_rows(content, "format: parquet", tmp_path)
    assert sum(group.most_bytes for group in layout.row_groups) > 700_000_000

    assert rows.stage([LONG], "s3://lake/staging").files[0].rows_staged == 500_000


@pytest.mark.parametrize(
    ("values", "total"),
    [
        (pa.array(["abc", None, "ä"]), 5),
        (pa.array([b"\xff\x00", b""], pa.binary()), 2),
        (pa.array([1, 2]), 0),
        (pa.array([["ab", None], None, []]), 2 * 16 + 2),
        (pa.array([[1, 2, 3]]), 3 * 16),
        (pa.array([{"a": "xyz", "b": {"c": "d", "e": 1}}, None]), 4),
        (pa.array([[("key", ["a", "bc"])]], pa.map_(pa.string(), pa.list_(pa.string()))), 16 + 3 + 16 + 2 * 16 + 3),
    ],
)
def test_the_size_of_values_is_counted(values: pa.Array, total: int, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pa.table({"v": values}), path)

    with connect_briefly() as cursor:
        rows = f"(select *, file_row_number from {rows_of(path, 1)})"
        found = unpacked_size(cursor, rows, ("0",))

    assert (found.total_bytes, found.widest_bytes) == (total, total)
