"""Folders for rows on their way: each process keeps its own, and clears away what dead ones left."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from framework.frames import workspace
from framework.frames.workspace import Workspace

DIE = """
import os, sys
from framework.frames.workspace import Workspace
Workspace(sys.argv[1])
os._exit(1)
"""


def test_what_a_dead_process_left_goes_and_what_a_living_one_uses_stays(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", DIE, str(tmp_path)], check=False)
    (left,) = tmp_path.iterdir()
    living = Workspace(str(tmp_path))
    other = Workspace(str(tmp_path))

    assert {living.folder, other.folder} == set(tmp_path.iterdir())
    assert not left.exists()
    living.close()
    other.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sweeps_before", ["the lock is there", "the lock is held"])
def test_a_folder_that_is_swept_while_it_is_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sweeps_before: str
) -> None:
    folders: list[Path] = []
    real_lock, real_open = fcntl.flock, Path.open

    def sweep_once() -> None:
        if not folders:
            folders.extend(tmp_path.iterdir())
            workspace._sweep(tmp_path)
            for folder in folders:
                # A folder without a lock is left alone by a sweep, and not by somebody who tidies up.
                (folder / "in-use").unlink(missing_ok=True)
                if folder.exists():
                    folder.rmdir()

    def lock(file: Any, operation: int) -> None:
        sweep_once()
        real_lock(file, operation)

    def open_file(path: Path, mode: str) -> Any:
        sweep_once()
        return real_open(path, mode)

    if sweeps_before == "the lock is held":
        monkeypatch.setattr(fcntl, "flock", lock)
    else:
        monkeypatch.setattr(Path, "open", open_file)
    own = Workspace(str(tmp_path))

    assert len(folders) == 1
    assert own.folder not in folders
    assert list(tmp_path.iterdir()) == [own.folder]
    assert own.make_folder("load").is_dir()
    own.close()
