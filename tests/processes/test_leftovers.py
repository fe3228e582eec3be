"""What a process that has crashed leaves: rows in transit, and the sandbox of tests of feeds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from framework import sandbox
from framework.rows.workspace import Workspace

DIE = """
import os, sys
from framework.rows.workspace import Workspace
Workspace(sys.argv[1])
os._exit(1)
"""


def test_what_a_crashed_process_left_is_deleted_and_what_a_running_one_uses_stays(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", DIE, str(tmp_path)], check=False)
    (left,) = tmp_path.iterdir()
    living = Workspace(str(tmp_path))
    other = Workspace(str(tmp_path))

    assert {living.folder, other.folder} == set(tmp_path.iterdir())
    assert not left.exists()
    living.close()
    other.close()
    assert list(tmp_path.iterdir()) == []


CRASH = """
import os, sys
from pathlib import Path
from framework import sandbox
with sandbox.isolated(Path(sys.argv[1])):
    os._exit(1)
"""


def runs(pid: int) -> bool:
    """Return whether a process runs; one that has ended stays known until the machine's first process takes note."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_isolated_sandbox_of_a_crashed_process_is_removed_by_the_next(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", CRASH, str(tmp_path)], check=False)
    left = sandbox.status(tmp_path / "1")

    with sandbox.isolated(tmp_path) as (address, _):
        assert address.folder == tmp_path / "1"

    assert {process.state for process in left} == {"running"}
    assert [process for process in left if process.pid is not None and runs(process.pid)] == []
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["1", "lock", "users.lock"]
