"""Files of this machine read as if they were in the lake."""

from __future__ import annotations

import hashlib
import os
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest

from framework.errors import SourceFileError, WarehouseError
from framework.lake.local import PIECE_BYTES, LocalFiles, LocalStore, local_file, md5
from framework.model.files import FileIdentity, SourceFile

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
KEY = "feeds/data/in/orders/orders_1.csv"
CONTENT = os.urandom(2 * PIECE_BYTES + 7)


def landed(folder: Path, content: bytes = CONTENT) -> SourceFile:
    path = folder / "orders_1.csv"
    path.write_bytes(content)
    return local_file(path, ("lake", KEY), NOON, md5())


def test_a_file_has_the_identity_with_which_it_would_arrive_and_shows_its_path(tmp_path: Path) -> None:
    file = landed(tmp_path)

    assert file.identity == FileIdentity("lake", KEY, hashlib.md5(CONTENT).hexdigest(), len(CONTENT))
    assert (file.key, file.arrived_at) == (KEY, NOON)
    assert file.url == str(tmp_path / "orders_1.csv")
    assert file.url_of("a.csv") == f"{tmp_path}/orders_1.csv/a.csv"


def test_a_store_of_any_process_reads_ranges_and_whole_files(tmp_path: Path) -> None:
    store: LocalStore = pickle.loads(pickle.dumps(LocalFiles("feeds/").store))
    file = pickle.loads(pickle.dumps(landed(tmp_path)))
    heard: list[int] = []

    read = store.read_range(file, 3, len(CONTENT) - 2, heard.append)

    assert read == CONTENT[3:-2]
    assert sum(heard) == len(CONTENT) - 5
    assert b"".join(store.stream(file, heard.append)) == CONTENT
    assert store.read_range(file, 4, 4, heard.append) == b""


def test_a_head_ends_with_the_file(tmp_path: Path) -> None:
    file = landed(tmp_path, b"id\n1\n")

    assert LocalFiles("feeds/").read_head(file, 2) == b"id"
    assert LocalFiles("feeds/").read_head(file, 1000) == b"id\n1\n"


@pytest.mark.parametrize("changed", [b"id\n2\n", b"id\n", b""])
def test_a_file_that_was_changed_since_is_not_read(tmp_path: Path, changed: bytes) -> None:
    file = landed(tmp_path, b"id\n1\n")
    Path(file.url).write_bytes(changed)
    os.utime(file.url, ns=(0, 1_000_000))

    with pytest.raises(SourceFileError, match="was changed while it was read"):
        LocalFiles("").read_head(file, 3)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for path, message in {
        tmp_path: "is a folder: name the files in it",
        tmp_path / "none.csv": "cannot be read: No such file or directory",
        tmp_path / "pipe": "is no regular file",
    }.items():
        with pytest.raises(SourceFileError, match=message):
            local_file(path, ("lake", KEY), NOON, md5())


def test_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="was not written"):
        LocalStore().upload(tmp_path / "rows.parquet", "s3://lake/staging/rows.parquet")
