"""Folders for temporary files; the next process removes the folders of a killed one."""

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
NAME_FOLDER = "name another folder in embedded.directory"
DISK_RESERVE_BYTES = 64 * 1024**2
"""Free space that is kept on a disk."""
_FAULTS_OF_DISKS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


class Workspace:
    """A folder of this process, removed by `close`. The process holds a lock in it while it runs."""

    def __init__(self, parent: str | None) -> None:
        home = Path(parent or tempfile.gettempdir())
        try:
            home.mkdir(parents=True, exist_ok=True)
            _sweep(home)
            self.folder, self._lock = _claim(home)
        except OSError as error:
            raise _no_folder(home, error) from error

    def make_folder(self, name: str) -> Path:
        """Return a new folder; if the name is taken, with a number appended."""
        with disk_failures(self.folder):
            return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def close(self) -> None:
        """Remove the folder and its content."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()


def find_space(parent: str | None) -> tuple[Path, int]:
    """Return the folder for temporary files, and how many bytes are free there; leaves nothing there.

    Raises:
        MachineError: it cannot be written to, or the disk is full.
    """
    home = Path(parent or tempfile.gettempdir())
    # A folder that does not exist yet would be created below this one.
    existing = next(folder for folder in (home.absolute(), *home.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=existing, ignore_cleanup_errors=True):
            require_space(existing, 0, "rows in transit")
    except OSError as error:
        raise _no_folder(home, error) from error
    return home, shutil.disk_usage(existing).free


def _no_folder(home: Path, error: OSError) -> MachineError:
    return MachineError(
        f"{home}: no folder for rows in transit can be created there ({error.strerror}). Make room, or {NAME_FOLDER}."
    )


def require_space(folder: Path, needed_bytes: int, purpose: str, remedy: str = NAME_FOLDER) -> None:
    """Require free space on a disk; `remedy` completes "Make room, or".

    Raises:
        MachineError: it has not; `purpose` completes "needed for".
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + DISK_RESERVE_BYTES:
        raise MachineError(
            f"{folder}: {free // 1024**2} MB are free, and {(needed_bytes + DISK_RESERVE_BYTES) // 1024**2} MB are "
            f"needed for {purpose}. Make room, or {remedy}."
        )


@contextmanager
def disk_failures(folder: Path, remedy: str = NAME_FOLDER) -> Iterator[None]:
    """Turn the errors of a full or broken disk below `folder` into a MachineError; see require_space."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FAULTS_OF_DISKS:
            raise
        raise MachineError(f"{folder} cannot be written to: {error.strerror}. Make room, or {remedy}.") from error


def _claim(home: Path) -> tuple[Path, TextIO]:
    """Return a new folder and its lock; retries where another process removed the folder before it was locked."""
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
            # Its owner has not created the lock yet, has just ended, or is another user's process.
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
