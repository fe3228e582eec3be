"""Large files that one task would have to read, and their copies that a cluster shares."""

from __future__ import annotations

import gzip
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from framework.errors import SourceFileError
from framework.lake import download
from framework.model.csv_options import CsvOptions
from framework.model.files import SourceFile
from framework.rows.spark import copies, files
from framework.rows.spark.engine import SparkFrames
from tests.rows.conftest import Bench, column

COLUMNS = [column("k", "integer", required=True), column("v", "varchar(9)", measure_length=True)]
ROWS = 200
ROW_ENDS = {7: ",", 50: "", 123: ",,"}
"""Records that are bad, by their ordinal: a NULL key, a field too few and a field too many."""


def large_file(line_break: str, line_end: str = "\n") -> str:
    rows = []
    for number in range(1, ROWS + 1):
        match ROW_ENDS.get(number):
            case ",":
                rows.append(f',"é{line_break}b"')
            case "":
                rows.append(str(number))
            case ",,":
                rows.append(f"{number},x,y")
            case _:
                rows.append(f'{number},"é{line_break}""{number}"')
    return line_end.join(["", "k,v", *rows, "", ""])


@pytest.fixture(autouse=True)
def small_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every file for a large one, and cut copies into many objects."""
    monkeypatch.setattr(files, "_LARGE_BYTES", 0)
    monkeypatch.setattr(download, "PIECE_BYTES", 100)
    monkeypatch.setattr(copies, "BLOCK_BYTES", 100)
    monkeypatch.setattr(copies, "COPY_BYTES", 300)


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many objects each copy has, in the order they are made."""
    counts: list[int] = []
    copy = copies.FileCopier.copy

    def counted(copier: copies.FileCopier, layout: Any) -> tuple[str, ...]:
        urls = copy(copier, layout)
        counts.append(len(urls))
        return urls

    monkeypatch.setattr(copies.FileCopier, "copy", counted)
    return counts


@pytest.mark.parametrize(
    ("is_packed", "line_break", "encoding", "line_end"),
    [
        (False, "", "utf-8", "\n"),
        (True, "", "utf-8", "\r\n"),
        (False, "\n", "utf-8", "\n"),
        (False, "\r\n", "utf-8", "\r\n"),
        (True, "\r", "cp1252", "\n"),
        (False, "\n", "utf-16", "\r\n"),
    ],
)
def test_a_copied_file_is_the_same_file(
    spark_bench: Bench, copied: list[int], is_packed: bool, line_break: str, encoding: str, line_end: str
) -> None:
    content = large_file(line_break, line_end).encode(encoding)
    options = CsvOptions(",", encoding, True, ())
    batch = spark_bench.batch({"1.csv.gz": gzip.compress(content)} if is_packed else {"1.csv": content}, options)

    seen, rows = spark_bench.stage(batch, COLUMNS)

    good = [number for number in range(1, ROWS + 1) if number not in ROW_ENDS]
    assert [row[:2] for row in rows] == [(number, f'é{line_break}"{number}') for number in good]
    assert (seen.files[0].rows_read, seen.rows_bad, seen.malformed_rows) == (ROWS, 3, 2)
    assert seen.columns["v"].longest_bytes == len(f'é{line_break}"{ROWS}'.encode())
    found = spark_bench.read_bad_rows(batch, COLUMNS, 10)
    assert [(bad.row, bad.column) for bad in found] == [(7, "k"), (50, None), (123, None)]
    kept = spark_bench.quarantine(batch, COLUMNS)
    assert [row["row"] for row in kept] == [7, 50, 123]
    assert kept[0]["record"] == f'[null,"é{line_break}b"]'.replace("\r", "\\r").replace("\n", "\\n")
    assert spark_bench.profile(batch, ["k"])["k"].integers == ROWS - 3
    needs_copy = is_packed or bool(line_break) or encoding == "utf-16"
    assert bool(copied) == needs_copy
    assert all(count > 3 for count in copied)


