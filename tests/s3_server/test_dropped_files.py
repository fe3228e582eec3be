"""Files that come, change and go in the bucket's folder without the server's doing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError, HTTPClientError

from tests.s3_server.conftest import Served, code_of

TIMES = 60
SIZE_BYTES = 16 * 1024**2


def test_a_dropped_file_is_readable_immediately(served: Served) -> None:
    for number in range(TIMES):
        # Who was just there must not keep what it saw.
        assert served.keys(Prefix=f"in/{number}.csv") == []
        with pytest.raises(ClientError):
            served.head(f"in/{number}.csv")
        content = f"id\n{number}\n".encode()
        served.drop(f"in/{number}.csv", content)

        assert served.read(f"in/{number}.csv") == content
        assert served.keys(Prefix=f"in/{number}.csv") == [f"in/{number}.csv"]


def test_a_file_replaced_in_place_is_another_object_immediately(served: Served) -> None:
    """By as many bytes within one tick of the file system's clock: neither size nor time distinguishes them."""
    etags = []
    for number in range(TIMES):
        content = f"id\n{number:02d}\n".encode()
        served.drop("in/1.csv", content)
        head = served.head("in/1.csv")
        etags.append(head["ETag"])

        assert served.read("in/1.csv", IfMatch=head["ETag"]) == content

    assert len(set(etags)) == TIMES


def test_a_file_renamed_into_place_is_another_object_immediately(served: Served, tmp_path: Path) -> None:
    for number in range(TIMES):
        content = f"id\n{number:02d}\n".encode()
        (tmp_path / "new").write_bytes(content)
        (tmp_path / "new").rename(served.bucket / "1.csv")

        assert served.read("1.csv") == content


def test_a_removed_file_is_gone_immediately(served: Served) -> None:
    for number in range(TIMES):
        path = served.drop(f"in/{number}.csv", b"id\n")
        assert served.read(f"in/{number}.csv") == b"id\n"
        path.unlink()

        with pytest.raises(ClientError) as gone:
            served.read(f"in/{number}.csv")
        assert code_of(gone) == "NoSuchKey"
        assert served.keys(Prefix="in/") == []


def test_a_file_over_an_object_does_not_inherit_its_metadata(served: Served) -> None:
    """Also where the bytes are as many and come in the same tick of the clock."""
    etag = served.put("a", b"old", Metadata={"feedway-run-id": "r"})

    served.drop("a", b"new")

    assert served.head("a")["ETag"] != etag
    assert served.head("a")["Metadata"] == {}


def test_a_touched_or_copied_file_keeps_etag_and_metadata(served: Served) -> None:
    etag = served.put("a", b"same", Metadata={"feedway-run-id": "r"})

    os.utime(served.bucket / "a", (1_700_000_000, 1_700_000_000))
    (served.bucket / "a").chmod(0o600)

    head = served.head("a")
    assert (head["ETag"], head["Metadata"]) == (etag, {"feedway-run-id": "r"})
    assert head["LastModified"].timestamp() == 1_700_000_000


def test_the_same_bytes_have_the_same_etag_wherever_they_come_from(served: Served) -> None:
    etag = served.put("put", b"bytes")
    served.drop("dropped", b"bytes")
    served.client.copy_object(Bucket="lake", Key="copied", CopySource="lake/put")

    listed = served.client.list_objects_v2(Bucket="lake")["Contents"]

    assert {item["ETag"] for item in listed} == {etag}
    assert {served.head(item["Key"])["ETag"] for item in listed} == {etag}


def test_a_large_file_is_read_once_and_not_for_each_head(served: Served) -> None:
    served.drop("big", b"x" * SIZE_BYTES)
    # Sooner, the file's times could not distinguish a change from what was read.
    time.sleep(0.2)
    etag = served.head("big")["ETag"]

    # The server is in this process.
    before = psutil.Process().io_counters().read_chars
    for _ in range(10):
        assert served.head("big")["ETag"] == etag
        assert served.keys() == ["big"]

    assert psutil.Process().io_counters().read_chars - before < SIZE_BYTES


def test_what_is_still_written_to_while_it_is_sent_does_not_arrive_whole(served: Served) -> None:
    path = served.drop("growing", b"a" * 8 * 1024**2)
    body = served.client.get_object(Bucket="lake", Key="growing")["Body"]
    first = body.read(1024)
    with path.open("r+b") as file:
        file.seek(4 * 1024**2)
        file.write(b"b")

    assert first == b"a" * 1024
    with pytest.raises(HTTPClientError, match="IncompleteRead"):
        body.read()


def test_links_pipes_and_folders_are_no_objects(served: Served, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file").write_bytes(b"secret")
    (served.bucket / "link").symlink_to(tmp_path / "secret" / "file")
    (served.bucket / "linked").symlink_to(tmp_path / "secret")
    (served.bucket / "empty").mkdir()
    os.mkfifo(served.bucket / "pipe")

    for key in ("link", "linked/file", "empty", "pipe"):
        with pytest.raises(ClientError) as missing:
            served.read(key)
        assert code_of(missing) == "NoSuchKey"
        served.client.delete_object(Bucket="lake", Key=key)
    for key in ("link", "linked/file", "linked/new", "linked"):
        with pytest.raises(ClientError) as refused:
            served.put(key)
        assert code_of(refused) == "NotImplemented"

    assert served.keys() == []
    assert [path.name for path in (tmp_path / "secret").iterdir()] == ["file"]
    assert (tmp_path / "secret" / "file").read_bytes() == b"secret"
