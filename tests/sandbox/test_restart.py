"""Commands that start and stop the sandbox for themselves, as README.md shows them: what one leaves, the next finds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from framework import sandbox

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
SPEC = """\
pipeline: orders
source: {{prefix: data/in/orders/}}
target: {{table: orders}}
load: {{keys: [id], duplicates: {duplicates}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """Return a project folder with a sandbox of its own."""
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "environments.yml").write_text((ROOT / "environments.yml").read_text(encoding="utf-8"))
    (tmp_path / ".sandbox/s3/lake/data/in/orders").mkdir(parents=True)
    yield tmp_path
    sandbox.reset(tmp_path / ".sandbox")


def run(project: Path, *argv: str) -> tuple[int, Any]:
    """Run a command in a process of its own; return its exit code and its JSON."""
    command = [sys.executable, str(ROOT / "run.py"), "--project", str(project), "--output", "json", *argv]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    return done.returncode, json.loads(done.stdout)


def write_spec(project: Path, duplicates: str) -> None:
    (project / "pipelines" / "orders.yml").write_text(SPEC.format(duplicates=duplicates))


def test_a_file_set_aside_by_one_command_is_replayed_by_another(project: Path) -> None:
    write_spec(project, "reject")
    (project / ".sandbox/s3/lake/data/in/orders/1.csv").write_text("id,amount\n1,10\n1,20\n")

    assert run(project, "run", "orders")[0] == 3
    assert not sandbox.is_running(project / ".sandbox")
    write_spec(project, "deduplicate")
    code, replayed = run(project, "replay", "orders")

    assert (code, [load["status"] for load in replayed["loads"]]) == (0, ["SUCCESS"])
    _, found = run(project, "sandbox", "sql", "select id, amount from public.orders")
    assert found["rows"] == [[1, 20]]
    assert not list((project / ".sandbox/s3/lake/data/unprocessed").rglob("*.csv"))


def test_metadata_outlives_the_server(tmp_path: Path) -> None:
    folder = tmp_path / ".sandbox"
    try:
        for expected in ({}, {"who": "me"}, {"who": "me"}):
            address = sandbox.start(folder)
            session = boto3.session.Session(address.access_key, address.secret_key, region_name="eu-west-1")
            client = session.client("s3", endpoint_url=address.s3_url)
            if not expected:
                client.put_object(Bucket="lake", Key="kept", Body=b"x", Metadata={"who": "me"})
            else:
                assert client.head_object(Bucket="lake", Key="kept")["Metadata"] == expected
            sandbox.stop(folder)
    finally:
        sandbox.reset(folder)
