"""What `make dist` writes runs on Glue's packages: from the zip of wheels, and from the zip of packages."""

from __future__ import annotations

import json
import shutil
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
import pyspark
import pytest

from framework.sandbox import SandboxAddress, java_environment
from tests.glue.conftest import ENVIRONMENTS, PROJECT, Job, job_environment, only, packages_of
from tests.harness import new_name

SPEC = """\
pipeline: {name}
source: {{prefix: data/in/{name}/}}
target: {{table: {name}}}
load: {{keys: [id]}}
views: [{{schema: reporting, name: v_{name}, definition: "select id, a from {{{{ target }}}}"}}]
"""


class Feed:
    """A feed whose spec is in S3, as its files are."""

    def __init__(self, s3: Any, engine: str) -> None:
        self.s3 = s3
        self.name = new_name(f"glue_{engine}")
        self.place = f"s3://lake/{PROJECT}/{self.name}"
        self.put("environments.yml", ENVIRONMENTS.format(engine=engine))
        self.put(f"pipelines/{self.name}.yml", SPEC.format(name=self.name))

    def put(self, path: str, text: str) -> None:
        self.s3.put_object(Bucket="lake", Key=f"{PROJECT}/{self.name}/{path}", Body=text.encode())

    def land(self, file_name: str, text: str) -> None:
        self.s3.put_object(Bucket="lake", Key=f"data/in/{self.name}/{file_name}", Body=text.encode())

    @property
    def argv(self) -> list[str]:
        return [
            "--enable-metrics", "true", "--JOB_NAME", "etl", "--pipeline", self.name, "--env", "glue",
            "--project", self.place, "--result", f"{self.place}/result.json", "--JOB_RUN_ID", f"jr_{self.name}",
        ]  # fmt: skip

    def result(self) -> list[dict[str, Any]]:
        """Return the loads of the last run."""
        body = self.s3.get_object(Bucket="lake", Key=f"{PROJECT}/{self.name}/result.json")["Body"].read()
        loads: list[dict[str, Any]] = json.loads(body)["loads"]
        return loads

    def rows(self, columns: str) -> list[tuple[str, ...]]:
        """Return the target's rows."""
        client = boto3.session.Session().client("redshift-data")
        sql = f"select {columns} from public.{self.name} order by 1"
        started = client.execute_statement(Sql=sql, Database="dev", WorkgroupName="sandbox")["Id"]
        while client.describe_statement(Id=started)["Status"] not in ("FINISHED", "FAILED"):
            time.sleep(0.05)
        records = client.get_statement_result(Id=started)["Records"]
        return [tuple(str(next(iter(field.values()))) for field in record) for record in records]


@pytest.fixture
def job(installed: Path, dist: Path, sandbox: SandboxAddress, tmp_path: Path) -> Job:
    """A job from the zip of wheels."""
    shutil.copy(dist / "run.py", tmp_path)
    return Job(installed, tmp_path, job_environment(sandbox))


def test_the_zip_of_wheels_needs_nothing_else_and_changes_nothing_of_glues(job: Job, glue_version: str) -> None:
    checked = job.run("-m", "pip", "check")
    frozen = job.run("-m", "pip", "list", "--format", "freeze").stdout.splitlines()

    assert checked.returncode == 0, checked.stdout
    assert {line for line in packages_of(glue_version).read_text().splitlines() if "==" in line} <= set(frozen)
    assert not any(line.startswith(("pyspark", "psycopg", "sqlglot")) for line in frozen)


def test_what_ships_is_the_project_of_a_run_py_alone(job: Job) -> None:
    ended = job.run("run.py", "validate", "--output", "text")

    assert (ended.returncode, ended.stdout) == (0, "2 pipelines are valid\n"), ended.stderr
    assert "pip install 'feedway[sandbox]'" in job.run("run.py", "run", "orders").stderr


def test_mistakes_are_reported_as_they_are_in_a_checkout(job: Job) -> None:
    """Another version of jsonschema finds them."""
    (job.folder / "pipelines").mkdir()
    text = "pipeline: x\nsource: {prefix: in/, patern: '*', format: xml}\nload: {mode: upsrt, keys: id}\nviews: {}\n"
    (job.folder / "pipelines" / "x.yml").write_text(text)
    command = ["run.py", "validate", "--output", "json"]

    there = job.run(*command)
    here = Job(Path(sys.executable), job.folder, job.environment).run(*command)

    assert (there.returncode, here.returncode) == (2, 2), there.stderr + here.stderr
    assert there.stdout == here.stdout
    assert len(json.loads(there.stdout)["problems"]) >= 5


