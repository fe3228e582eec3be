"""The one place that makes a Spark session, and the settings every load rests on."""

from __future__ import annotations

import os
from collections.abc import Mapping

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from framework.errors import WarehouseError

RUNTIME_SETTINGS = {
    # Text without a zone means UTC; the default would be the machine's zone.
    "spark.sql.session.timeZone": "UTC",
    # Spark 3.5's default fails the whole job on 30 February, LEGACY makes it 1 March.
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    # Spark 4 turns it on; every cast here is written to mean the same either way.
    "spark.sql.ansi.enabled": "false",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    # INT96, the default, says nothing of zones; COPY reads INT64 as what it is.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.compression.codec": "snappy",
    # Without these Spark 3.5 refuses to write days before 1582.
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.writeLegacyFormat": "false",
    # A record's field count is only seen when no field of it is skipped.
    "spark.sql.csv.parser.columnPruning.enabled": "false",
    "spark.sql.optimizer.enableCsvExpressionOptimization": "false",
    # Half a gzip file is an error, not a shorter file.
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
    # Otherwise `${env:NAME}` in a file's name would become what the environment holds under it.
    "spark.sql.variable.substitute": "false",
    # Spark 4 decodes few encodings otherwise, and fails the job on a byte it cannot read.
    "spark.sql.legacy.javaCharsets": "true",
    "spark.sql.legacy.codingErrorAction": "true",
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}
"""Settings of the SQL session, which a running session takes as well."""

_LOCAL_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "4",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # The default writes a checksum file beside every file and cannot read names with a colon.
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    # Without memory a thread of Spark's may end that another waits for. These come before the user's own options.
    "spark.driver.defaultJavaOptions": "-XX:+ExitOnOutOfMemoryError",
}


_SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""The environment variable in which spark-submit names the JVM that it has started."""


def make_session(extra_conf: Mapping[str, str], active: SparkSession | None) -> SparkSession:
    """Return the Spark session for loads: the active one where there is one, else a new one.

    A session that runs already, as on Glue, takes only the settings of its SQL session; what
    belongs to the cluster stays as its owner set it, `extra_conf` with it. A new session is
    local unless a master is set, by spark-submit or in `extra_conf`.

    Raises:
        WarehouseError: Spark did not start, as where its cluster is down; an outage, which is no file's fault.
    """
    conf = None if active is not None else _configuration(extra_conf)
    builder = SparkSession.builder if conf is None else SparkSession.builder.config(conf=conf)
    try:
        session = active or builder.getOrCreate()
        for name, value in RUNTIME_SETTINGS.items():
            session.conf.set(name, value)
    except (Py4JError, PySparkException) as error:
        where = "" if conf is None else f" on {conf.get('spark.master')}"
        raise WarehouseError(
            f"Spark did not start{where}: {first_line(error)}. Its log says more; see whether the cluster is up.",
            is_outage=True,
        ) from error
    if conf is not None:
        session.sparkContext.setLogLevel("ERROR")
    return session


def first_line(error: Exception) -> str:
    """Return what Spark says of its failure, without Java's stack and a full stop."""
    java = getattr(error, "java_exception", None)
    text = str(error) if java is None else str(java.toString())
    return next(line.strip().rstrip(".") for line in [*text.splitlines(), type(error).__name__] if line.strip())


def _configuration(extra_conf: Mapping[str, str]) -> SparkConf:
    if _SUBMITTED in os.environ:
        # Its settings, the master among them, are known to the JVM alone until this connects to it.
        SparkContext._ensure_initialized()
    conf = SparkConf()
    settings = dict(extra_conf)
    master = settings.get("spark.master") or conf.get("spark.master") or "local[*]"
    if master.startswith("local"):
        settings = {**_LOCAL_SETTINGS, **settings}
        # The launcher script resolves the machine's name otherwise, which may have no address.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    for name, value in settings.items():
        conf.set(name, value)
    conf.setMaster(master)
    if not conf.contains("spark.app.name"):
        conf.setAppName("feedway")
    return conf
