"""Columns of Parquet files: names, values and types are those of the footer, whatever DuckDB makes of them."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from framework.errors import SourceFileError
from framework.model.column_type import parse_type
from framework.model.files import SourceBatch
from framework.model.staging import FromFile, StagingColumn
from framework.rows.engine import BatchRows
from framework.rows.formats.recognise import BrokenFile
from tests.unit.rows.benches import InlineSession, KeptFiles, look_of, stage_rows

FLAT = "format: parquet, options: {nested: flatten}"
NOON = datetime(2024, 1, 31, 12, 30, 0, 250_000, tzinfo=UTC)
_EPOCH_DAY = 2_440_588
"""The Julian day of 1970-01-01, from which INT96 counts."""


def parquet(table: pa.Table, **options: Any) -> bytes:
    target = io.BytesIO()
    pyarrow.parquet.write_table(table, target, **options)
    return target.getvalue()


def staged(content: bytes, folder: Path, source: str = "format: parquet", **types: str) -> list[dict[str, Any]]:
    """Return the staging rows by the headers of the file, which may differ only in case, or be empty."""
    layout = look_of(content, source)
    names = tuple(f"column_{place}" for place in range(len(layout.header)))
    layout = replace(layout, columns=names)
    store = KeptFiles({"0.csv": content})
    rows = BatchRows(InlineSession(folder, store), store, SourceBatch((layout,)), 1024**2)
    kinds = [types.get(header, "varchar(65535)") for header in layout.header]
    columns = [StagingColumn(name, parse_type(kind), FromFile()) for name, kind in zip(names, kinds, strict=True)]
    rows.stage(columns, "s3://lake/staging")
    found = [row for path in store.written for row in pyarrow.parquet.read_table(path).to_pylist()]
    return [dict(zip(layout.header, (row[name] for name in names), strict=True)) for row in found]


def of_columns(*columns: tuple[str, list[Any]]) -> bytes:
    names = [name for name, _ in columns]
    return parquet(pa.table([pa.array(values) for _, values in columns], names=names))


def test_a_float_is_no_code_however_large_or_small(tmp_path: Path) -> None:
    numbers = [1e19, -1.5e16, 1.5e-7, 100.0, 1e38, None]
    content = parquet(pa.table({"d": numbers, "n": [1e17] * 6, "r": pa.array([1.5e20] * 6, pa.float32())}))

    rows = staged(content, tmp_path, n="bigint", r="decimal(38,0)")

    texts = ["10000000000000000000", "-15000000000000000", "0.00000015", "100.0", "1e+38", None]
    assert [row["d"] for row in rows] == texts
    assert (rows[0]["n"], rows[0]["r"]) == (10**17, 150_000_000_000_000_000_000)


def test_a_zero_has_no_sign(tmp_path: Path) -> None:
    content = parquet(pa.table({"d": [-0.0, -0.5], "r": pa.array([-0.0, 0.0], pa.float32())}))

    rows = staged(content, tmp_path, d="double precision", r="real")

    assert [str(row["d"]) for row in rows] == ["0.0", "-0.5"]
    assert [str(row["r"]) for row in rows] == ["0.0", "0.0"]


@pytest.mark.parametrize("values", [[Decimal("1.50")], [b"abcd"], [None, Decimal("1")]])
def test_an_encoding_that_cannot_be_read_is_named(tmp_path: Path, values: list[Any]) -> None:
    arrow = pa.binary(4) if isinstance(values[0], bytes) else pa.decimal128(9, 2)
    table = pa.table({"id": [1] * len(values), "o": [{"x": value} for value in pa.array(values, arrow).to_pylist()]})
    table = table.append_column("amount", pa.array(values, arrow))
    content = parquet(table, use_dictionary=False, column_encoding={"amount": "BYTE_STREAM_SPLIT"})

    with pytest.raises(BrokenFile, match=r"'amount' is bytes of fixed length.*encoding BYTE_STREAM_SPLIT"):
        look_of(content, "format: parquet")
    sound = parquet(table, use_dictionary=False, column_encoding={"id": "BYTE_STREAM_SPLIT"})
    assert [row["id"] for row in staged(sound, tmp_path)] == ["1"] * len(values)


def test_messages_name_no_local_file(tmp_path: Path) -> None:
    content = parquet(pa.table({"id": list(range(50)), "text": ["x"] * 50}), write_page_checksum=False)
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    places = [*range(4, start, 11), *range(start, len(content) - 8, 9)]
    messages = []

    for number, place in enumerate(places):
        broken = content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            stage_rows(broken, "format: parquet", {"id": "bigint"}, folder)
        except (BrokenFile, SourceFileError, ValueError) as error:
            messages.append(str(error))

    assert len(messages) > 20
    assert [message for message in messages if str(tmp_path) in message or "feedway-footer" in message] == []


@pytest.mark.exhaustive
def test_a_list_that_takes_all_memory_is_the_fault_of_the_file(tmp_path: Path) -> None:
    length = 40_000_000
    entries = pa.DictionaryArray.from_arrays(pa.array(memoryview(bytes(length)), pa.int8()), pa.array([7])).cast(
        pa.int64()
    )
    content = parquet(pa.table({"l": pa.ListArray.from_arrays(pa.array([0, length], pa.int32()), entries)}))

    with pytest.raises(SourceFileError, match="more than the memory of DuckDB takes") as refused:
        stage_rows(content, "format: parquet", {"l": "super"}, tmp_path)

    assert "Send it again" not in str(refused.value)


def test_a_key_with_quotes_hides_no_other_field(tmp_path: Path) -> None:
    content = parquet(pa.table({"o": [{"i": {"owner's": 1, "x": 2, 'a"b, (': 4}, "lost": 3}]}))

    (row,) = staged(content, tmp_path, FLAT)

    assert row == {"o.i.owner's": "1", "o.i.x": "2", 'o.i.a"b, (': "4", "o.lost": "3"}


def test_names_are_those_of_the_file(tmp_path: Path) -> None:
    columns = [("A", [1]), ("a", [2]), ("", [3]), ("file_row_number", [4]), ("f0", [5]), ("filename", [6])]

    forth = staged(of_columns(*columns), tmp_path)
    back = staged(of_columns(*reversed(columns)), tmp_path)

    assert forth == back == [{"A": "1", "a": "2", "": "3", "file_row_number": "4", "f0": "5", "filename": "6"}]


def test_rows_are_counted_beside_a_column_of_that_name(tmp_path: Path) -> None:
    table = pa.table({"id": range(9), "file_row_number": range(9, 0, -1)})
    content = parquet(table, row_group_size=2)

    rows, _ = stage_rows(content, "format: parquet", {}, tmp_path, size_bytes=1)

    assert [row["id"] for row in rows] == [str(number) for number in range(9)]


def test_fields_that_differ_only_in_case_stay_apart(tmp_path: Path) -> None:
    content = parquet(pa.table({"s": [{"x": 1, "X": 2}]}))

    assert staged(content, tmp_path, FLAT) == [{"s.x": "1", "s.X": "2"}]
    for inner in ({"x": 1, "X": 2}, [{"x": 1, "X": 2}]):
        (own,) = look_of(parquet(pa.table({"s": [inner]})), "format: parquet").types
        assert own.fault.startswith("the column 's' has a struct with two fields whose names differ only in case")


def test_nested_values_of_all_kinds_are_read(tmp_path: Path) -> None:
    column = pa.array([[("k", [{"a": 1}])]], pa.map_(pa.string(), pa.list_(pa.struct([("a", pa.int64())]))))

    (row,) = staged(parquet(pa.table({"m": column})), tmp_path)

    assert row["m"] == '{"k":[{"a":1}]}'


@pytest.mark.parametrize("is_list", [False, True])
def test_decimals_beyond_38_digits_are_refused(is_list: bool) -> None:
    own = pa.decimal256(50, 2)
    column = pa.array([[Decimal("1.5")]], pa.list_(own)) if is_list else pa.array([Decimal("1.5")], own)

    (own,) = look_of(parquet(pa.table({"n": column})), "format: parquet").types

    assert own.fault.startswith("the column 'n' has decimals of 50 digits")


def int96(nanoseconds: int, day: date) -> bytes:
    """Return a file with INT96 timestamps: 2024-01-31 12:30:00.25, NULL, and another one."""
    stamps = pa.array([NOON.replace(tzinfo=None), None, datetime(2262, 1, 1, tzinfo=UTC)], pa.timestamp("us"))
    content = parquet(
        pa.table({"at": stamps}), use_deprecated_int96_timestamps=True, compression="none", use_dictionary=False
    )
    days = [(each - date(1970, 1, 1)).days + _EPOCH_DAY for each in (date(2262, 1, 1), day)]
    return content.replace(struct.pack("<qi", 0, days[0]), struct.pack("<qi", nanoseconds, days[1]))


@pytest.mark.parametrize("year", [1, 1500, 9999])
def test_int96_keeps_far_years(year: int, tmp_path: Path) -> None:
    rows = staged(int96(1_234_567_000, date(year, 12, 31)), tmp_path, at="timestamp")

    far = datetime(year, 12, 31, 0, 0, 1, 234_567, tzinfo=UTC).replace(tzinfo=None)
    assert [row["at"] for row in rows] == [NOON.replace(tzinfo=None), None, far]


def test_nanoseconds_of_int96_are_not_cut_off(tmp_path: Path) -> None:
    content = int96(1_234_567_001, date(2024, 2, 1))

    assert [row["at"] for row in staged(content, tmp_path, at="timestamp")] == [NOON.replace(tzinfo=None), None]
    texts = [row["at"] for row in staged(content, tmp_path)]
    assert texts == ["2024-01-31 12:30:00.25", None, "2024-02-01 00:00:01.234567001"]


def test_a_file_without_columns_is_named_so() -> None:
    with pytest.raises(BrokenFile, match=r"^the Parquet file has no column$"):
        look_of(parquet(pa.table({"a": [1]}).select([])), "format: parquet")
