"""The choice of the engine that reads a load's rows."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Literal

from framework.model.files import SourceBatch

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

GZIP_FACTOR = 10
"""Assumed ratio of a compressed file's text to its size: repetitive text compresses to a tenth."""

EngineName = Literal["embedded", "spark"]
_PACKAGES: dict[EngineName, tuple[str, ...]] = {"embedded": ("duckdb", "numpy"), "spark": ("pyspark", "numpy")}


def expected_bytes(batch: SourceBatch) -> int:
    """Return an estimate of how much text the files hold."""
    return sum(layout.file.size_bytes * (GZIP_FACTOR if layout.is_gzip else 1) for layout in batch.files)


def missing_package(engine: EngineName) -> str | None:
    """Return a package that an engine needs and this Python lacks; None where it lacks none. Imports none."""
    return next((package for package in _PACKAGES[engine] if importlib.util.find_spec(package) is None), None)


def embedded_only(batch: SourceBatch) -> str | None:
    """Return the feature of the spec that only the embedded engine has; None where there is none."""
    asked = {
        "source.options.header: false": batch.options.header is False,
        "source.options.skip_lines": batch.options.skip_lines > 0,
        "expect.last_line_end: true": batch.needs_last_line_end,
    }
    return next((option for option, is_asked in asked.items() if is_asked), None)


def choose_engine(
    setting: Literal["auto", "embedded", "spark"], batch: SourceBatch, max_bytes: int, has_spark_session: bool
) -> EngineName:
    """Return the engine for a batch: what is asked for, else Spark for what is big or where it runs already.

    Where nothing is asked for and one of them is not installed, it is the other. A sample is small: the
    embedded engine takes it, whatever is asked for. It also takes what no other can read.
    """
    if batch.sample_rows is not None:
        return "embedded"
    if setting != "auto":
        return setting
    if embedded_only(batch) is not None:
        return "embedded"
    is_for_spark = has_spark_session or expected_bytes(batch) > max_bytes
    wanted: tuple[EngineName, EngineName] = ("spark", "embedded") if is_for_spark else ("embedded", "spark")
    return wanted[0] if missing_package(wanted[0]) is None else wanted[1]


def active_spark_session() -> SparkSession | None:
    """Return the active Spark session of this thread. Imports nothing."""
    pyspark_sql = sys.modules.get("pyspark.sql")
    return None if pyspark_sql is None else pyspark_sql.SparkSession.getActiveSession()
