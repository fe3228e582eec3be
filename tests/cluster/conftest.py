"""A Spark standalone cluster of a master and two workers: processes of their own on this machine's loopback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyspark
import pytest

from framework.sandbox import java_environment
from tests.glue.conftest import dist, only  # noqa: F401 - dist is a fixture

SPARK_HOME = Path(pyspark.__file__).parent
WORKERS = 2
PATIENCE_SECONDS = 90.0


@dataclass(frozen=True)
class Cluster:
    """Where jobs are submitted to, and the folder into which their events are written."""

    master: str
    events: Path

    def submit(
        self,
        built: Path,
        project: Path,
        name: str,
        environment: Mapping[str, str],
        master: str | None = None,
    ) -> list[dict[str, Any]]:
        """Load a feed by spark-submit from `built`, the folder that `make dist` writes; return the results."""
        settings = {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.executor.memory": "768m",
            "spark.ui.enabled": "false",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": self.events.as_uri(),
            # Executors have none of the job's environment, and the tasks' credentials are those of their process.
            **{f"spark.executorEnv.{key}": value for key, value in environment.items() if key.startswith("AWS_")},
        }
        options = [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
        packages = ["--py-files", str(only(built, "feedway-*[0-9].zip"))]
        command = [str(SPARK_HOME / "bin" / "spark-submit"), "--master", master or self.master, *options, *packages]
        result = project / f"{name}.json"
        arguments = ["run.py", "--pipeline", name, "--env", "glue", "--project", str(project), "--result", str(result)]
        ended = subprocess.run(
            [*command, *arguments],
            cwd=built,
            env={
                **environment,
                **java_environment(),
                "SPARK_HOME": str(SPARK_HOME),
                "SPARK_LOCAL_IP": "127.0.0.1",
                "PYSPARK_PYTHON": sys.executable,
            },
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr[-5000:]
        loads: list[dict[str, Any]] = json.loads(result.read_text(encoding="utf-8"))["loads"]
        return loads

    def tasks(self) -> list[dict[str, Any]]:
        """Return what the events say of every task that has ended, of all applications so far."""
        found = []
        for path in sorted(self.events.rglob("*")):
            if path.is_file():
                events = map(json.loads, path.read_text(encoding="utf-8").splitlines())
                found += [event for event in events if event["Event"] == "SparkListenerTaskEnd"]
        return found


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster, with both workers registered; all of it is gone at the end."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "events").mkdir()
    port, page = free_port(), free_port()
    address = f"spark://127.0.0.1:{port}"
    with ExitStack() as stack:
        own = ["--host", "127.0.0.1"]
        _start(stack, folder, "master.Master", *own, "--port", str(port), "--webui-port", str(page))
        for number in range(WORKERS):
            work = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder / f"work-{number}")]
            ports = ["--port", str(free_port()), "--webui-port", str(free_port())]
            _start(stack, folder, "worker.Worker", *own, *ports, *work, address)
        _await_workers(f"http://127.0.0.1:{page}/json/")
        yield Cluster(address, folder / "events")


def free_port() -> int:
    """Return a port of the loopback that nobody holds now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _start(stack: ExitStack, folder: Path, name: str, *arguments: str) -> None:
    """Start a process of the cluster, which ends with the stack."""
    environment = {
        **os.environ,
        **java_environment(),
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
    }
    log = stack.enter_context((folder / f"{name}-{time.monotonic_ns()}.log").open("wb"))
    command = [str(SPARK_HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    stack.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_workers(url: str) -> None:
    patient_until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                state = json.load(answer)
        except OSError:
            state = {"aliveworkers": 0}
        if state["aliveworkers"] == WORKERS:
            return
        assert time.monotonic() < patient_until, f"the workers did not register: {state}"
        time.sleep(0.5)
