from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession

from framework.errors import MachineError, SpecError
from framework.rows.executors.spark_session import context_of
from framework.rows.executors.spark_worker import reach, versions, work


@pytest.mark.parametrize("name", ["Python", "feedway", "duckdb"])
@pytest.mark.parametrize("does", [lambda driver: work(driver, b"no", b"no"), lambda driver: reach(driver, b"no", 0)])
def test_a_worker_with_another_version_unpickles_nothing(name: str, does: Callable[[Mapping[str, str]], Any]) -> None:
    driver = {**versions(), name: "0.9"}

    found = does(driver)

    assert isinstance(found, MachineError)
    assert f"has {name} {versions()[name]}, the driver 0.9. " in str(found)
    assert "set PYSPARK_PYTHON" in str(found)
    assert len(str(found).splitlines()) == 1


def test_a_session_of_spark_connect_is_refused() -> None:
    connect: Any = type("SparkSession", (), {"__module__": "pyspark.sql.connect.session"})

    with pytest.raises(SpecError, match=r"^engine: spark needs a classic Spark session, because .*SPARK_REMOTE"):
        context_of(cast("SparkSession", connect()))
