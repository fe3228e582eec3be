"""Loads on a local Spark, beside those that `make test-spark` repeats on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from pyspark import SparkContext

from framework.load.check.checks import CHECKS, SPARK
from framework.rows.engine import SplitEngine
from framework.sandbox import SandboxAddress
from tests.harness import MakeFeed, csv_text
from tests.rows.conftest import column, make_bench
from tests.sandbox.checking import Checking
from tests.sandbox.test_counts import SubmissionCounter
from tests.sandbox.test_replaced_files import APPEND, NEW, NEW_ROWS, OLD, Watched, nothing, replacing_once

pytestmark = pytest.mark.spark


def spark_jobs(action: Callable[[], Any]) -> int:
    """Run something and return how many Spark jobs it started."""
    scheduler = SparkContext.getOrCreate()._jsc.sc().dagScheduler()
    before = scheduler.numTotalJobs()
    action()
    return int(scheduler.numTotalJobs() - before)


def test_a_load_without_drift_makes_three_submissions_and_one_spark_job(
    make_feed: MakeFeed, spark_engine: Any, redshift_data: Any
) -> None:
    feed = make_feed(frames=spark_engine)
    feed.load("1.csv", csv_text("id,a,b", "1,x,1.5", "2,y,2.5"))
    feed.land("2.csv", csv_text("id,a,b", "2,z,3.5", "3,w,4.5"))
    counter = SubmissionCounter(redshift_data)

    jobs = spark_jobs(lambda: feed.run())

    assert counter.names == [
        "BatchExecuteStatement",
        "ExecuteStatement",
        "BatchExecuteStatement",
    ]
    assert jobs == 1


def test_unknown_columns_cost_one_profiling_pass(make_feed: MakeFeed, spark_engine: Any) -> None:
    feed = make_feed(frames=spark_engine)
    feed.land("1.csv", csv_text("id,a", "1,x"))

    assert spark_jobs(lambda: feed.run()) == 2


def test_a_column_that_grows_costs_a_spark_job_for_its_value_and_a_number_one_more(
    make_feed: MakeFeed, spark_engine: Any
) -> None:
    feed = make_feed(frames=spark_engine)
    feed.load("1.csv", csv_text("id,a,b", "1,x,5"))
    feed.land("2.csv", csv_text("id,a,b", "1," + "x" * 400 + ",5"))
    longer = spark_jobs(lambda: feed.run())
    feed.land("3.csv", csv_text("id,a,b", "1,x,3000000000"))
    bigger = spark_jobs(lambda: feed.run())

    # A longer text is staged as it is, a number by the second of two passes.
    assert (longer, bigger) == (2, 3)


def test_workers_of_spark_read_the_lake(
    make_feed: MakeFeed, sandbox: SandboxAddress, s3: Any, redshift_data: Any, spark_engine: Any
) -> None:
    checking = Checking(make_feed(), sandbox, s3, redshift_data)
    checking.check(creates=True)
    executor, store = spark_engine._executor, spark_engine._store

    found = checking.check((*CHECKS, SPARK), reach_spark=lambda file: executor.reach(store, file))

    assert found["spark"].status == "ok"
    assert found["spark"].found.startswith("2 tasks on ")


def test_a_local_spark_listens_on_loopback_only(spark_engine: Any) -> None:
    listening = {
        connection.laddr.ip.removeprefix("::ffff:")
        for process in psutil.Process().children(recursive=True)
        if process.name() == "java"
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_spark_cancels_its_jobs(spark_engine: SplitEngine, sandbox: SandboxAddress, s3: Any) -> None:
    bench = make_bench(spark_engine, sandbox, s3)
    content = b"id,a\n" + b"".join(b"%d,%090d\n" % (number, number) for number in range(300_000))
    batch, shown = bench.batch(content), []

    def watch(step: str, **numbers: int) -> None:
        shown.append(numbers)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), spark_engine.open(batch, watch) as rows:
        rows.stage([column("id", "bigint"), column("a", "varchar(100)")], "s3://lake/staging/cancelled")

    def staged() -> list[str]:
        found = s3.list_objects_v2(Bucket="lake", Prefix="staging/cancelled").get("Contents", [])
        return [item["Key"] for item in found]

    assert len(shown) == 1
    assert SparkContext.getOrCreate().statusTracker().getActiveJobsIds() == []
    before = staged()
    time.sleep(1)
    assert staged() == before


def test_a_file_replaced_before_its_reading_is_loaded_once(make_feed: MakeFeed, spark_engine: SplitEngine) -> None:
    feed = make_feed(APPEND)
    feed.frames = Watched(spark_engine, replacing_once(feed, NEW), nothing)
    feed.land("1.csv", OLD)

    first = feed.run()
    second = feed.run()

    assert [result.status for result in first] == ["SKIPPED"], first
    assert [result.status for result in second] == ["SUCCESS"], second
    assert feed.rows("id, a", "id") == NEW_ROWS
    assert feed.keys("data/in/") == []
