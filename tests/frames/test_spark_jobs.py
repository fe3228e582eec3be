from __future__ import annotations

import uuid

import pytest

from tests.frames.conftest import Bench, column


def jobs_of(bench: Bench, call: object) -> int:
    context = bench.engine.session.sparkContext  # type: ignore[attr-defined]
    group = uuid.uuid4().hex
    context.setJobGroup(group, "counted")
    try:
        call()  # type: ignore[operator]
    finally:
        context._jsc.clearJobGroup()
    return len(context.statusTracker().getJobIdsForGroup(group))


@pytest.mark.parametrize("content", [b"a,b\n1,x\n2,y\n", b'a,b\n1,"x\ny"\n2,y\n', b"a,b\n"])
@pytest.mark.parametrize("destination", ["s3://lake/staging/jobs", None])
def test_staging_is_one_spark_job(spark_bench: Bench, content: bytes, destination: str | None) -> None:
    batch = spark_bench.batch({"1.csv": content, "2.csv": content})
    columns = [column("a", "integer", required=True), column("b", "varchar(9)", measure_length=True)]
    assert jobs_of(spark_bench, lambda: spark_bench.measure(batch, columns, destination)) == 1