def test_a_job_loads_by_specs_in_s3(job: Job, s3: Any) -> None:
    feed = Feed(s3, "embedded")
    feed.land("1.csv", "id,a\n1,x\n2,y\n")
    first = job.run("run.py", *feed.argv)
    loaded = feed.result()
    feed.land("2.csv", f"id,a,b\n2,{'z' * 300},7\n3,w,8\n")
    second = job.run("run.py", *feed.argv)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert [(load["status"], load["records_inserted"]) for load in loaded] == [("SUCCESS", 2)]
    assert [(load["engine"], load["records_updated"], load["records_inserted"]) for load in feed.result()] == [
        ("embedded", 1, 1)
    ]
    assert feed.rows("id, left(a, 1), coalesce(b, 0)") == [("1", "x", "0"), ("2", "z", "7"), ("3", "w", "8")]


def test_a_job_that_fails_raises_one_line_and_keeps_its_result(job: Job, s3: Any) -> None:
    feed = Feed(s3, "embedded")
    feed.land("bad.csv", "id,a\n,x\n")

    ended = job.run("run.py", *feed.argv)

    last = ended.stderr.splitlines()[-1]
    assert ended.returncode == 1
    assert last.startswith(f"framework.errors.PipelineError: pipeline={feed.name} file=data/in/{feed.name}/bad.csv ")
    assert [load["status"] for load in feed.result()] == ["FAILED"]


def submit(python: Path, folder: Path, sandbox: SandboxAddress, options: Sequence[str], *argv: str) -> Any:
    """Run spark-submit, whose driver and workers run a Python."""
    home = Path(pyspark.__file__).parent
    environment = job_environment(
        sandbox, SPARK_HOME=str(home), PYSPARK_PYTHON=str(python), SPARK_LOCAL_IP="127.0.0.1", **java_environment()
    )
    command = ["--master", "local[2]", "--conf", "spark.driver.host=127.0.0.1", *options, "run.py", *argv]
    return Job(home / "bin" / "spark-submit", folder, environment).run(*command)


def test_a_load_on_spark_needs_the_zip_of_wheels_alone(job: Job, sandbox: SandboxAddress, s3: Any) -> None:
    feed = Feed(s3, "spark")
    feed.land("1.csv", 'id,a\n1,x\n2,"y\nz"\n')

    ended = submit(job.python, job.folder, sandbox, [], *feed.argv)

    assert ended.returncode == 0, ended.stderr
    assert [(load["engine"], load["records_inserted"]) for load in feed.result()] == [("spark", 2)]
    assert feed.rows("id, a") == [("1", "x"), ("2", "y\nz")]


def test_the_zip_of_packages_needs_duckdb_beside_it(
    base: Path, dist: Path, sandbox: SandboxAddress, s3: Any, tmp_path: Path
) -> None:
    shutil.copy(dist / "run.py", tmp_path)
    feed = Feed(s3, "spark")
    feed.land("1.csv", "id,a\n1,x\n")

    ended = submit(base, tmp_path, sandbox, ["--py-files", str(only(dist, "feedway-*[0-9].zip"))], *feed.argv)

    assert ended.returncode != 0
    # spark-submit passes both of its program's outputs on as one.
    assert "the spark engine needs the package 'duckdb', which is not installed" in ended.stdout


def test_what_ships_is_read_from_the_zip_of_packages(base: Path, dist: Path, tmp_path: Path) -> None:
    packages = only(dist, "feedway-*[0-9].zip")
    shutil.copy(dist / "run.py", tmp_path)

    ended = Job(base, tmp_path, {"PYTHONPATH": str(packages)}).run("run.py", "validate", "--output", "text")
    unknown = Job(base, tmp_path, {"PYTHONPATH": str(packages)}).run("run.py", "run", "no_such_feed")

    assert (ended.returncode, ended.stdout) == (0, "2 pipelines are valid\n"), ended.stderr
    assert f"no pipeline 'no_such_feed' in {packages}/framework/pipelines" in unknown.stderr
    with zipfile.ZipFile(packages) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".so") or name.startswith("duckdb")]
