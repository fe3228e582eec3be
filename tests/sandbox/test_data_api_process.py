"""The Data API as a process: how it starts and ends, and what it does while PostgreSQL is away."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest

from framework import sandbox as local_sandbox
from framework.sandbox import ProcessStatus, SandboxAddress
from tests.sandbox.data_api_caller import ENDLESS, Caller

pytestmark = pytest.mark.processes


@pytest.fixture
def own(tmp_path: Path) -> Iterator[SandboxAddress]:
    folder = tmp_path / ".sandbox"
    try:
        yield local_sandbox.start(folder)
    finally:
        local_sandbox.reset(folder)


def caller_of(data_api_url: str) -> Caller:
    client = boto3.client(
        "redshift-data",
        endpoint_url=data_api_url,
        region_name="eu-west-1",
        aws_access_key_id="k",
        aws_secret_access_key="s",
    )
    return Caller(client, None)


def start_process(address: SandboxAddress, port: int) -> subprocess.Popen[str]:
    environment = os.environ | {
        "FEEDWAY_SANDBOX_ACCESS_KEY": address.access_key,
        "FEEDWAY_SANDBOX_DATABASE_URL": address.database_url,
    }
    command = [sys.executable, "-m", "framework.sandbox.data_api", "--port", str(port), "--s3-url", address.s3_url]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def health(data_api_url: str) -> int:
    try:
        with urllib.request.urlopen(f"{data_api_url}/health", timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def wait_for_port(port: int, process: subprocess.Popen[str]) -> None:
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


def postgresql(address: SandboxAddress) -> ProcessStatus:
    return next(process for process in local_sandbox.status(address.folder) if process.name == "postgresql")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_taken_port_ends_with_one_clear_line(sandbox: SandboxAddress) -> None:
    port = urlsplit(sandbox.data_api_url).port or 0
    process = start_process(sandbox, port)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (1, f"data api: cannot listen on 127.0.0.1:{port}: Address already in use\n")


def test_sigterm_ends_the_process_and_what_it_runs(sandbox: SandboxAddress) -> None:
    port = free_port()
    process = start_process(sandbox, port)
    wait_for_port(port, process)
    caller = caller_of(f"http://127.0.0.1:{port}")
    pid = caller.wait_for(caller.submit(ENDLESS), ("STARTED",))["RedshiftPid"]
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
    assert pid > 0


def test_statements_fail_while_postgresql_is_away_and_run_when_it_is_back(own: SandboxAddress) -> None:
    caller = caller_of(own.data_api_url)
    assert caller.rows("select 1") == [(1,)]
    running = caller.submit(ENDLESS)
    caller.wait_for(running, ("STARTED",))
    os.kill(postgresql(own).pid or 0, signal.SIGINT)
    assert caller.wait(running)["Error"].startswith("FATAL: ")
    described = caller.run("select 1")
    assert described["Status"] == "FAILED"
    assert described["Error"].startswith("FATAL: ")
    assert health(own.data_api_url) == 503
    while postgresql(own).state != "stopped":
        time.sleep(0.05)
    local_sandbox.start(own.folder)
    assert health(own.data_api_url) == 200
    assert caller.rows("select 1") == [(1,)]
