"""How a command ends in an AWS Glue job, which knows no exit codes and shows one line."""

from __future__ import annotations

import importlib.metadata
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from framework.cli import main
from framework.cli.main import LONGEST_LINE
from framework.errors import PipelineError, SpecError

RUN = Path(__file__).parents[3] / "run.py"
JOB = ("--JOB_NAME", "etl", "--env", "sandbox", "--pipeline")


def test_a_failure_of_several_lines_is_raised_in_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "environments.yml").write_text("environments: {a: {lake: {}, warehouse: {}}}\n")

    with pytest.raises(SpecError) as raised:
        main([*JOB, "orders", "--project", str(tmp_path)])

    first, *problems = capsys.readouterr().err.removeprefix("error: ").splitlines()
    assert len(problems) > 1
    assert str(raised.value) == " | ".join([first, *(problem.strip() for problem in problems)])
    assert raised.value.exit_code == 2


def test_the_line_is_no_longer_than_a_console_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "x" * 2 * LONGEST_LINE
    with pytest.raises(PipelineError) as raised:
        main([*JOB, name], home=tmp_path)

    assert len(str(raised.value)) == LONGEST_LINE
    assert str(raised.value).startswith("pipeline=xxx")
    assert f"there is no pipeline '{name}'" in capsys.readouterr().err


def test_a_pipe_gets_text_too_and_json_lines_only_where_asked_for(tmp_path: Path) -> None:
    (tmp_path / "environments.yml").write_text("environments: {a: {lake: {}, warehouse: {}}}\n")
    (tmp_path / "pipelines").mkdir()
    command = [sys.executable, str(RUN), "--project", str(tmp_path), "validate"]

    text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    lines = subprocess.run([*command, "--output", "lines"], capture_output=True, text=True, check=False).stdout

    assert text.splitlines()[-1] == "4 problems"
    assert [len(json.loads(line)["problems"]) for line in lines.splitlines()] == [4]


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert (ended.value.code, capsys.readouterr().out) == (0, f"feedway {importlib.metadata.version('feedway')}\n")


def test_a_job_that_is_stopped_fails_and_says_why() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        aws = {"AWS_ENDPOINT_URL_S3": endpoint, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
        argv = [sys.executable, str(RUN), *JOB, "orders", "--project", "s3://bucket/x"]
        with subprocess.Popen(argv, env={**os.environ, **aws}, stderr=subprocess.PIPE, text=True) as process:
            connection, _ = silent.accept()
            process.send_signal(signal.SIGTERM)
            error = process.communicate(timeout=20)[1]
            connection.close()

    expected = "framework.errors.PipelineError: terminated; files that were not loaded stay where they are"
    assert error.splitlines()[-1] == expected
    assert process.returncode == 1
