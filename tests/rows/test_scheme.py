"""A Spark that knows the lake as `s3a://` alone, as one with Hadoop's own S3A does, or not at all."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import pytest

from framework.errors import SpecError
from framework.rows.spark import files
from tests.rows.conftest import Bench, column

COLUMNS = [column("k", "integer", required=True), column("v", "varchar(9)")]
S3, S3A = "fs.s3.impl", "fs.s3a.impl"


@pytest.fixture
def settings(spark_bench: Bench) -> Iterator[Any]:
    """Hadoop's settings of the session, restored afterwards."""
    session = spark_bench.engine.session  # type: ignore[attr-defined]
    settings = session.sparkContext._jsc.hadoopConfiguration()
    before = {name: settings.get(name) for name in (S3, S3A)}
    yield settings
    for name, value in before.items():
        settings.set(name, value)


@pytest.fixture
def s3a_only(settings: Any) -> None:
    """Open the bucket's folder as `s3a://`, and nothing as `s3://`."""
    settings.set(S3A, settings.get(S3))
    settings.unset(S3)


@pytest.mark.usefixtures("s3a_only")
def test_files_are_read_and_written_as_s3a_where_spark_knows_no_s3(spark_bench: Bench) -> None:
    batch = spark_bench.batch(
        {
            "lines.csv": b"k,v\n1,a\nx,b\n",
            "records.csv": b'k,v\n2,"a\nb"\n',
            # Hadoop would not unpack it by its name.
            "packed ü.csv": gzip.compress(b"k,v\n3,c\n"),
        }
    )

    seen, rows = spark_bench.stage(batch, COLUMNS)

    assert [row[:2] for row in rows] == [(1, "a"), (2, "a\nb"), (3, "c")]
    assert seen.rows_bad == 1
    assert [(bad.file, bad.row) for bad in spark_bench.read_bad_rows(batch, COLUMNS, 10)] == [("lines.csv", 2)]
    assert [row["record"] for row in spark_bench.quarantine(batch, COLUMNS)] == ['["x","b"]']


@pytest.mark.usefixtures("s3a_only")
def test_copies_are_read_as_s3a_where_spark_knows_no_s3(spark_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_LARGE_BYTES", 0)
    batch = spark_bench.batch(b'k,v\n1,"a\nb"\n2,c\n')

    _, rows = spark_bench.stage(batch, COLUMNS)

    assert [row[:2] for row in rows] == [(1, "a\nb"), (2, "c")]
    assert list((spark_bench.folder / "staging").glob("copies-*/*.csv"))


def test_a_spark_that_cannot_open_the_lake_hears_of_s3a(spark_bench: Bench, settings: Any) -> None:
    batch = spark_bench.batch(b"k,v\n1,a\n")
    settings.unset(S3)

    with pytest.raises(SpecError, match=r"--packages org\.apache\.hadoop:hadoop-aws:\d+\.\d+\.\d+"):
        spark_bench.stage(batch, COLUMNS)
