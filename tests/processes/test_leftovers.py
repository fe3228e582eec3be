"""What a process that has crashed leaves in the folder for rows in transit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