def test_lines_that_turn_out_to_be_parts_of_records_make_a_copy_in_the_midst(
    spark_bench: Bench, copied: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_HEAD_BYTES", 50)
    batch = spark_bench.batch(("k,v\n" + "1,x\n" * 50 + '2,"a\nb"\n').encode())

    seen, rows = spark_bench.stage(batch, COLUMNS)

    assert [row[:2] for row in rows] == [(1, "x")] * 50 + [(2, "a\nb")]
    assert seen.rows_bad == 0
    assert len(copied) == 1


def test_a_copy_is_made_once_for_all_passes_and_nothing_without_room(spark_bench: Bench, copied: list[int]) -> None:
    batch = spark_bench.batch(large_file("\n").encode())

    with spark_bench.open(batch) as rows:
        rows.profile(["k"])
        rows.stage(COLUMNS, None)
        rows.read_bad_rows(COLUMNS, [0], 10)
        assert "copy" in rows.phase_seconds
    assert len(copied) == 1

    with spark_bench.engine.open(batch, lambda step, **numbers: None, None) as rows:
        assert rows.stage(COLUMNS, None).files[0].rows_read == ROWS
        assert rows.phase_seconds == {}
    assert len(copied) == 1


def test_every_core_shares_a_copy(spark_bench: Bench) -> None:
    batch = spark_bench.batch(large_file("\n").encode())

    spark_bench.measure(batch, COLUMNS, "s3://lake/staging/shared-copy")

    assert len(spark_bench.parquet_files("staging/shared-copy")) > 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (large_file("\n") + '201,"a" b\n', "record 201"),
        (large_file("\n") + '201,"a', "quote"),
        (large_file("\n") + "201,\0\n", "NUL"),
    ],
)
def test_a_broken_file_is_refused_with_its_record(
    spark_bench: Bench, copied: list[int], content: str, reason: str
) -> None:
    batch = spark_bench.batch(content.encode())

    with pytest.raises(SourceFileError, match=reason):
        spark_bench.stage(batch, COLUMNS)
    assert copied == [0]


def test_a_record_of_a_copy_that_begins_with_a_byte_order_mark_is_found(spark_bench: Bench, copied: list[int]) -> None:
    batch = spark_bench.batch(("k,v\n" + '\ufeff1,"a\nb"\n' * 100).encode())

    with pytest.raises(SourceFileError, match=r"record 1: begins with U\+FEFF"):
        spark_bench.stage(batch, COLUMNS)
    assert copied[0] > 1


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_large_file_keeps_the_promise_of_single_lines_or_is_refused(spark_bench: Bench, is_packed: bool) -> None:
    content = large_file("\n").encode()
    options = CsvOptions(",", "utf-8", False, ())
    batch = spark_bench.batch({"1.csv": gzip.compress(content) if is_packed else content}, options)

    with pytest.raises(SourceFileError, match="record 1: a quoted field is not closed"):
        spark_bench.stage(batch, COLUMNS)


def test_a_large_packed_file_that_is_damaged_is_refused_as_such(spark_bench: Bench) -> None:
    batch = spark_bench.batch({"1.csv.gz": gzip.compress(large_file("\n").encode())[:-20]})

    with pytest.raises(SourceFileError, match="gzip data is cut off"):
        spark_bench.stage(batch, COLUMNS)


def test_a_file_that_holds_the_mark_of_a_folded_line_end_is_read_as_it_is(
    spark_bench: Bench, copied: list[int]
) -> None:
    batch = spark_bench.batch(b'k,v\n1,"a\x1eb\nc"\n2,x\n')

    _, rows = spark_bench.stage(batch, COLUMNS)

    assert [row[:2] for row in rows] == [(1, "a\x1eb\nc"), (2, "x")]
    assert copied == [0]


class EndlessStore:
    """A store whose files never end."""

    def __init__(self) -> None:
        self.is_closed = False

    def download(self, files: Sequence[SourceFile], folder: Path) -> Generator[Iterator[bytes]]:
        """Yield one file's bytes, for ever."""

        def pieces() -> Iterator[bytes]:
            while True:
                yield b'1,"a\nb"\n'

        try:
            yield pieces()
        finally:
            self.is_closed = True

    def read(self, file: SourceFile) -> Generator[bytes]:
        """Yield a file's bytes, for ever."""
        while True:
            yield b"1,2\n"

    def upload(self, path: Path, url: str) -> None:
        """Throw a file away."""


def test_copying_ends_when_the_watcher_gives_up(spark_bench: Bench) -> None:
    batch, store, shown = spark_bench.batch(large_file("\n").encode()), EndlessStore(), []
    engine = SparkFrames(spark_bench.engine.session, store, None)  # type: ignore[attr-defined]

    def watch(step: str, **numbers: int) -> None:
        shown.append(numbers)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), engine.open(batch, watch, "s3://lake/staging/endless") as rows:
        rows.stage(COLUMNS, None)
    engine.close()

    assert store.is_closed
    assert shown[0]["bytes_read"] > 0
