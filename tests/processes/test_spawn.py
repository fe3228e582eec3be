import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from framework.sandbox.processes import Launch, end, is_alive, last_lines, spawn, wait_until
from framework.sandbox.state import ProcessRecord

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "it.log"


@pytest.fixture
def run(log: Path, tmp_path: Path) -> Iterator[Callable[[str], ProcessRecord]]:
    """Start a Python program and wait until it has printed something."""
    started: list[ProcessRecord] = []

    def start(code: str) -> ProcessRecord:
        launch = Launch((sys.executable, "-c", code), dict(os.environ), tmp_path)
        started.append(spawn(launch, 1, log))
        assert wait_until(lambda: log.stat().st_size > 0, 10)
        return started[-1]

    yield start
    for record in started:
        end(record, ((signal.SIGKILL, 5),))


def test_a_started_process_is_recognised(run: Callable[[str], ProcessRecord]) -> None:
    assert is_alive(run(SLEEP))


def test_a_process_has_a_session_of_its_own(run: Callable[[str], ProcessRecord]) -> None:
    """An interrupt at the terminal that started it does not reach it."""
    record = run(SLEEP)

    assert os.getsid(record.pid) == record.pid


def test_another_process_with_the_same_pid_is_not_ours() -> None:
    this = psutil.Process()
    record = ProcessRecord(this.pid, this.create_time(), 1, tuple(this.cmdline()))

    assert is_alive(record)
    assert not is_alive(replace(record, command=("another",)))
    assert not is_alive(replace(record, started=record.started - 3600))


def test_a_process_that_ended_is_not_alive(run: Callable[[str], ProcessRecord]) -> None:
    record = run("print('bye')")

    assert wait_until(lambda: not is_alive(record), 5)


def test_a_process_that_ignores_a_signal_gets_the_next_one(run: Callable[[str], ProcessRecord]) -> None:
    record = run(STUBBORN)

    end(record, ((signal.SIGTERM, 0.2), (signal.SIGKILL, 5)))

    assert not is_alive(record)


def test_a_new_process_begins_a_new_log(run: Callable[[str], ProcessRecord], log: Path) -> None:
    first = run("print('first')")
    assert wait_until(lambda: not is_alive(first), 5)
    second = run("print('second')")
    assert wait_until(lambda: not is_alive(second), 5)

    assert log.read_text() == "second\n"
    assert log.with_suffix(".log.1").read_text() == "first\n"


def test_a_message_shows_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "it.log"
    log.write_bytes(b"".join(b"line %d\n" % number for number in range(100)) + b"\xff\n")

    shown = last_lines(log).splitlines()

    assert shown[-2:] == ["    line 99", "    \ufffd"]
    assert len(shown) == 15


def test_a_missing_log_is_said_to_be_empty(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "none.log") == "    (the log is empty)"
