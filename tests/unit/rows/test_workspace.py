"""Folders for rows in transit: each process has its own, and a full disk is an outage."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

import pytest

from framework.errors import MachineError
from framework.rows import workspace
from framework.rows.workspace import Workspace, disk_failures, require_space


@pytest.mark.parametrize("sweeps_before", ["the lock is there", "the lock is held"])
def test_a_folder_that_is_swept_while_it_is_made_is_recreated(
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


def test_a_disk_without_room_is_an_outage(tmp_path: Path) -> None:
    require_space(tmp_path, 0, "nothing")
    with pytest.raises(MachineError, match=r"MB are free, and .* MB are needed for the load\. Make room") as error:
        require_space(tmp_path, 2**60, "the load")
    assert error.value.is_outage
    assert error.value.exit_code == 5


def test_a_full_disk_is_an_outage_and_another_failure_is_not(tmp_path: Path) -> None:
    with (
        pytest.raises(MachineError, match="cannot be written to: No space left on device"),
        disk_failures(tmp_path),
        Path("/dev/full").open("wb") as full,
    ):
        full.write(b"x")
    with pytest.raises(FileNotFoundError), disk_failures(tmp_path):
        (tmp_path / "missing").read_bytes()


def test_a_folder_that_cannot_be_created_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MachineError, match="no folder for rows in transit can be created there"):
        Workspace(str(tmp_path / "file" / "folder"))
