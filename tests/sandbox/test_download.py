"""Fetching the files of a load: side by side, in order, bounded, and never another file's bytes."""

from __future__ import annotations

import random
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from framework.errors import SourceFileError
from framework.lake.download import STREAMS, download
from framework.lake.lake import Lake
from framework.model.files import SourceFile
from framework.spec.environment import LakeSettings
from tests.harness import new_name

MB = 1024**2


class Watched:
    """The sandbox's S3, and what was asked of it. The first `meeting` GETs wait for each other."""

    def __init__(self, s3: Any, folder: Path, meeting: int = 1) -> None:
        self.s3 = s3
        self.folder = folder
        self.keys: list[str] = []
        self.most_on_disk = 0
        self._meeting = threading.Barrier(meeting, timeout=20)
        self._left = meeting
        self._lock = threading.Lock()

    def get_object(self, **arguments: Any) -> Any:
        with self._lock:
            self.keys.append(arguments["Key"])
            self.most_on_disk = max(self.most_on_disk, len(list(self.folder.iterdir())))
            self._left -= 1
            is_met = self._left >= 0
        if is_met:
            self._meeting.wait()
        return self.s3.get_object(**arguments)


@pytest.fixture
def land(s3: Any) -> Any:
    """Put files of these contents into the lake and return them as a load knows them."""

    def put(contents: list[bytes]) -> list[SourceFile]:
        name, lake = new_name("download"), Lake(s3, LakeSettings("lake", "", None))
        files = []
        for number, content in enumerate(contents):
            s3.put_object(Bucket="lake", Key=f"{name}/{number}", Body=content)
            file = lake.describe(f"{name}/{number}")
            assert file is not None
            files.append(file)
        return files

    return put


def fetch(client: Any, files: list[SourceFile], folder: Path, read: list[bytes]) -> None:
    with closing(download(client, files, folder)) as downloads:
        read.extend(b"".join(pieces) for pieces in downloads)


def test_small_files_are_fetched_side_by_side_and_few_wait(s3: Any, land: Any, tmp_path: Path) -> None:
    contents = [f"file {number}\n".encode() * 1000 for number in range(5 * STREAMS)]
    files = land(contents)
    # One after the other, the first would wait in vain for the others.
    client = Watched(s3, tmp_path, meeting=STREAMS)

    read: list[bytes] = []
    fetch(client, files, tmp_path, read)

    assert read == contents
    assert sorted(client.keys) == sorted(file.key for file in files)
    assert client.most_on_disk <= STREAMS
    assert list(tmp_path.iterdir()) == []


def test_files_of_all_sizes_come_in_order(s3: Any, land: Any, tmp_path: Path) -> None:
    chance = random.Random(7)
    contents = [chance.randbytes(size) for size in (0, 10, 20 * MB + 1, 0, 8 * MB, 8 * MB + 1, 3, 0)]

    read: list[bytes] = []
    fetch(s3, land(contents), tmp_path, read)

    assert read == contents
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_stops_leaves_nothing_and_fetches_no_more(s3: Any, land: Any, tmp_path: Path) -> None:
    files = land([b"x" * 1000] * (4 * STREAMS))
    client: Any = Watched(s3, tmp_path)
    downloads = download(client, files, tmp_path)
    next(downloads)
    next(downloads)

    downloads.close()

    assert list(tmp_path.iterdir()) == []
    for thread in threading.enumerate():
        if thread.name == "fetch":
            thread.join(timeout=20)
    # What was begun may still be asked for, and nothing behind it.
    assert len(client.keys) <= STREAMS + 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_read_of_a_file_is_passed_over(s3: Any, land: Any, tmp_path: Path) -> None:
    files = land([b"a" * (20 * MB), b"b" * (20 * MB), b"c"])

    with closing(download(s3, files, tmp_path)) as downloads:
        seen = [next(piece for piece in pieces if piece)[:1] for pieces in downloads]

    assert seen == [b"a", b"b", b"c"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", ["gone", "replaced"])
def test_a_file_that_is_another_by_now_fails_in_its_turn(s3: Any, land: Any, tmp_path: Path, change: str) -> None:
    files = land([b"1", b"2", b"3", b"4"])
    if change == "gone":
        s3.delete_object(Bucket="lake", Key=files[2].key)
    else:
        s3.put_object(Bucket="lake", Key=files[2].key, Body=b"9")
    read: list[bytes] = []

    with pytest.raises(SourceFileError) as failure:
        fetch(s3, files, tmp_path, read)

    assert read == [b"1", b"2"]
    assert failure.value.keys == (files[2].key,)
    assert list(tmp_path.iterdir()) == []
