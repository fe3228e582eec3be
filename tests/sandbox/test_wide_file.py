"""A file of 1,500 columns costs little more than one of a few: loaded, loaded again, with a bad row, and planned."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import FeedHarness

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 1500
MOST_MEMORY_MB = 500
MOST_CPU_SECONDS = 30
"""Processor time, so that a busy machine does not count. One row took 112 s where the plan grew with the columns."""

MEASURED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stderr=subprocess.STDOUT).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"\\n{used.ru_maxrss} {used.ru_utime + used.ru_stime}", end="")
sys.exit(status)
"""
"""Runs a command from a small process: the memory of whoever starts a process counts as its own at first."""


def cheap(feed: FeedHarness, *argv: str) -> str:
    """Return what a command prints that is a process of its own, and must keep to the bounds."""
    command = [sys.executable, str(ROOT / "run.py"), "--project", str(feed.root), *argv]
    run = subprocess.run([sys.executable, "-c", MEASURED, *command], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    printed, _, used = run.stdout.rpartition("\n")
    memory_kb, cpu_seconds = map(float, used.split())
    assert memory_kb / 1024 < MOST_MEMORY_MB
    assert cpu_seconds < MOST_CPU_SECONDS
    return printed


@pytest.mark.exhaustive
def test_fifteen_hundred_columns_take_seconds_and_little_memory(feed: FeedHarness) -> None:
    feed.write(
        f"pipelines/{feed.name}.yml",
        f"pipeline: {feed.name}\nsource: {{prefix: data/in/{feed.name}/}}\ntarget: {{table: {feed.name}}}\n"
        "load: {keys: [c0]}\nbad_rows: {action: quarantine, max_rows: 1}\n",
    )
    header = ",".join(f"c{number}" for number in range(COLUMNS))
    rows = [",".join(str(number + start) for number in range(COLUMNS)) for start in (1, 2, 3)]

    feed.land("1.csv", f"{header}\n{rows[0]}\n")
    assert "1.csv SUCCESS, 1 row, " in cheap(feed, "run", feed.name)
    feed.land("2.csv", f"{header}\n{rows[1]}\nno number{rows[2][1:]}\n")
    assert '"rows": 1, "rows_not_fitting": 1' in cheap(feed, "--output", "json", "plan", feed.name)
    assert "2.csv SUCCESS, 1 row, 1 rejected, " in cheap(feed, "run", feed.name)

    code, out, _ = feed.command("sandbox", "sql", f"select c0, c{COLUMNS - 1} from public.{feed.name} order by c0")
    assert code == 0
    assert [line.split() for line in out.splitlines()[2:4]] == [["1", "1500"], ["2", "1501"]]
