"""Processes that outlive the command that started them: starting, recognising and ending them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

import psutil

from framework.sandbox.state import ProcessRecord

SHOWN_LOG_LINES = 15
POLL_SECONDS = 0.01
CLOCK_TOLERANCE_SECONDS = 60.0
"""A start time is known against the system clock, which may be set while a process runs."""

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Started by this very process, which must collect them when they end."""


@dataclass(frozen=True)
class Account:
    """Whom a process runs as, in the form subprocess takes; all None is the caller."""

    user_id: int | None = None
    group_id: int | None = None
    other_groups: tuple[int, ...] | None = None

    def own(self, path: Path) -> None:
        """Make the account the owner of a file or folder."""
        if self.user_id is not None and self.group_id is not None:
            os.chown(path, self.user_id, self.group_id, follow_symlinks=False)


@dataclass(frozen=True)
class Launch:
    """How to start a process."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    working_folder: Path
    account: Account = Account()


def spawn(launch: Launch, port: int, log: Path) -> ProcessRecord:
    """Start a process in a session of its own; `log` begins anew, the one before it is kept as `.log.1`."""
    log.parent.mkdir(exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        child = subprocess.Popen(
            launch.command,
            env=dict(launch.environment),
            cwd=launch.working_folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=launch.account.user_id,
            group=launch.account.group_id,
            extra_groups=launch.account.other_groups,
        )
    _children[child.pid] = child
    return ProcessRecord(child.pid, psutil.Process(child.pid).create_time(), port, launch.command)


def is_alive(record: ProcessRecord) -> bool:
    """Whether the very process that was started still runs."""
    child = _children.get(record.pid)
    if child is not None:
        return child.poll() is None
    try:
        process = psutil.Process(record.pid)
        return (
            tuple(process.cmdline()) == record.command
            and abs(process.create_time() - record.started) < CLOCK_TOLERANCE_SECONDS
        )
    except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
        return False


def listens(record: ProcessRecord) -> bool:
    """Whether the process itself, not another one, listens on the port recorded for it."""
    try:
        connections = psutil.Process(record.pid).net_connections(kind="tcp")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr[1] == record.port for connection in connections
    )


def end(record: ProcessRecord, signals: Sequence[tuple[Signals, float]]) -> None:
    """End a process: one signal after the other, each with so many seconds to take effect."""
    for signal, patience_seconds in signals:
        if not is_alive(record):
            return
        psutil.Process(record.pid).send_signal(signal)
        if wait_until(lambda: not is_alive(record), patience_seconds):
            return


def wait_until(condition: Callable[[], bool], patience_seconds: float) -> bool:
    """Wait for a condition; False when it does not hold in time."""
    deadline = time.monotonic() + patience_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def last_lines(log: Path) -> str:
    """Return the end of a log, indented, for an error message."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    return "\n".join(f"    {line}" for line in lines[-SHOWN_LOG_LINES:]) or "    (the log is empty)"
