"""A load of two million rows on a cluster of two workers gives what a local one gives, and shuffles no row."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

import duckdb
import psycopg
import pytest

from framework.sandbox import SandboxAddress
from tests.cluster.conftest import WORKERS, Cluster
from tests.glue.conftest import ENVIRONMENTS, job_environment

FILES, ROWS = 4, 500_000
MAX_RESULT_BYTES = 64 * 1024
"""Of a task, on average."""
SPEC = """\
pipeline: {name}
source: {{prefix: data/in/{name}/, batch: all}}
target: {{table: {name}}}
load: {{keys: [id]}}
metadata_columns: {{run_date: null, file_name: null}}
"""
_WORDS = ("plain", '"with, comma"', '"said ""so"""', "grün", "00501", "", '""')


def write_files(folder: Path) -> None:
    """Write the source files, from a seed."""
    folder.mkdir(parents=True)
    chance = random.Random(20261126)
    for number in range(FILES):
        first = number * ROWS
        with (folder / f"{number}.csv").open("w", encoding="utf-8") as file:
            file.write("id,amount,score,day,word\n")
            for row in range(first, first + ROWS):
                amount = f"{chance.randrange(-(10**9), 10**9)}.{row % 100:02}"
                day = f"20{row % 27:02}-{row % 12 + 1:02}-{row % 28 + 1:02}"
                file.write(f"{row},{amount},{row % 1000},{day},{_WORDS[row % 7]}\n")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxAddress) -> Path:
    """A project with a feed for each way to run, whose files have landed."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "pipelines").mkdir()
    (folder / "environments.yml").write_text(ENVIRONMENTS.format(engine="spark"), encoding="utf-8")
    inbox = sandbox.s3_folder / "lake" / "data" / "in"
    write_files(inbox / "clustered")
    shutil.copytree(inbox / "clustered", inbox / "alone")
    shutil.copytree(inbox / "clustered", folder / "files")
    for name in ("clustered", "alone"):
        (folder / "pipelines" / f"{name}.yml").write_text(SPEC.format(name=name), encoding="utf-8")
    return folder


def test_a_cluster_loads_what_a_machine_alone_loads_and_shuffles_no_row(
    cluster: Cluster, sandbox: SandboxAddress, dist: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = job_environment(sandbox)
    clustered = cluster.submit(dist, project, "clustered", environment)
    tasks = cluster.tasks()
    alone = cluster.submit(dist, project, "alone", environment, master="local[2]")

    for loads in (clustered, alone):
        assert [(load["status"], load["engine"], load["records_inserted"]) for load in loads] == [
            ("SUCCESS", "spark", ROWS)
        ] * FILES
    executors = Counter(task["Task Info"]["Executor ID"] for task in tasks)
    assert len(executors) == WORKERS
    shuffled = sum(task["Task Metrics"]["Shuffle Write Metrics"]["Shuffle Bytes Written"] for task in tasks)
    returned = sum(task["Task Metrics"]["Result Size"] for task in tasks)
    with capsys.disabled():
        print(f"\n{len(tasks)} tasks on {len(executors)} workers returned {returned:,} bytes and shuffled no row")
    assert shuffled == 0
    assert returned <= MAX_RESULT_BYTES * len(tasks)
    _compare(sandbox, project / "files")


def _compare(sandbox: SandboxAddress, files: Path) -> None:
    """Compare both tables with each other, row by row, and their sums with what DuckDB reads in the files."""
    sums = "count(*), count(distinct id), sum(amount), sum(score), min(day), max(day), count(word), sum(length(word))"
    source = f"read_csv('{files}/*.csv', header = true, allow_quoted_nulls = false, columns = {{'id': 'BIGINT', "
    source += "'amount': 'DECIMAL(18,2)', 'score': 'INTEGER', 'day': 'DATE', 'word': 'VARCHAR'})"
    with duckdb.connect() as reader:
        expected = reader.execute(f"select {sums} from {source}").fetchone()
    with psycopg.connect(sandbox.database_url) as connection:
        (different,) = connection.execute(
            "select count(*) from (table clustered except all table alone) as rows"
        ).fetchone() or (None,)
        found = connection.execute(f"select {sums} from clustered".encode()).fetchone()

    assert different == 0
    assert found == expected
