"""Files with characters and line ends that a reader may trip over: what loads, and what goes to quarantine."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from framework.load.quarantine.replay import replay_quarantine
from tests.harness import MakeFeed, csv_text

SPEC = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {mode: append}
metadata_columns: {run_date: null, file_name: null}
"""
QUARANTINE = "bad_rows: {action: quarantine, max_rows: 5}\n"


@pytest.mark.parametrize(
    "content", [b"a,b\r1,2\r3,4\n", b"a,b\r1,2\r3,4\r\n", b"a,b\n1,2\n3,4\r", b"a,b\r1,2\r3,4\n\n"]
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_may_end_in_another_line_end_than_its_records(
    make_feed: MakeFeed, embedded_engine: Any, content: bytes, pack: Callable[[bytes], bytes]
) -> None:
    feed = make_feed(SPEC, frames=embedded_engine)
    result = feed.load("f.csv", pack(content))
    assert result.status == "SUCCESS", result.failure
    assert feed.rows("a, b", "a") == [(1, 2), (3, 4)]


@pytest.mark.parametrize("content", [b"a,b\n1,2\r3,4\n5,6\n", b"a,b\r1,2\n3,4\r5,6\r"])
def test_another_line_end_in_the_midst_rejects_the_file(
    make_feed: MakeFeed, embedded_engine: Any, content: bytes
) -> None:
    feed = make_feed(SPEC, frames=embedded_engine)
    result = feed.load("f.csv", content)
    assert result.failure is not None
    assert "record 1: the quoting is not RFC 4180" in result.failure.message
    assert "a carriage return or line feed outside quotes ends no record" in result.failure.message


def test_a_record_keeps_the_byte_order_mark_it_begins_with(make_feed: MakeFeed, embedded_engine: Any) -> None:
    feed = make_feed(SPEC, frames=embedded_engine)
    for number, content in enumerate(("a,id\n\ufeffx,1\n\ufeffx,2\n", "\ufeffa,id\n\n\ufeffx,3\n")):
        assert feed.load(f"{number}.csv", content).status == "SUCCESS"
    assert feed.rows("id, a", "id") == [(1, "\ufeffx"), (2, "\ufeffx"), (3, "\ufeffx")]


def test_a_row_with_a_nul_goes_to_quarantine_and_loads_once_it_is_corrected(
    make_feed: MakeFeed, embedded_engine: Any, tmp_path: Path
) -> None:
    feed = make_feed(SPEC.replace("mode: append", "keys: [id]") + QUARANTINE, frames=embedded_engine)
    result = feed.load("f.csv", csv_text("id,v", "1,ok", "2,abc\0def", "3,ok", "\0,x"))
    assert result.status == "SUCCESS", result.failure
    assert (result.counts.inserted, result.counts.rejected) == (2, 2)
    assert feed.rows("id, v", "id") == [(1, "ok"), (3, "ok")]

    (key,) = feed.keys("data/quarantine/")
    body = feed.s3.get_object(Bucket="lake", Key=key)["Body"].read()
    kept = pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()
    reason = "holds a NUL character, which no warehouse column can store"
    assert [(row["row"], row["column"], row["reason"]) for row in kept] == [(2, "v", reason), (4, "id", reason)]
    assert [row["record"] for row in kept] == [r'["2","abc\u0000def"]', r'["\u0000","x"]']

    address = str(tmp_path / "corrected.parquet")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(kept), address)
    (still_bad,) = replay_quarantine(feed.spec(), feed.services(), address)
    assert still_bad.failure is not None
    assert "2 of 2 records hold a NUL character" in still_bad.failure.message
    assert "first in row 1, which is row 2 of f.csv, column v" in still_bad.failure.message
    for row in kept:
        row["record"] = json.dumps([field.replace("\0", "4") for field in json.loads(row["record"])])
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(kept), address)
    (corrected,) = replay_quarantine(feed.spec(), feed.services(), address)
    assert corrected.status == "SUCCESS", corrected.failure
    assert feed.rows("id, v", "id") == [(1, "ok"), (2, "abc4def"), (3, "ok"), (4, "x")]


def test_without_quarantine_a_nul_rejects_its_file_and_names_the_field(
    make_feed: MakeFeed, embedded_engine: Any
) -> None:
    feed = make_feed(SPEC, frames=embedded_engine)
    result = feed.load("f.csv", b"id,v\n1,ok\n2,b\0\n")
    assert result.failure is not None
    assert "1 of 2 records holds a NUL character, which no column can store" in result.failure.message
    assert "in row 2, line 3, column v" in result.failure.message
    assert "\0" not in result.failure.message
    ((message,),) = [row for row in feed.audit("error_message") if row != (None,)]
    assert "a NUL character" in message
    assert "\0" not in message


@pytest.mark.parametrize("content", [b"\0id,v\n1,2\n", b"id,\0\n1,2\n", b"\0"])
def test_a_nul_in_the_header_rejects_the_file(make_feed: MakeFeed, embedded_engine: Any, content: bytes) -> None:
    feed = make_feed(SPEC + QUARANTINE, frames=embedded_engine)
    result = feed.load("f.csv", content)
    assert result.failure is not None
    assert result.failure.type == "SourceFileError"
    assert "f.csv: the header holds a NUL character" in result.failure.message
