from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from pyspark.sql import SparkSession

from framework.rows.spark.source import SparkSource
from framework.rows.spark.stage import stage
from tests.rows.conftest import Bench, column


def jobs_of(session: SparkSession, call: Callable[[], object]) -> int:
    context, group = session.sparkContext, uuid.uuid4().hex
    context.setJobGroup(group, "counted")
    call()
    return len(context.statusTracker().getJobIdsForGroup(group))


@pytest.mark.parametrize("content", [b"a,b\n1,x\n2,y\n", b'a,b\n1,"x\ny"\n2,y\n', b"a,b\n"])
@pytest.mark.parametrize("destination", ["s3://lake/staging/jobs", None])
def test_staging_is_one_spark_job(spark_bench: Bench, content: bytes, destination: str | None) -> None:
    batch = spark_bench.batch({"1.csv": content, "2.csv": content})
    columns = [column("a", "integer", required=True), column("b", "varchar(9)", measure_length=True)]
    session: SparkSession = spark_bench.engine.session  # type: ignore[attr-defined]
    # Without the watch, which gives each pass a group of its own.
    assert jobs_of(session, lambda: stage(SparkSource(session, batch, None), columns, destination)) == 1
