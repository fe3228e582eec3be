"""A disk that is full is an outage: nothing is loaded, the file stays pending, and no attempt is counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from framework.errors import MachineError
from framework.lake.lake import Lake
from framework.rows import work
from framework.rows.engine import SplitEngine
from framework.rows.executors.embedded import EmbeddedExecutor
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
def executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedExecutor]:
    """Yield an executor whose folder a test may replace, with files whose names are known."""
    monkeypatch.setattr(work, "token_hex", lambda size: "0")
    executor = EmbeddedExecutor(256 * 1024**2, str(tmp_path))
    yield executor
    executor.close()


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(
    "file",
    [
        "0-0-1-0.csv",
        "0-0-1-malformed.jsonl",
        "rows-00000-000000-1-0.parquet",
        "bad-00000-000000.jsonl",
        "bad-00000-000000.parquet",
    ],
)
def test_a_disk_that_fills_up_leaves_the_file_pending_however_often(
    make_feed: MakeFeed, s3: Any, executor: EmbeddedExecutor, tmp_path: Path, file: str
) -> None:
    feed = make_feed(SPEC, frames=SplitEngine(executor, Lake(s3, LakeSettings("lake", "", None)).store))
    key = feed.land("1.csv", csv_text("id,n", *(f"{n},{n}" for n in range(2000)), "1,2,3", "1"))
    working, executor.workspace = executor.workspace, FullDisk(tmp_path / "full", file)
    try:
        for _ in range(feed.environment.max_attempts + 1):
            (result,) = feed.run()
            assert result.failure is not None
            assert isinstance(result.failure.error, MachineError)
            assert result.failure.error.exit_code == 5
            assert "embedded.directory" in result.failure.message
    finally:
        executor.workspace.close()
        executor.workspace = working
    assert feed.keys("data/in/") == [key]
    messages = [str(message) for status, message in feed.audit("status, error_message") if status == "FAILED"]
    assert [message[:8] for message in messages] == ["outage: "] * (feed.environment.max_attempts + 1)

    (result,) = feed.run()

    assert result.status == "SUCCESS", result.failure
    assert (result.counts.inserted, result.counts.rejected) == (2000, 2)


def test_the_files_behind_one_that_meets_a_full_disk_wait_too(
    make_feed: MakeFeed, s3: Any, executor: EmbeddedExecutor, tmp_path: Path
) -> None:
    feed = make_feed(SPEC, frames=SplitEngine(executor, Lake(s3, LakeSettings("lake", "", None)).store))
    keys = [feed.land(f"{number}.csv", csv_text("id,n", f"{number},1")) for number in range(3)]
    working, executor.workspace = executor.workspace, FullDisk(tmp_path / "full", "0-0-1-0.csv")
    (result,) = feed.run()
    executor.workspace.close()
    executor.workspace = working
    assert (result.status, result.source_file) == ("FAILED", keys[0])
    assert feed.keys("data/in/") == keys
