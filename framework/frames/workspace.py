"""Folders for files on their way through; what a killed process left is swept away by the next one."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from pathlib import Path
from typing import TextIO

from framework.errors import PipelineError

_PREFIX = "feedway-rows-"
_LOCK = "in-use"


class Workspace:
    """A folder of this process's own, removed by `close`. As long as the process lives it holds a lock in it."""

    def __init__(self, parent: str | None) -> None:
        home = Path(parent or tempfile.gettempdir())
        try:
            home.mkdir(parents=True, exist_ok=True)
            _sweep(home)
            self.folder, self._lock = _claim(home)
        except OSError as error:
            raise PipelineError(
                f"{home}: no folder for rows on their way can be made there ({error}); "
                f"name another one in embedded.directory"
            ) from error

    def make_folder(self, name: str) -> Path:
        """Return a new folder; of names that are taken, one beside it."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()


def _claim(home: Path) -> tuple[Path, TextIO]:
    """Return a new folder and the lock in it; again where a sweeper has come between the two."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=home))
        try:
            lock = _take(folder / _LOCK, "w")
        except FileNotFoundError:
            continue
        if lock is not None and (folder / _LOCK).exists():
            return folder, lock
        if lock is not None:
            lock.close()


def _sweep(home: Path) -> None:
    for folder in home.glob(f"{_PREFIX}*"):
        try:
            lock = _take(folder / _LOCK, "r+")
        except OSError:
            # Its owner is about to make the lock, has just gone, or is somebody else's process.
            continue
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            lock.close()


def _take(path: Path, mode: str) -> TextIO | None:
    """Lock a file, and return it; None where another process holds it."""
    file: TextIO = path.open(mode)  # type: ignore[assignment]
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
