"""Checksums of Parquet's pages: a file with a changed byte is not loaded."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from framework.errors import SourceFileError
from tests.unit.rows.benches import stage_rows

ROWS = 2_000
TABLE = pa.table(
    {
        "id": pa.array([number * 7_919_111 for number in range(ROWS)], pa.int64()),
        "o": [{"x": None if number % 3 else number / 4, "l": [number, number + 1]} for number in range(ROWS)],
        "text": [f"text {number}" for number in range(ROWS)],
    }
)
WAYS: list[dict[str, Any]] = [
    {"use_dictionary": False, "compression": "none"},
    {"use_dictionary": False, "compression": "none", "data_page_version": "2.0"},
    {"compression": "snappy", "data_page_size": 1024},
    {"compression": "zstd", "row_group_size": 300, "data_page_version": "2.0"},
]


def parquet(way: dict[str, Any], write_page_checksum: bool = True) -> bytes:
    target = io.BytesIO()
    pyarrow.parquet.write_table(TABLE, target, write_page_checksum=write_page_checksum, **way)
    return target.getvalue()


def staged(content: bytes, folder: Path) -> list[dict[str, Any]]:
    folder.mkdir()
    return stage_rows(content, "format: parquet", {"id": "bigint", "o": "super"}, folder, 4096)[0]


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("way", WAYS)
def test_a_sound_file_is_read_and_one_with_a_changed_byte_is_not(tmp_path: Path, way: dict[str, Any]) -> None:
    content = parquet(way)
    chunks = [
        pyarrow.parquet.read_metadata(io.BytesIO(content)).row_group(group).column(column)
        for group in (0, -1 % pyarrow.parquet.read_metadata(io.BytesIO(content)).num_row_groups)
        for column in range(4)
    ]

    assert [row["id"] for row in staged(content, tmp_path / "sound")] == TABLE["id"].to_pylist()
    for number, chunk in enumerate(chunks):
        # The last byte of a chunk is one of a page.
        place = (chunk.dictionary_page_offset or chunk.data_page_offset) + chunk.total_compressed_size - 1
        broken = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        with pytest.raises(SourceFileError, match="does not have the checksum that is written with it"):
            staged(broken, tmp_path / str(number))


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("way", WAYS)
def test_no_change_of_a_byte_ends_otherwise_than_in_a_message(tmp_path: Path, way: dict[str, Any]) -> None:
    content = parquet(way)
    end = len(content) - 8 - int.from_bytes(content[-8:-4], "little")

    for number, place in enumerate(range(4, end, max(1, end // 60))):
        broken = content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]
        try:
            rows = staged(broken, tmp_path / str(number))
        except SourceFileError:
            continue
        # What is no part of a page, such as statistics in its header, may change.
        assert [row["id"] for row in rows] == TABLE["id"].to_pylist()
        assert [row["text"] for row in rows] == TABLE["text"].to_pylist()
