"""A file that one task reads, and whose records all cores work on."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from framework.errors import SourceFileError
from framework.frames.spark import files
from tests.frames.conftest import Bench, column

COLUMNS = [column("k", "integer", required=True), column("v", "varchar(9)", measure_length=True)]
ROWS = 200
ROW_ENDS = {7: ",", 50: "", 123: ",,"}
"""Records that are bad, by their ordinal: a NULL key, a field too few and a field too many."""


def large_file(line_break: str) -> bytes:
    rows = []
    for number in range(1, ROWS + 1):
        match ROW_ENDS.get(number):
            case ",":
                rows.append(f',"a{line_break}b"')
            case "":
                rows.append(str(number))
            case ",,":
                rows.append(f"{number},x,y")
            case _:
                rows.append(f'{number},"a{line_break}""{number}"')
    return "\n".join(["k,v", *rows, ""]).encode()


@pytest.fixture
def spread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every file for a large one."""
    monkeypatch.setattr(files, "_LARGE_BYTES", 0)


@pytest.mark.usefixtures("spread")
@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("line_break", ["", "\n"])
def test_records_that_are_shared_out_stay_what_they_are(spark_bench: Bench, is_packed: bool, line_break: str) -> None:
    content = large_file(line_break)
    batch = spark_bench.batch({"1.csv.gz": gzip.compress(content)} if is_packed else content)

    seen, rows = spark_bench.stage(batch, COLUMNS)

    assert [row[:2] for row in rows] == [
        (number, f'a{line_break}"{number}') for number in range(1, ROWS + 1) if number not in ROW_ENDS
    ]
    assert (seen.files[0].rows_read, seen.rows_bad, seen.wrong_field_count) == (ROWS, 3, 2)
    assert seen.columns["v"].longest_bytes == len(f'a{line_break}"{ROWS}')
    found = spark_bench.read_bad_rows(batch, COLUMNS, 10)
    assert [(bad.row, bad.column) for bad in found] == [(7, "k"), (50, None), (123, None)]
    kept = spark_bench.quarantine(batch, COLUMNS)
    assert [row["row"] for row in kept] == [7, 50, 123]
    assert spark_bench.profile(batch, ["k"])["k"].integers == ROWS - 3


@pytest.mark.usefixtures("spread")
@pytest.mark.parametrize(("line_break", "is_packed", "tasks"), [("\n", False, 2), ("", True, 2), ("", False, 1)])
def test_only_what_one_task_reads_is_shared_out(
    spark_bench: Bench, s3: Any, line_break: str, is_packed: bool, tasks: int
) -> None:
    content = large_file(line_break)
    batch = spark_bench.batch({"1.csv.gz": gzip.compress(content)} if is_packed else content)
    session: Any = spark_bench.engine.session  # type: ignore[attr-defined]
    assert session.sparkContext.defaultParallelism == 2

    spark_bench.measure(batch, COLUMNS, f"s3://lake/staging/spread/{line_break!r}{is_packed}")

    assert len(spark_bench.parquet_files(f"staging/spread/{line_break!r}{is_packed}")) == tasks


@pytest.mark.usefixtures("spread")
def test_broken_quoting_in_a_file_that_is_shared_out_refuses_it(spark_bench: Bench) -> None:
    batch = spark_bench.batch(large_file("\n") + b'201,"a" b\n')

    with pytest.raises(SourceFileError, match="quot"):
        spark_bench.stage(batch, COLUMNS)
