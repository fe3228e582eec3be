"""Conditional requests and multipart ETags, against a server that knows both."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ParamValidationError

from framework.errors import SourceFileError
from framework.lake.lake import Lake
from framework.model.files import SourceFile
from tests.http_answers import http_answer
from tests.lake.conftest import Bucket

MIB = 1024**2


def described(lake: Lake, key: str) -> SourceFile:
    """Return an object that is there."""
    file = lake.describe(key)
    assert file is not None
    return file


def before(bucket: Bucket, operation: str, action: Callable[[], object]) -> None:
    """Do something just before the first call of an operation."""
    actions = [action]

    def happen(**_: Any) -> None:
        if actions:
            actions.pop()()

    bucket.client.meta.events.register(f"before-call.s3.{operation}", happen)


def test_a_file_uploaded_in_parts_is_known_read_and_moved_by_its_own_etag(bucket: Bucket) -> None:
    parts = [b"a" * 5 * MIB, b"b" * 5 * MIB, b"c"]
    key = bucket.put_in_parts("in/big.csv", parts)
    file = described(bucket.lake, key)
    (listed,) = bucket.lake.list_objects("feeds/in/")

    head = bucket.lake.read_head(file, 10)
    read = b"".join(bucket.lake.read(file))
    moved = bucket.lake.move(file, "data/archive/2026/01", "r" * 32, "p")

    assert file.etag.endswith("-3")
    assert listed.etag == file.etag
    assert head == b"a" * 10
    assert read == b"".join(parts)
    assert moved == "feeds/data/archive/2026/01/big.csv"
    assert bucket.all_keys() == [moved]
    again = described(bucket.lake, moved)
    # The copy is in one piece and so has another ETag; what the ledger knows the file by has not changed.
    assert not again.etag.endswith("-3")
    assert again.identity == file.identity
    assert again.arrived_at == file.arrived_at
    assert again.moved_by == "p"


@pytest.mark.parametrize("operation", ["GetObject", "CopyObject", "DeleteObject"])
def test_a_file_replaced_just_before_a_call_is_noticed_by_the_call(bucket: Bucket, operation: str) -> None:
    """There is no window: the condition goes with the request."""
    key = bucket.put("in/1.csv", b"old")
    file = described(bucket.lake, key)
    before(bucket, operation, lambda: bucket.put("in/1.csv", b"new"))

    if operation == "GetObject":
        with pytest.raises(SourceFileError, match="was replaced since it was listed"):
            list(bucket.lake.read(file))
    else:
        assert bucket.lake.move(file, "data/archive/2026/01", "r" * 32, "p") is None

    assert bucket.read(key) == b"new"
    copies = [bucket.read(other) for other in bucket.all_keys() if other != key]
    assert copies == ([b"old"] if operation == "DeleteObject" else [])


def test_a_server_other_than_s3_shows_before_each_call_what_its_condition_demands(bucket: Bucket) -> None:
    file = described(bucket.lake, bucket.put("in/1.csv", b"x"))
    calls: list[str] = []
    bucket.client.meta.events.register("before-call.s3", lambda model, **_: calls.append(model.name))

    bucket.lake.move(file, "data/archive/2026/01", "r" * 32, "p")

    # The file, the copy's name; the copy, the file.
    heads = ["HeadObject", "HeadObject"]
    assert calls == [*heads, "CopyObject", *heads, "DeleteObject"]


def test_a_head_of_a_replaced_file_is_not_taken_for_the_file(bucket: Bucket) -> None:
    file = described(bucket.lake, bucket.put("in/1.csv", b"old"))
    bucket.put("in/1.csv", b"new")

    with pytest.raises(SourceFileError, match="replaced") as caught:
        bucket.lake.read_head(file, 10)

    assert caught.value.keys == (file.key,)


def test_a_name_that_another_process_takes_at_the_last_moment_is_not_overwritten(bucket: Bucket) -> None:
    """Moto copies over what is there, whatever the condition; so the answer is given for it, as S3 documents it."""
    file = described(bucket.lake, bucket.put("in/1.csv", b"mine"))
    asked: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        asked.append(request.headers["if-none-match"].decode())
        if len(asked) > 1:
            return None
        bucket.put("data/archive/2026/01/1.csv", b"theirs")
        body = b"<Error><Code>PreconditionFailed</Code><Condition>If-None-Match</Condition></Error>"
        return http_answer(request.url, 412, body)

    bucket.client.meta.events.register("before-send.s3.CopyObject", answer)

    moved = bucket.lake.move(file, "data/archive/2026/01", "r" * 32, "p")

    assert asked == ["*", "*"]
    assert moved is not None
    assert re.fullmatch(r"feeds/data/archive/2026/01/1\.[0-9a-f]{16}\.csv", moved)
    taken = "feeds/data/archive/2026/01/1.csv"
    assert {key: bucket.read(key) for key in bucket.all_keys()} == {taken: b"theirs", moved: b"mine"}


@pytest.fixture
def old_bucket(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """The bucket, by a client whose boto3 does not know the conditions of copies and deletions, as in AWS Glue 5.0."""
    model = bucket.client.meta.service_model
    for operation, parameter in (("CopyObject", "IfNoneMatch"), ("DeleteObject", "IfMatch")):
        monkeypatch.delitem(model.operation_model(operation).input_shape.members, parameter)
    return bucket


def test_an_old_client_sends_the_conditions_all_the_same(old_bucket: Bucket) -> None:
    with pytest.raises(ParamValidationError):
        old_bucket.client.delete_object(Bucket=old_bucket.name, Key="k", IfMatch="e")
    sent: list[tuple[str, str]] = []

    def look(request: Any, event_name: str, **_: Any) -> None:
        conditions = [name for name in ("if-match", "if-none-match") if name in request.headers]
        sent.extend((event_name.rpartition(".")[2], f"{name}: {request.headers[name]!r}") for name in conditions)

    file = described(old_bucket.lake, old_bucket.put("in/1.csv", b"x"))
    old_bucket.client.meta.events.register("before-send.s3", look)

    moved = old_bucket.lake.move(file, "data/archive/2026/01", "r" * 32, "p")

    assert moved == "feeds/data/archive/2026/01/1.csv"
    expected = f'"{file.etag}"'.encode()
    assert sent == [("CopyObject", "if-none-match: b'*'"), ("DeleteObject", f"if-match: {expected!r}")]


def test_an_old_client_notices_a_file_replaced_just_before_its_deletion(old_bucket: Bucket) -> None:
    key = old_bucket.put("in/1.csv", b"old")
    lake = old_bucket.lake
    file = described(lake, key)
    before(old_bucket, "DeleteObject", lambda: old_bucket.put("in/1.csv", b"new"))

    assert lake.move(file, "data/archive/2026/01", "r" * 32, "p") is None

    assert old_bucket.read(key) == b"new"


def test_a_file_taken_by_another_run_just_before_it_is_copied_is_let_be(bucket: Bucket) -> None:
    key = bucket.put("in/1.csv", b"x")
    file = described(bucket.lake, key)
    before(bucket, "CopyObject", lambda: bucket.client.delete_object(Bucket=bucket.name, Key=key))

    assert bucket.lake.move(file, "data/archive/2026/01", "r" * 32, "p") is None
    assert bucket.all_keys() == []


@pytest.mark.parametrize(
    "name", ["a b.csv", "ü日本𝄞.csv", "1+1=2.csv", "100%25.csv", "a#b?c&d.csv", 'it\'s "x".csv', "a\\b~.csv"]
)
def test_any_name_is_listed_read_and_moved(bucket: Bucket, tmp_path: Path, name: str) -> None:
    key = bucket.put(f"in/{name}", b"x")

    (listed,) = bucket.lake.list_objects("feeds/in/")
    file = described(bucket.lake, listed.key)
    moved = bucket.lake.move(file, "data/archive/2026/01", "r" * 32, "p")

    assert listed.key == key
    assert moved == f"feeds/data/archive/2026/01/{name}"
    assert described(bucket.lake, moved).identity == file.identity


def test_the_clock_is_the_servers(bucket: Bucket) -> None:
    file = described(bucket.lake, bucket.put("in/1.csv", b"x"))

    assert 0 <= (bucket.lake.clock("feeds/in/") - file.modified_at).total_seconds() < 60
