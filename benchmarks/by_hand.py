"""The Glue script one writes by hand for a feed, for comparison: it infers, counts and measures, pass by pass.

`python -m benchmarks.by_hand TABLE SOURCE_URL`, with the sandbox's addresses in the environment. It creates
the target where it is missing, stages by Parquet, COPY and DELETE + INSERT in one transaction, and
archives the file. What it leaves out is what such scripts leave out: bad rows, drift, views, retries, books.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (as everybody writes it)
from pyspark.sql.window import Window

from benchmarks.data import COLUMNS, KEYS

BUCKET_VARIABLE = "BENCHMARK_BUCKET_FOLDER"
"""The environment variable that names the folder of the sandbox's bucket."""
_BUCKET = "lake"
_EMPTY = "\x01"


def main(table: str, source_url: str) -> None:
    """Load one file."""
    spark = _session()
    staged_url = f"s3://{_BUCKET}/staging/by_hand/{table}"
    frame = spark.read.csv(source_url, header=True, inferSchema=True, multiLine=True, escape='"')
    rows = frame.count()
    text = [name for name, kind in frame.dtypes if kind == "string"]
    longest = frame.select(*(F.max(F.length(name)).alias(name) for name in text)).first()
    # Without a mark for it, Spark reads the quoted empty field as NULL.
    typed = _typed(spark.read.csv(source_url, header=True, multiLine=True, escape='"', emptyValue=_EMPTY))
    latest = Window.partitionBy(*KEYS).orderBy(*(F.col(key) for key in KEYS))
    typed.withColumn("place", F.row_number().over(latest)).where("place = 1").drop("place").write.mode(
        "overwrite"
    ).parquet(staged_url)
    sys.stderr.write(f"{rows} rows, {longest}\n")
    _merge(table, staged_url)
    _archive(source_url)


def _session() -> SparkSession:
    builder = SparkSession.builder.master("local[*]")
    for name, value in _mount(Path(os.environ[BUCKET_VARIABLE])).items():
        builder = builder.config(name, value)
    builder = builder.config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    builder = builder.config("spark.sql.timestampType", "TIMESTAMP_NTZ").config("spark.ui.enabled", "false")
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def _mount(folder: Path) -> dict[str, str]:
    """Return the settings by which Hadoop mounts the bucket on its folder, so that S3 needs no jars.

    Source: https://hadoop.apache.org/docs/r3.3.4/hadoop-project-dist/hadoop-hdfs/ViewFsOverloadScheme.html
    """
    uri = folder.resolve().as_uri()
    mount = f"spark.hadoop.fs.viewfs.mounttable.{_BUCKET}"
    return {
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
        "spark.hadoop.fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.viewfs.ViewFs",
        "spark.hadoop.fs.viewfs.overload.scheme.target.file.impl": "org.apache.hadoop.fs.LocalFileSystem",
        f"{mount}.linkFallback": uri,
        # A mount table without a single link is refused; this one leads nowhere new.
        f"{mount}.link./nothing": uri,
    }


def _typed(frame: DataFrame) -> DataFrame:
    kinds = {"varchar": "string", "double precision": "double", "timestamp": "timestamp_ntz"}
    columns = []
    for column in COLUMNS:
        text = F.when(F.col(column.name) == _EMPTY, "").otherwise(F.col(column.name))
        columns.append(text.cast(kinds.get(column.type.partition("(")[0], column.type)).alias(column.name))
    return frame.select(*columns)


def _merge(table: str, staged_url: str) -> None:
    s3 = boto3.client("s3")
    prefix = staged_url.removeprefix(f"s3://{_BUCKET}/")
    found = s3.list_objects_v2(Bucket=_BUCKET, Prefix=f"{prefix}/part-")["Contents"]
    entries = [
        {"url": f"s3://{_BUCKET}/{item['Key']}", "mandatory": True, "meta": {"content_length": item["Size"]}}
        for item in found
    ]
    manifest = f"{prefix}/manifest.json"
    s3.put_object(Bucket=_BUCKET, Key=manifest, Body=json.dumps({"entries": entries}).encode())
    columns = ", ".join(f"{column.name} {column.type}" for column in COLUMNS)
    same = " and ".join(f"{table}.{key} = {table}_staging.{key}" for key in KEYS)
    _run(f"create table if not exists {table} ({columns})")
    _run(
        f"create table {table}_staging ({columns})",
        f"copy {table}_staging from 's3://{_BUCKET}/{manifest}' iam_role default format as parquet manifest",
    )
    _run(
        f"delete from {table} using {table}_staging where {same}",
        f"insert into {table} select * from {table}_staging",
        f"drop table {table}_staging",
    )


def _run(*statements: str) -> None:
    client: Any = boto3.client("redshift-data")
    target = {"WorkgroupName": "sandbox", "Database": "dev"}
    if len(statements) == 1:
        statement_id = client.execute_statement(Sql=statements[0], **target)["Id"]
    else:
        statement_id = client.batch_execute_statement(Sqls=list(statements), **target)["Id"]
    while (described := client.describe_statement(Id=statement_id))["Status"] in ("SUBMITTED", "PICKED", "STARTED"):
        time.sleep(0.5)
    if described["Status"] != "FINISHED":
        raise RuntimeError(described.get("Error"))


def _archive(source_url: str) -> None:
    s3 = boto3.client("s3")
    key = source_url.removeprefix(f"s3://{_BUCKET}/")
    s3.copy_object(Bucket=_BUCKET, Key=key.replace("data/in", "data/archive"), CopySource=f"{_BUCKET}/{key}")
    s3.delete_object(Bucket=_BUCKET, Key=key)


if __name__ == "__main__":
    main(*sys.argv[1:])
