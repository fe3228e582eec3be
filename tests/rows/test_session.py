"""A Spark that does not start, or that ends, is an outage; in processes of their own, since one has one Spark."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from framework.sandbox import java_environment
from tests.spark import ROOT

pytestmark = pytest.mark.spark

START = """
from framework.errors import PipelineError
from framework.rows.executors.spark_session import make_session

try:
    session = make_session(None)
except PipelineError as error:
    print(type(error).__name__, error.is_outage, error)
else:
    context = session.sparkContext
    print(context.master, context.parallelize([0], 1).map(lambda _: __import__("sys").executable).collect())
"""
WITHOUT_MEMORY = """
from framework.errors import WarehouseError
from framework.rows.executors.spark import SparkExecutor
from framework.rows.executors.spark_failures import spark_failures
from framework.rows.executors.spark_session import make_session

executor = SparkExecutor(make_session(None), 1024**3)
try:
    with spark_failures(executor.context, executor.limits):
        executor.context._jvm.java.util.ArrayList(2_000_000_000)
except WarehouseError as error:
    print(error.is_outage, error)
try:
    executor.cores
except WarehouseError as error:
    print(error.is_outage, error)
"""


def said_by(program: str, **environment: str) -> str:
    """Run a program in a process without an interpreter for workers in its environment; return what it prints."""
    clean = {name: value for name, value in os.environ.items() if name != "PYSPARK_PYTHON"}
    whole = {**clean, **java_environment(), **environment}
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=whole, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_workers_of_a_new_session_run_the_interpreter_of_its_driver() -> None:
    assert said_by(START) == f"local[*] [{sys.executable!r}]\n"


def test_a_spark_that_does_not_start_is_an_outage() -> None:
    said = said_by(START, JAVA_HOME="/no/such/java")

    assert said.startswith("WarehouseError True Spark did not start on local[*]: ")
    assert "JAVA_GATEWAY_EXITED" in said
    assert len(said.splitlines()) == 1


def test_a_spark_connect_server_is_refused() -> None:
    said = said_by(START, SPARK_REMOTE="sc://localhost")

    assert said.startswith("SpecError False engine: spark needs a classic Spark session, because Spark Connect")
    assert len(said.splitlines()) == 1


def test_a_spark_without_memory_ends_and_says_so() -> None:
    """It would wait for a thread that is gone, or leave the next feed to a session that is half dead."""
    said = said_by(WITHOUT_MEMORY).splitlines()

    shown = [line.startswith("True Spark's process has ended, as it does without memory") for line in said]
    assert shown.count(True) == 2, said
