"""Commands as processes: what a pipe gets, and how an interruption ends them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).parents[2] / "run.py"


def test_a_pipe_gets_text_too_and_json_lines_only_where_asked_for(tmp_path: Path) -> None:
    (tmp_path / "environments.yml").write_text("environments: {a: {lake: {}, warehouse: {}}}\n")
    (tmp_path / "pipelines").mkdir()
    command = [sys.executable, str(RUN), "--project", str(tmp_path), "validate"]

    text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    lines = subprocess.run([*command, "--output", "lines"], capture_output=True, text=True, check=False).stdout

    assert text.splitlines()[-2] == "4 problems"
    assert [len(json.loads(line)["problems"]) for line in lines.splitlines()] == [4]


def test_a_job_that_is_stopped_fails_and_says_why() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        aws = {"AWS_ENDPOINT_URL_S3": endpoint, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
        argv = [
            sys.executable,
            str(RUN),
            "--JOB_NAME",
            "etl",
            "--env",
            "sandbox",
            "--pipeline",
            "orders",
            "--project",
            "s3://bucket/x",
        ]
        with subprocess.Popen(argv, env={**os.environ, **aws}, stderr=subprocess.PIPE, text=True) as process:
            connection, _ = silent.accept()
            process.send_signal(signal.SIGTERM)
            error = process.communicate(timeout=20)[1]
            connection.close()

    expected = "framework.errors.PipelineError: terminated; files that were not loaded stay where they are"
    assert error.splitlines()[-1] == expected
    assert process.returncode == 1


def test_control_c_ends_a_process_whose_pieces_sleep() -> None:
    code = (
        "from framework.cli.concurrency import *\n"
        "i = Interruption()\n"
        "import os, signal\n"
        # Background processes of a shell that is not interactive are started with the signal ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def piece(): os.write(1, b'begun\\n'); i.sleep(60)\n"
        "try: run_concurrently([piece] * 9, 2, i)\n"
        "except KeyboardInterrupt: print('ended', flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["begun\n"] * 2
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20)[0] == "ended\n"
