from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession

from framework.rows.executors.spark import SparkExecutor

CLUSTER = {"spark.master": "yarn", "spark.executor.cores": "4", "spark.executor.memoryOverhead": "4g"}
GROWING = {**CLUSTER, "spark.dynamicAllocation.enabled": "true"}


@pytest.mark.parametrize(
    ("settings", "now", "cores"),
    [
        (CLUSTER, 8, 8),
        ({**CLUSTER, "spark.task.cpus": "2"}, 8, 4),
        ({**CLUSTER, "spark.task.cpus": "4"}, 2, 1),
        (GROWING, 2, 2),
        ({**GROWING, "spark.dynamicAllocation.maxExecutors": "10"}, 2, 40),
        ({**CLUSTER, "spark.dynamicAllocation.maxExecutors": "10"}, 2, 2),
    ],
)
def test_a_cluster_that_may_grow_counts_as_grown(settings: dict[str, str], now: int, cores: int) -> None:
    conf = SimpleNamespace(getAll=settings.items)
    context = SimpleNamespace(getConf=lambda: conf, defaultParallelism=now)
    session: Any = SimpleNamespace(sparkContext=context)

    assert SparkExecutor(cast("SparkSession", session), 1024**3).cores == cores
