"""A disk that is full is an outage: nothing is loaded, the file stays pending, and no attempt is counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from framework.errors import MachineError
from framework.lake.lake import Lake
from framework.rows.embedded.engine import EmbeddedFrames
from framework.rows.workspace import Workspace
from framework.spec.environment import LakeSettings
from tests.harness import MakeFeed, csv_text

SPEC = """
source: {prefix: data/in/{name}/, on_failure: continue}
target: {table: "{name}"}
load: {keys: [id]}
metadata_columns: {run_date: null, file_name: null}
types: {columns: {id: integer}}
bad_rows: {action: quarantine, max_rows: 5}
"""


class FullDisk(Workspace):
    """Folders in which a file of some names cannot be written, because the disk is full."""

    def __init__(self, parent: Path, *names: str) -> None:
        super().__init__(str(parent))
        self._names = names

    def make_folder(self, name: str) -> Path:
        folder = super().make_folder(name)
        for file in self._names:
            (folder / file).symlink_to("/dev/full")
        return folder


@pytest.fixture
def frames_on(s3: Any, tmp_path: Path) -> Iterator[EmbeddedFrames]:
    """Yield an embedded engine whose folder a test may replace."""
    engine = EmbeddedFrames(Lake(s3, LakeSettings("lake", "", None)), 256 * 1024**2, str(tmp_path))
    yield engine
    engine.close()


@pytest.mark.parametrize(
    "file",
    ["fetched-0", "0-1.csv", "malformed-0.jsonl", "part-00000.parquet", "bad-rows.jsonl", "bad-rows.parquet"],
)
def test_a_disk_that_fills_up_leaves_the_file_pending_however_often(
    make_feed: MakeFeed, frames_on: EmbeddedFrames, tmp_path: Path, file: str
) -> None:
    feed = make_feed(SPEC, frames=frames_on)
    key = feed.land("1.csv", csv_text("id,n", *(f"{n},{n}" for n in range(2000)), "1,2,3", "1"))
    working, frames_on._workspace = frames_on._workspace, FullDisk(tmp_path / "full", file)
    try:
        for _ in range(feed.environment.max_attempts + 1):
            (result,) = feed.run()
            assert result.failure is not None
            assert isinstance(result.failure.error, MachineError)
            assert result.failure.error.exit_code == 5
            assert "embedded.directory" in result.failure.message
    finally:
        frames_on._workspace.close()
        frames_on._workspace = working
    assert feed.keys("data/in/") == [key]
    messages = [str(message) for status, message in feed.audit("status, error_message") if status == "FAILED"]
    assert [message[:8] for message in messages] == ["outage: "] * (feed.environment.max_attempts + 1)

    (result,) = feed.run()

    assert result.status == "SUCCESS", result.failure
    assert (result.counts.inserted, result.counts.rejected) == (2000, 2)


def test_the_files_behind_one_that_meets_a_full_disk_wait_too(
    make_feed: MakeFeed, frames_on: EmbeddedFrames, tmp_path: Path
) -> None:
    feed = make_feed(SPEC, frames=frames_on)
    keys = [feed.land(f"{number}.csv", csv_text("id,n", f"{number},1")) for number in range(3)]
    working, frames_on._workspace = frames_on._workspace, FullDisk(tmp_path / "full", "0-1.csv")
    (result,) = feed.run()
    frames_on._workspace.close()
    frames_on._workspace = working
    assert (result.status, result.source_file) == ("FAILED", keys[0])
    assert feed.keys("data/in/") == keys
