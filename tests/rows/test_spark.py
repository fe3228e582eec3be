"""What Spark repeats, what it does not, and what its failures mean; each scenario is in spark_scenarios.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from framework.sandbox import SandboxAddress
from tests.spark import ROOT

Scenarios = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def spark_scenarios(sandbox: SandboxAddress, s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Scenarios:
    """What came of each scenario."""
    program = f"from tests.rows import spark_scenarios; spark_scenarios.main({str(sandbox.s3_folder)!r})"
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYSPARK_PYTHON")}
    environment["TMPDIR"] = str(tmp_path_factory.mktemp("spark"))
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    found: Scenarios = json.loads(ended.stdout.splitlines()[-1])
    return found


def test_a_round_of_tasks_is_one_job(spark_scenarios: Scenarios) -> None:
    assert spark_scenarios["jobs"] == {"jobs": 1}


def test_the_rows_of_a_killed_worker_are_staged_once(spark_scenarios: Scenarios) -> None:
    assert spark_scenarios["worker_killed_once"] == {"killed": 1, "is_right": True}


def test_workers_that_are_always_killed_are_a_matter_of_memory(spark_scenarios: Scenarios) -> None:
    ended = spark_scenarios["worker_killed_always"]

    assert (ended["type"], ended["reads"]) == ("MachineError", 4)
    assert ended["message"] == (
        "Spark's workers ended at 4 attempts of a task, as they do without memory: free memory on this machine, "
        "or lower embedded.memory."
    )


def test_the_folder_of_a_killed_worker_is_removed_by_the_next_task(spark_scenarios: Scenarios) -> None:
    assert spark_scenarios["worker_killed_always"]["left"] == []


def test_a_file_that_an_abandoned_attempt_uploads_is_not_loaded(spark_scenarios: Scenarios) -> None:
    assert spark_scenarios["late_upload"] == {"is_listed": False, "is_right": True}


def test_a_failure_that_may_pass_is_repeated(spark_scenarios: Scenarios) -> None:
    assert spark_scenarios["failure_that_passes"] == {"reads": 3, "rows": 1}


def test_a_failure_that_does_not_pass_ends_in_its_own_error(spark_scenarios: Scenarios) -> None:
    ended = spark_scenarios["failure_that_does_not_pass_in_time"]

    assert (ended["type"], ended["message"], ended["reads"]) == ("TransientWarehouseError", "S3 is busy", 4)
    assert ended["attributes"]["is_outage"] == "True"


def test_a_failure_that_cannot_pass_is_not_repeated(spark_scenarios: Scenarios) -> None:
    ended = spark_scenarios["failure_that_cannot_pass"]

    assert (ended["type"], ended["message"], ended["reads"]) == ("WarehouseError", "S3 refused", 1)
    assert (ended["attributes"]["is_outage"], ended["attributes"]["cause"]) == ("True", "Cause.NOT_PERMITTED")


def test_a_refusal_of_s3_is_not_repeated_and_names_the_worker(spark_scenarios: Scenarios) -> None:
    ended = spark_scenarios["forbidden"]

    assert (ended["type"], ended["reads"]) == ("WarehouseError", 1)
    assert "The worker called as the owner of access key nobody" in ended["message"]


def test_a_file_that_was_replaced_is_not_read_again(spark_scenarios: Scenarios) -> None:
    ended = spark_scenarios["replaced"]

    assert (ended["type"], ended["reads"]) == ("SourceFileError", 1)
    assert ended["attributes"]["keys"] == str((ended["key"],))


def test_what_the_watch_raises_ends_the_workers(spark_scenarios: Scenarios) -> None:
    assert spark_scenarios["cancelled"] == {"interrupted": True, "alive": []}


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("without duckdb", "No module named 'duckdb'"),
        ("without feedway", "No module named 'framework'"),
        ("no interpreter", 'Cannot run program "/no/such/python"'),
    ],
)
def test_what_workers_lack_is_one_line_with_the_remedy(spark_scenarios: Scenarios, scenario: str, reason: str) -> None:
    ended = spark_scenarios["other_versions"][scenario]

    assert ended["type"] == "MachineError"
    assert reason in ended["message"]
    assert "set PYSPARK_PYTHON" in ended["message"]
    assert len(ended["message"].splitlines()) == 1


def test_a_session_that_has_stopped_is_an_outage(spark_scenarios: Scenarios) -> None:
    ended = spark_scenarios["stopped"]

    assert (ended["type"], ended["attributes"]["is_outage"]) == ("WarehouseError", "True")
    assert ended["message"].startswith("Spark has stopped during the load: ")
    assert len(ended["message"].splitlines()) == 1
