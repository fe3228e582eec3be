"""The folder of a report: what may be replaced there, and how pages replace those of an earlier report."""

from __future__ import annotations

import errno
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from framework.dataclass import dataclass
from framework.errors import MachineError, SpecError
from framework.model.words import visible

MARKER = ".feedway-report"
"""The file that says that a folder is a report's, and what it is about; folders of pages in the making begin so too."""
_PAGES = "feed-*.html"
_MARK = "The pages beside this file are a report by Feedway, which replaces them.\n"
_STALE_AFTER_SECONDS = 3600
"""No report takes so long to write: a folder of pages in the making that is older is that of a killed run."""


@dataclass(frozen=True)
class Contents:
    """What a report is about: an environment, and the feeds as they were selected; no selection means all."""

    environment: str
    selection: str

    @property
    def mark(self) -> str:
        """The text of the marker."""
        return f"{self._mark_of_environment}feeds: {self.selection or 'all'}\n"

    def may_replace(self, earlier: str) -> bool:
        """Return whether no feed of an earlier report, by its marker, would be left out."""
        return earlier == self.mark or (not self.selection and earlier.startswith(self._mark_of_environment))

    @property
    def _mark_of_environment(self) -> str:
        return f"{_MARK}environment: {self.environment}\n"


@dataclass(frozen=True)
class Written:
    """The number of pages that were written, and their size together."""

    pages: int
    bytes: int


def check_folder(asked: str, contents: Contents) -> Path:
    """Return the folder of a report, which may not exist yet.

    Raises:
        SpecError: it is in S3 or is no folder, or holds something and no report, or a report of other feeds.
    """
    if not asked.strip():
        raise SpecError(f"report {asked!r}: name the folder to write, such as site")
    if "://" in asked:
        raise SpecError(f"report {asked}: name a folder of this machine, and copy it: aws s3 sync FOLDER {asked}")
    folder = Path(asked)
    try:
        if folder.is_dir():
            _check_content(asked, folder, contents)
        for place in (folder, *folder.parents):
            if place.is_dir():
                break
            if place.exists() or place.is_symlink():
                raise SpecError(f"report {asked}: {visible(str(place))} is not a folder")
    except OSError as error:
        raise SpecError(f"report {asked}: the folder cannot be read: {error.strerror}") from error
    return folder


def _check_content(asked: str, folder: Path, contents: Contents) -> None:
    marker = folder / MARKER
    if not marker.is_file():
        if any(folder.iterdir()):
            raise SpecError(
                f"report {asked}: the folder holds something that is no report of Feedway's (it has no {MARKER}). "
                "Name a new folder, or an empty one"
            )
        return
    earlier = marker.read_text(encoding="utf-8", errors="replace")
    if not contents.may_replace(earlier):
        found, asked_for = (", ".join(text.splitlines()[1:]) for text in (earlier, contents.mark))
        raise SpecError(
            f"report {asked}: the folder holds a report of other feeds ({visible(found) or 'which is not known'}), "
            f"whose pages this one would delete ({asked_for}). Name another folder, or delete that one"
        )


def write_pages(folder: Path, pages: Iterable[tuple[str, str]], contents: Contents) -> Written:
    """Write pages into a folder in place of an earlier report's; the last page is its entrance.

    All are written beside the earlier ones before the first replaces one, each as a whole. Then pages of feeds that the
    report has no more are deleted, and what killed runs left. Files of other names stay.

    Raises:
        SpecError: the folder cannot be written; up to the first replacement the earlier report is unchanged.
        MachineError: the disk is full; likewise.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        marker = folder / MARKER
        if not marker.exists():
            marker.write_text(contents.mark, encoding="utf-8")
        _remove_stale(folder)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f"{MARKER}-") as beside:
            sizes: dict[str, int] = {}
            for name, text in pages:
                sizes[name] = Path(beside, name).write_bytes(text.encode("utf-8"))
            for name in sizes:
                Path(beside, name).replace(folder / name)
        for page in folder.glob(_PAGES):
            if page.name not in sizes:
                page.unlink()
        marker.write_text(contents.mark, encoding="utf-8")
    except OSError as error:
        kind = MachineError if error.errno in (errno.ENOSPC, errno.EDQUOT) else SpecError
        raise kind(f"the report cannot be written to {folder}: {error.strerror}: {error.filename}") from error
    return Written(len(sizes), sum(sizes.values()))


def _remove_stale(folder: Path) -> None:
    for left in folder.glob(f"{MARKER}-*"):
        if left.is_dir() and not left.is_symlink() and left.stat().st_mtime < time.time() - _STALE_AFTER_SECONDS:
            shutil.rmtree(left)
