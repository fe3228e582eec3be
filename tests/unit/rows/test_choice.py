"""Which engine takes a load, by what is asked for, how big it is and what is installed."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Literal

import pytest

from framework.model.csv_options import CsvOptions
from framework.model.files import FileIdentity, FileLayout, RowsStart, SourceBatch, SourceFile
from framework.rows.choice import choose_engine

MOST = 1000
AT = datetime(2026, 1, 2, tzinfo=UTC)


OPTIONS = CsvOptions(",", "utf-8")


def batch(size_bytes: int, is_gzip: bool = False, sample_rows: int | None = None) -> SourceBatch:
    identity = FileIdentity("lake", "data/in/a.csv", "e", size_bytes)
    file = SourceFile("lake", "data/in/a.csv", "e", size_bytes, AT, identity, AT)
    layout = FileLayout(file, 0, "a.csv", ("id",), OPTIONS, RowsStart(0, 1, "\n", True), "gzip" if is_gzip else None)
    return SourceBatch((layout,), sample_rows)


@pytest.mark.parametrize(
    ("size", "is_gzip", "has_session", "expected"),
    [
        (MOST, False, False, "embedded"),
        (MOST + 1, False, False, "spark"),
        (MOST // 10, True, False, "embedded"),
        (MOST // 10 + 1, True, False, "spark"),
        (1, False, True, "spark"),
    ],
)
def test_auto_takes_spark_for_what_is_big_or_where_it_runs(
    size: int, is_gzip: bool, has_session: bool, expected: str
) -> None:
    assert choose_engine("auto", batch(size, is_gzip), MOST, has_session) == expected


def test_auto_does_without_a_spark_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)

    assert choose_engine("auto", batch(MOST + 1), MOST, False) == "embedded"


@pytest.mark.parametrize(("asked", "missing"), [("embedded", "duckdb"), ("spark", "pyspark")])
def test_what_is_asked_for_is_taken_even_where_it_is_missing(
    asked: Literal["embedded", "spark"], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)

    assert choose_engine(asked, batch(1), MOST, False) == asked


def test_a_sample_is_for_the_embedded_engine() -> None:
    assert choose_engine("spark", batch(MOST + 1, sample_rows=10), MOST, True) == "embedded"
