"""The folder of a report: what may be replaced there, and how pages replace those of an earlier report."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from framework.errors import MachineError, SpecError

MARKER = ".feedway-report"
"""The file that says that a folder is a report's."""
_PAGES = "feed-*.html"
_MARK = "The pages beside this file are a report by Feedway, which replaces them.\n"


@dataclass(frozen=True)
class Written:
    """The number of pages that were written, and their size together."""

    pages: int
    bytes: int


def check_folder(asked: str) -> Path:
    """Return the folder of a report, which may not exist yet.

    Raises:
        SpecError: it is in S3 or is no folder, or holds something and no report.
    """
    if "://" in asked:
        raise SpecError(f"report {asked}: name a folder of this machine, and copy it: aws s3 sync FOLDER {asked}")
    folder = Path(asked)
    try:
        if folder.is_dir():
            if not (folder / MARKER).is_file() and any(folder.iterdir()):
                raise SpecError(
                    f"report {asked}: the folder holds something that is no report of Feedway's (it has no {MARKER}). "
                    "Name a new folder, or an empty one"
                )
        elif folder.exists() or folder.is_symlink():
            raise SpecError(f"report {asked} is not a folder")
    except OSError as error:
        raise SpecError(f"report {asked}: the folder cannot be read: {error.strerror}") from error
    return folder


def write_pages(folder: Path, pages: Iterable[tuple[str, str]]) -> Written:
    """Write pages into a folder in place of an earlier report's; the last page is its entrance.

    All are written beside the earlier ones before the first replaces one, each as a whole. Then pages of feeds that the
    report has no more are deleted. Files of other names stay.

    Raises:
        SpecError: the folder cannot be written; up to the first replacement the earlier report is unchanged.
        MachineError: the disk is full; likewise.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).write_text(_MARK, encoding="utf-8")
        with tempfile.TemporaryDirectory(dir=folder, prefix=f"{MARKER}-") as beside:
            sizes: dict[str, int] = {}
            for name, text in pages:
                sizes[name] = Path(beside, name).write_bytes(text.encode("utf-8"))
            for name in sizes:
                Path(beside, name).replace(folder / name)
        for page in folder.glob(_PAGES):
            if page.name not in sizes:
                page.unlink()
    except OSError as error:
        kind = MachineError if error.errno in (errno.ENOSPC, errno.EDQUOT) else SpecError
        raise kind(f"the report cannot be written to {folder}: {error.strerror}: {error.filename}") from error
    return Written(len(sizes), sum(sizes.values()))
