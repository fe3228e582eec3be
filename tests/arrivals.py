"""Files that arrive at a time of the test's choosing: in the sandbox a file in a folder, with a time."""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import NamedTemporaryFile

from tests.harness import FeedHarness, csv_text

MIDNIGHT = 1767225600
"""2026-01-01, UTC."""
SEEN_SECONDS = 0.06
"""After this the sandbox's S3 has seen what was dropped into a folder that somebody has just listed."""


def land(feed: FeedHarness, name: str, second: int, content: str | None = None) -> str:
    """Land a file as if it had arrived at a second of 2026-01-01; return its key."""
    key = f"data/in/{feed.name}/{name}"
    drop(feed.s3_folder, key, content or csv_text("id,a", f"1,{name}"), second)
    return key


def drop(folder: Path, key: str, content: str, second: int) -> None:
    """Put a file into the folder that is the bucket, with a time; a run under way sees it whole or not at all."""
    path = folder / "lake" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=folder, encoding="utf-8", delete=False) as written:
        written.write(content)
    os.utime(written.name, (MIDNIGHT + second, MIDNIGHT + second))
    Path(written.name).rename(path)
    time.sleep(SEEN_SECONDS)
