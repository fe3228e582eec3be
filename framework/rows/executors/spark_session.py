"""The one place that makes a Spark session."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

import framework
from framework.errors import SpecError, WarehouseError

_LOCAL_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # Workers find Feedway where this process has found it, in a checkout too.
    "spark.executorEnv.PYTHONPATH": str(Path(framework.__file__).parents[1]),
    # Without memory a thread of Spark's may end that another waits for. These come before the user's own options.
    "spark.driver.defaultJavaOptions": "-XX:+ExitOnOutOfMemoryError",
}
_SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""The environment variable in which spark-submit names the JVM that it has started."""
_INTERPRETER = "PYSPARK_PYTHON"
"""The environment variable that names the workers' interpreter."""


def make_session(active: SparkSession | None) -> SparkSession:
    """Return the Spark session for loads: the active one where there is one, else a new one.

    A session that runs already stays as its owner set it. A new session is local unless spark-submit has set a
    master, and its workers run this process's interpreter unless a setting names another.

    Raises:
        SpecError: it is a session of Spark Connect.
        WarehouseError: Spark did not start, as where its cluster is down; an outage, which is no file's fault.
    """
    if active is not None:
        return active
    if "SPARK_REMOTE" in os.environ:
        raise _no_connect()
    conf = _configuration()
    try:
        session = SparkSession.builder.config(conf=conf).getOrCreate()
    except (Py4JError, PySparkException) as error:
        raise WarehouseError(
            f"Spark did not start on {conf.get('spark.master')}: {first_line(error)}. Its log says more; see whether "
            "the cluster is up.",
            is_outage=True,
        ) from error
    session.sparkContext.setLogLevel("ERROR")
    return session


def context_of(session: SparkSession) -> SparkContext:
    """Return the context that runs a session's jobs.

    Raises:
        SpecError: it is a session of Spark Connect.
    """
    if type(session).__module__.startswith("pyspark.sql.connect"):
        raise _no_connect()
    return session.sparkContext


def _no_connect() -> SpecError:
    return SpecError(
        "engine: spark needs a classic Spark session, because Spark Connect runs no jobs of Python tasks: unset "
        "SPARK_REMOTE, or start Feedway by spark-submit"
    )


def first_line(error: Exception) -> str:
    """Return what Spark says of its failure, without Java's stack and a full stop."""
    java = getattr(error, "java_exception", None)
    text = str(error) if java is None else str(java.toString())
    return next(line.strip().rstrip(".") for line in [*text.splitlines(), type(error).__name__] if line.strip())


def _configuration() -> SparkConf:
    if _SUBMITTED in os.environ:
        # Its settings, the master among them, are known to the JVM alone until this connects to it.
        SparkContext._ensure_initialized()
    conf = SparkConf()
    master = conf.get("spark.master") or "local[*]"
    if master.startswith("local"):
        for name, value in _LOCAL_SETTINGS.items():
            conf.set(name, conf.get(name) or value)
        # The launcher script resolves the machine's name otherwise, which may have no address.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    # Of the setting, only spark-submit would make the variable that a context reads.
    os.environ.setdefault(_INTERPRETER, conf.get("spark.pyspark.python") or sys.executable)
    conf.setMaster(master)
    if not conf.contains("spark.app.name"):
        conf.setAppName("feedway")
    return conf
