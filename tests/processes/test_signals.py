"""What signals do to a command."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

START = """\
import os, signal, time
from framework.cli.signals import Terminated, interruptible
signal.signal(signal.SIGINT, signal.default_int_handler)
def say(text): os.write(1, (text + "\\n").encode())  # print() cannot be called by a handler that interrupts it
"""


def run(code: str, *signals: signal.Signals) -> tuple[list[str], int]:
    """Run code that says a line before it waits for each signal; return its lines and how it ended."""
    argv = [sys.executable, "-c", START + code]
    with subprocess.Popen(argv, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = []
        for number in signals:
            lines.append(process.stdout.readline().strip())
            process.send_signal(number)
        rest = process.communicate(timeout=20)[0]
        return [*lines, *rest.split()], process.returncode


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "Terminated")], ids=["int", "term"]
)
def test_a_signal_raises_what_ends_a_command(number: signal.Signals, said: str) -> None:
    code = """
try:
    with interruptible(): say("begun"); time.sleep(60)
except KeyboardInterrupt as error: say(type(error).__name__)
"""
    assert run(code, number) == (["begun", said], 0)


def test_a_second_signal_ends_the_process_immediately() -> None:
    code = """
with interruptible():
    try: say("begun"); time.sleep(60)
    finally: say("cleaning"); time.sleep(60)
"""
    assert run(code, signal.SIGTERM, signal.SIGINT) == (["begun", "cleaning"], -signal.SIGINT)


def test_handlers_of_the_surroundings_stay() -> None:
    code = """
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, lambda *_: say("theirs"))
with interruptible(): say("begun"); time.sleep(1)
"""
    assert run(code, signal.SIGTERM) == (["begun", "theirs"], 0)


def test_afterwards_signals_do_what_they_did() -> None:
    code = """
with interruptible(): pass
say("begun"); time.sleep(60)
"""
    assert run(code, signal.SIGTERM) == (["begun"], -signal.SIGTERM)
