"""Uploads under free keys, to a server that knows conditional requests and uploads in parts as S3 does."""

from __future__ import annotations

import io

import pytest

from tests.lake.conftest import Bucket

MB = 1024**2


@pytest.mark.parametrize("size_bytes", [0, 9, 9 * MB])
def test_a_key_is_written_once(bucket: Bucket, size_bytes: int) -> None:
    lake = bucket.lake
    key = lake.key("data/in/p/1.csv")
    first, second = b"x" * size_bytes, b"y" * size_bytes
    heard: list[int] = []

    written = [lake.put_new(key, io.BytesIO(content), heard.append) for content in (first, second)]

    assert written == [True, False]
    assert bucket.read(key) == first
    assert sum(heard) >= size_bytes


def test_an_upload_in_parts_that_is_refused_leaves_no_parts(bucket: Bucket) -> None:
    lake = bucket.lake
    key = bucket.put("data/in/p/1.csv", b"first")

    assert not lake.put_new(key, io.BytesIO(b"y" * 9 * MB), lambda sent: None)

    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket=bucket.name)
    assert bucket.read(key) == b"first"


def test_other_writes_of_the_lake_replace_objects_as_before(bucket: Bucket) -> None:
    lake = bucket.lake
    lake.put_new(lake.key("a"), io.BytesIO(b"1"), lambda sent: None)

    lake.put(lake.key("a"), "2")

    assert bucket.read(lake.key("a")) == b"2"
