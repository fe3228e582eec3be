"""One run of the command, measured from outside: time, CPU, memory, and its own log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil

RUN = Path(__file__).resolve().parent.parent / "run.py"
SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Measured:
    """A finished command: what it printed and its log, seconds, CPU seconds, and peak bytes of its processes."""

    output: bytes
    log: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document that `run` printed."""
        document: dict[str, Any] = json.loads(self.output)
        return document

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The log's entries."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]


def run(project: Path, *arguments: str, environment: Mapping[str, str] = MappingProxyType({})) -> Measured:
    """Run `run.py` with arguments and more environment variables, and return what it cost.

    Raises:
        RuntimeError: the command failed; holds what it said.
    """
    command = [sys.executable, str(RUN), "--project", str(project), "--output", "json", *arguments]
    return measured(command, project / "last-run.log", environment)


def measured(command: Sequence[str], log_path: Path, environment: Mapping[str, str]) -> Measured:
    """Run a command with more environment variables and return what it cost; its stderr goes to `log_path`.

    CPU is of the process and of all its ended children. Memory is the proportional set size of the
    process and its children, looked at twenty times a second.

    Raises:
        RuntimeError: the command failed; holds what it said.
    """
    # Python keeps what it compiles, if nothing forbids it; compiling it anew takes as long as half of a small load.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.monotonic()
    with (
        log_path.open("wb") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, env={**kept, **environment}, cwd=RUN.parent
        ) as process,
    ):
        peak = _PeakMemory(process.pid)
        peak.start()
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        peak.stop()
    said = log_path.read_text(encoding="utf-8", errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said[-4000:]}")
    return Measured(output, said, seconds, usage.ru_utime + usage.ru_stime, peak.bytes)


class _PeakMemory(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self.bytes = 0

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            try:
                tree = [self._process, *self._process.children(recursive=True)]
                self.bytes = max(self.bytes, sum(_memory(process) for process in tree))
            except psutil.NoSuchProcess:
                continue

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return 0


def phases(log: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return seconds by phase from a load's log: steps by the time that passed, the engine's own as busy time."""
    found: dict[str, float] = {}
    steps = [(entry["step"], datetime.fromisoformat(entry["ts"])) for entry in log if entry["msg"] == "step"]
    ends = [*(at for _, at in steps[1:]), datetime.fromisoformat(log[-1]["ts"])]
    for (step, begun), ended in zip(steps, ends, strict=True):
        found[step] = found.get(step, 0.0) + (ended - begun).total_seconds()
    for entry in log:
        if entry["msg"] == "staged":
            found |= entry.get("phase_seconds", {})
    return found
