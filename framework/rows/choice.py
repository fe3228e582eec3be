"""The choice of the engine that reads a load's rows."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Literal

from framework.model.files import SourceBatch

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EngineName = Literal["embedded", "spark"]
_PACKAGES: dict[EngineName, tuple[str, ...]] = {
    "embedded": ("duckdb", "numpy"),
    "spark": ("pyspark", "duckdb", "numpy"),
}


def expected_bytes(batch: SourceBatch) -> int:
    """Return an estimate of how much text the files hold."""
    return sum(layout.expected_bytes for layout in batch.files)


def missing_package(engine: EngineName) -> str | None:
    """Return a package that an engine needs and this Python lacks; None where it lacks none. Imports none."""
    return next((package for package in _PACKAGES[engine] if importlib.util.find_spec(package) is None), None)


def choose_engine(
    setting: Literal["auto", "embedded", "spark"], batch: SourceBatch, max_bytes: int, has_spark_session: bool
) -> EngineName:
    """Return the engine for a batch: what is asked for, else Spark for what is big or where it runs already.

    Where nothing is asked for and Spark is not installed, it is the embedded one. A sample is small: the embedded
    engine takes it, whatever is asked for.
    """
    if batch.sample_rows is not None:
        return "embedded"
    if setting != "auto":
        return setting
    is_for_spark = has_spark_session or expected_bytes(batch) > max_bytes
    return "spark" if is_for_spark and missing_package("spark") is None else "embedded"


def active_spark_session() -> SparkSession | None:
    """Return the active Spark session of this thread. Imports nothing."""
    pyspark_sql = sys.modules.get("pyspark.sql")
    return None if pyspark_sql is None else pyspark_sql.SparkSession.getActiveSession()
