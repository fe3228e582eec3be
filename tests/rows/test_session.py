"""A Spark that does not start, or that stops, is an outage; in processes of their own, since one has one Spark."""

from __future__ import annotations

import os
import subprocess
import sys

from framework.sandbox import java_environment

NO_SUCH_MASTER = """
from framework.errors import WarehouseError
from framework.rows.spark.session import make_session

try:
    make_session({"spark.master": "nowhere://cluster:7077"}, None)
except WarehouseError as error:
    print(error.is_outage, error)
"""
STOPPED = """
from types import SimpleNamespace

from framework.errors import WarehouseError
from framework.rows.spark.failures import spark_failures
from framework.rows.spark.session import make_session

session = make_session({"spark.master": "local[1]"}, None)
rows = session.range(1)
session.sparkContext._jsc.stop()
try:
    with spark_failures(SimpleNamespace(spark=session)):
        rows.collect()
except WarehouseError as error:
    print(error.is_outage, error)
"""
WITHOUT_MEMORY = """
from framework.errors import WarehouseError
from framework.rows.spark.jobs import watched
from framework.rows.spark.session import make_session

session = make_session({"spark.master": "local[1]", "spark.driver.memory": "512m"}, None)
text = session.range(1).selectExpr("repeat('x', 900000000) as text")
for _ in range(2):
    try:
        watched(session, None, lambda step, **numbers: None, "stage", text.collect)
    except WarehouseError as error:
        print(error.is_outage, error)
"""


def said_by(program: str) -> str:
    """Run a program, and return what it prints."""
    environment = {**os.environ, **java_environment()}
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_cluster_that_is_not_there_is_an_outage_with_its_name() -> None:
    said = said_by(NO_SUCH_MASTER)

    assert said.startswith("True Spark did not start on nowhere://cluster:7077: ")
    assert "JAVA_GATEWAY_EXITED" in said
    assert "\tat " not in said


def test_a_session_that_stops_during_a_load_is_an_outage() -> None:
    said = said_by(STOPPED)

    assert said.startswith("True Spark has stopped during the load: ")
    assert len(said.splitlines()) == 1


def test_a_spark_without_memory_ends_and_says_so() -> None:
    """It would wait for a thread that is gone, or leave the next feed to a session that is half dead."""
    said = said_by(WITHOUT_MEMORY).splitlines()

    shown = [line.startswith("True Spark's process has ended, as it does without memory") for line in said]
    assert shown.count(True) == 2, said
