"""Under which scheme Spark opens what the lake calls `s3://`."""

from __future__ import annotations

from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession

from framework.errors import SpecError

LAKE_SCHEME = "s3"
_S3A = "s3a"


def spark_scheme(spark: SparkSession) -> str:
    """Return `s3` where the session's Hadoop has a file system for it, else `s3a`.

    Glue, EMR and the sandbox have one for `s3`. Hadoop itself brings S3A, under its own scheme only.
    Source: https://hadoop.apache.org/docs/r3.3.4/hadoop-aws/tools/hadoop-aws/index.html

    Raises:
        SpecError: it has neither.
    """
    context = spark.sparkContext
    # Names without type stubs: the JVM's own classes.
    jvm: Any = context._jvm
    settings = context._jsc.hadoopConfiguration()
    for scheme in (LAKE_SCHEME, _S3A):
        try:
            jvm.org.apache.hadoop.fs.FileSystem.getFileSystemClass(scheme, settings)
        except Py4JJavaError:
            continue
        return scheme
    version = jvm.org.apache.hadoop.util.VersionInfo.getVersion()
    raise SpecError(
        "Spark can open neither s3:// nor s3a://. Add S3A to it, for instance by "
        f"spark-submit --packages org.apache.hadoop:hadoop-aws:{version}, or set engine: embedded in environments.yml"
    )


def with_scheme(url: str, scheme: str) -> str:
    """Return an address of the lake under another scheme."""
    return scheme + url.removeprefix(LAKE_SCHEME)
