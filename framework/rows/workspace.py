"""Folders for files on their way through; what a killed process left is swept away by the next one."""

from __future__ import annotations

import errno
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from framework.errors import MachineError

_PREFIX = "feedway-rows-"
_LOCK = "in-use"
DISK_RESERVE_BYTES = 64 * 1024**2
"""Of a disk so much is left free."""
_FAULTS_OF_DISKS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


class Workspace:
    """A folder of this process's own, removed by `close`. As long as the process lives it holds a lock in it."""

    def __init__(self, parent: str | None) -> None:
        home = Path(parent or tempfile.gettempdir())
        try:
            home.mkdir(parents=True, exist_ok=True)
            _sweep(home)
            self.folder, self._lock = _claim(home)
        except OSError as error:
            raise MachineError(
                f"{home}: no folder for rows in transit can be created there ({error.strerror}). "
                f"Make room, or name another folder in embedded.directory."
            ) from error

    def make_folder(self, name: str) -> Path:
        """Return a new folder; of names that are taken, one beside it."""
        with disk_failures(self.folder):
            return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()


def require_space(folder: Path, needed_bytes: int, purpose: str) -> None:
    """See that a disk has room.

    Raises:
        MachineError: it has not; `purpose` completes "needed for".
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + DISK_RESERVE_BYTES:
        raise MachineError(
            f"{folder}: {free // 1024**2} MB are free, and {(needed_bytes + DISK_RESERVE_BYTES) // 1024**2} MB are "
            f"needed for {purpose}. Make room, or name another folder in embedded.directory."
        )


@contextmanager
def disk_failures(folder: Path) -> Iterator[None]:
    """Turn a disk that is full or broken while a file below `folder` is written into a MachineError."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FAULTS_OF_DISKS:
            raise
        raise MachineError(
            f"{folder} cannot be written to: {error.strerror}. Make room, or name another folder in embedded.directory."
        ) from error


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
