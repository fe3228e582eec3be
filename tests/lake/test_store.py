"""Source files as tasks read them: in ranges fetched side by side, whole or not at all, and from other processes."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from framework.errors import SourceFileError, TransientWarehouseError, WarehouseError
from framework.lake import store as store_module
from framework.lake.connection import S3Connection, shared_client
from framework.lake.fetch import ATTEMPTS, PIECE_BYTES
from framework.lake.lake import Lake
from framework.lake.store import AHEAD_BYTES, GETS, RANGE_BYTES, S3Store
from framework.model.files import SourceFile
from framework.spec.environment import LakeSettings
from tests.faults.fault_injector import refuse
from tests.lake.conftest import Bucket
from tests.slow_s3 import slow_s3

SIZE = AHEAD_BYTES + 2 * RANGE_BYTES + 5
CONTENT = random.Random(7).randbytes(SIZE)
FAST = 1e12


class Heard:
    """Receives what arrives."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.threads: set[threading.Thread] = set()

    def __call__(self, arrived: int) -> None:
        self.calls.append(arrived)
        self.threads.add(threading.current_thread())


class Gets:
    """The ranges that a client's GETs ask for, each as first and last byte."""

    def __init__(self, client: Any) -> None:
        self.ranges: list[tuple[int, int]] = []
        client.meta.events.register("before-call.s3.GetObject", self._enter)

    def _enter(self, params: Any, **_: Any) -> None:
        first, last = params["headers"]["Range"].removeprefix("bytes=").split("-")
        self.ranges.append((int(first), int(last)))


def land(bucket: Bucket, content: bytes) -> SourceFile:
    file = bucket.lake.describe(bucket.put("in/1.csv", content))
    assert file is not None
    return file


def join_fetches() -> None:
    """Wait for the threads that fetch, until nothing of a reading is under way."""
    for thread in threading.enumerate():
        if thread.name == "fetch":
            thread.join()


@contextmanager
def behind(url: str, bucket: Bucket) -> Iterator[tuple[S3Store, Any]]:
    """Yield the store by a client of another address, and that client."""
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
    client = session.client("s3", endpoint_url=url, config=Config(read_timeout=3, retries={"total_max_attempts": 1}))
    with closing(client):
        yield Lake(client, LakeSettings(bucket.name, "feeds/", None)).store, client


@pytest.fixture(scope="module")
def big(moto_url: str) -> tuple[Bucket, SourceFile]:
    """A bucket with one file of several ranges, which no test changes."""
    client: Any = S3Connection("us-east-1", moto_url, "x", "x").client()
    client.create_bucket(Bucket="big")
    bucket = Bucket(client, "big")
    return bucket, land(bucket, CONTENT)


@pytest.mark.parametrize(
    ("size", "calls"),
    [
        (0, 0),
        (1, 1),
        (2 * RANGE_BYTES - 1, 1),
        (2 * RANGE_BYTES, 2),
        (3 * RANGE_BYTES - 1, 2),
        (3 * RANGE_BYTES + 1, 3),
        (4 * RANGE_BYTES, GETS),
        (SIZE - 3, GETS),
    ],
)
def test_a_range_is_read_whole_by_few_gets(big: tuple[Bucket, SourceFile], size: int, calls: int) -> None:
    bucket, file = big
    heard, gets = Heard(), Gets(bucket.client)

    read = bucket.lake.store.read_range(file, 3, 3 + size, heard)

    assert read == CONTENT[3 : 3 + size]
    # Nothing holds the memory any more: it may be resized.
    read.clear()
    assert sum(heard.calls) == size
    assert heard.threads == {threading.current_thread()}
    assert len(gets.ranges) == calls
    assert min([last - first + 1 for first, last in gets.ranges], default=size) >= min(size, RANGE_BYTES)


@pytest.mark.parametrize("size", [0, 1, RANGE_BYTES, RANGE_BYTES + 1])
def test_a_file_is_streamed_in_order(bucket: Bucket, size: int) -> None:
    heard = Heard()

    pieces = list(bucket.lake.store.stream(land(bucket, CONTENT[:size]), heard))

    assert b"".join(pieces) == CONTENT[:size]
    assert all(pieces)
    assert sum(heard.calls) == size


def test_a_stream_fetches_ahead_what_fits_into_its_memory(big: tuple[Bucket, SourceFile]) -> None:
    bucket, file = big
    heard, gets = Heard(), Gets(bucket.client)
    read = bytearray()

    for piece in bucket.lake.store.stream(file, heard):
        if not read:
            # The reader pauses: what may be fetched is, and nothing beyond.
            join_fetches()
            assert len(gets.ranges) == GETS
        read += piece
        assert max(last for _, last in gets.ranges) < len(read) + AHEAD_BYTES

    assert read == CONTENT
    assert sum(heard.calls) == SIZE
    assert heard.threads == {threading.current_thread()}


def test_a_stream_that_is_closed_fetches_no_more(big: tuple[Bucket, SourceFile]) -> None:
    bucket, file = big
    gets = Gets(bucket.client)
    pieces = bucket.lake.store.stream(file, Heard())
    next(pieces)

    pieces.close()

    join_fetches()
    assert len(gets.ranges) <= GETS


def read_range(store: S3Store, file: SourceFile, heard: Callable[[int], None]) -> bytes | bytearray:
    return store.read_range(file, 0, file.size_bytes, heard)


def stream(store: S3Store, file: SourceFile, heard: Callable[[int], None]) -> bytes:
    return b"".join(store.stream(file, heard))


Read = Callable[[S3Store, SourceFile, Callable[[int], None]], bytes | bytearray]
READS = pytest.mark.parametrize("read", [read_range, stream])


def before_get(client: Any, number: int, action: Callable[[], object]) -> None:
    """Do something just before the n-th GET."""
    numbers = iter(range(1, 100))

    def happen(**_: Any) -> None:
        if next(numbers) == number:
            action()

    client.meta.events.register("before-call.s3.GetObject", happen)


@pytest.mark.exhaustive(every=4)
@READS
@pytest.mark.parametrize("number", [1, 2, 3, GETS])
def test_a_file_that_is_replaced_before_any_get_is_noticed(bucket: Bucket, read: Read, number: int) -> None:
    file = land(bucket, CONTENT[:AHEAD_BYTES])
    before_get(bucket.client, number, lambda: bucket.put("in/1.csv", CONTENT[1 : AHEAD_BYTES + 1]))

    with pytest.raises(SourceFileError, match="was replaced") as caught:
        read(bucket.lake.store, file, Heard())

    assert caught.value.keys == (file.key,)


@READS
@pytest.mark.parametrize("number", [1, GETS])
def test_a_file_that_goes_before_any_get_is_noticed(bucket: Bucket, read: Read, number: int) -> None:
    file = land(bucket, CONTENT[:AHEAD_BYTES])
    before_get(bucket.client, number, lambda: bucket.client.delete_object(Bucket=bucket.name, Key=file.key))

    with pytest.raises(SourceFileError, match="has gone") as caught:
        read(bucket.lake.store, file, Heard())

    assert caught.value.keys == (file.key,)


@pytest.mark.exhaustive(every=4)
@READS
@pytest.mark.parametrize("number", [1, GETS])
def test_a_server_that_ignores_conditions_is_found_out_by_its_etag(bucket: Bucket, read: Read, number: int) -> None:
    file = land(bucket, CONTENT[:AHEAD_BYTES])

    def ignore(params: Any, **_: Any) -> None:
        assert params["headers"].pop("If-Match") == f'"{file.etag}"'

    before_get(bucket.client, number, lambda: bucket.put("in/1.csv", CONTENT[1 : AHEAD_BYTES + 1]))
    bucket.client.meta.events.register("before-call.s3.GetObject", ignore)

    with pytest.raises(SourceFileError, match="was replaced"):
        read(bucket.lake.store, file, Heard())


@READS
def test_a_broken_connection_resumes_where_it_ended(big: tuple[Bucket, SourceFile], moto_url: str, read: Read) -> None:
    bucket, file = big
    with slow_s3(moto_url, FAST, breaks_every=10 * 1024**2) as url, behind(url, bucket) as (store, client):
        gets = Gets(client)

        assert read(store, file, Heard()) == CONTENT

    by_end: dict[int, list[int]] = {}
    for first, last in gets.ranges:
        by_end.setdefault(last, []).append(first)
    # A connection that breaks in its first piece has brought nothing.
    assert all(starts == sorted(starts) for starts in by_end.values())
    assert any(starts[-1] > starts[0] for starts in by_end.values())


def test_a_replacement_is_noticed_by_a_get_that_resumes(bucket: Bucket, moto_url: str) -> None:
    file = land(bucket, CONTENT[:RANGE_BYTES])
    with slow_s3(moto_url, FAST, breaks_every=1024**2) as url, behind(url, bucket) as (store, client):
        before_get(client, 2, lambda: bucket.put("in/1.csv", CONTENT[1 : RANGE_BYTES + 1]))

        with pytest.raises(SourceFileError, match="was replaced"):
            read_range(store, file, Heard())


def test_a_connection_that_breaks_each_time_is_an_outage(bucket: Bucket, moto_url: str) -> None:
    file = land(bucket, CONTENT[:RANGE_BYTES])
    with slow_s3(moto_url, FAST, breaks_every=PIECE_BYTES) as url, behind(url, bucket) as (store, client):
        gets = Gets(client)

        with pytest.raises(TransientWarehouseError, match=f"read {file.url}") as caught:
            read_range(store, file, Heard())

    assert caught.value.is_outage
    assert len(gets.ranges) == ATTEMPTS


class GivenUpError(Exception):
    """Somebody does not want to wait any longer."""


@READS
def test_a_reading_that_is_given_up_while_it_stalls_keeps_no_memory_and_asks_no_more(
    big: tuple[Bucket, SourceFile], moto_url: str, read: Read
) -> None:
    bucket, file = big
    heard = Heard()

    def give_up(arrived: int) -> None:
        heard(arrived)
        if arrived == 0 < sum(heard.calls):
            raise GivenUpError

    with slow_s3(moto_url, FAST, stalls_after=2 * RANGE_BYTES) as url, behind(url, bucket) as (store, client):
        gets = Gets(client)
        tracemalloc.start(50)
        try:
            with pytest.raises(GivenUpError):
                read(store, file, give_up)
            snapshot = tracemalloc.take_snapshot()
        finally:
            tracemalloc.stop()
        join_fetches()

    assert sum(heard.calls) < SIZE
    assert len(gets.ranges) == GETS
    own = snapshot.filter_traces([tracemalloc.Filter(True, store_module.__file__, all_frames=True)])
    # No more than the connections' own buffers.
    assert sum(trace.size for trace in own.statistics("filename")) < RANGE_BYTES


def test_another_process_reads_and_writes_by_the_connection_it_is_sent(bucket: Bucket, tmp_path: Path) -> None:
    file = land(bucket, b"id,a\n1,x\n")
    (tmp_path / "task").write_bytes(pickle.dumps((bucket.lake.store, file)))
    program = """
import pickle, sys
from pathlib import Path
store, file = pickle.loads(Path("task").read_bytes())
Path("read").write_bytes(store.read_range(file, 5, file.size_bytes, lambda arrived: None))
store.upload(Path("read"), f"s3://{file.bucket}/feeds/staging/ü 1")
"""
    paths = [path for path in sys.path if path]
    environment = {"PYTHONPATH": ":".join(paths), "AWS_EC2_METADATA_DISABLED": "true"}

    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)

    assert bucket.read("feeds/staging/ü 1") == b"1,x\n"


def test_threads_of_a_worker_share_one_client(bucket: Bucket) -> None:
    first, second = (pickle.loads(pickle.dumps(bucket.lake.store)) for _ in range(2))
    file = land(bucket, b"x")
    of_driver, of_worker = Gets(bucket.client), Gets(shared_client(first._connection))

    assert [read_range(first, file, Heard()), read_range(second, file, Heard())] == [b"x", b"x"]

    assert of_driver.ranges == []
    assert len(of_worker.ranges) == 2


def test_a_connection_shows_no_keys(bucket: Bucket) -> None:
    assert repr(bucket.connection) == f"S3Connection(region=None, endpoint_url='{bucket.client.meta.endpoint_url}')"


@pytest.mark.parametrize("does", ["read", "write"])
@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError")])
def test_a_server_that_is_overloaded_for_long_is_an_outage_that_may_pass(
    bucket: Bucket, does: str, status: int, code: str
) -> None:
    file = land(bucket, b"x")
    refuse(bucket.client, "*", status, code)

    with pytest.raises(TransientWarehouseError, match=code) as caught:
        read_range(bucket.lake.store, file, Heard()) if does == "read" else bucket.lake.store.upload(
            Path(__file__), file.url
        )

    assert caught.value.is_outage


@pytest.mark.parametrize("does", ["read", "write"])
def test_a_denial_names_who_the_worker_is(bucket: Bucket, does: str) -> None:
    file = land(bucket, b"x")
    store = pickle.loads(pickle.dumps(bucket.lake.store))
    refuse(shared_client(store._connection), "*", 403, "AccessDenied")

    with pytest.raises(WarehouseError) as caught:
        read_range(store, file, Heard()) if does == "read" else store.upload(Path(__file__), file.url)

    message = str(caught.value)
    assert message.startswith(f"S3 refused to {does} {file.url}: AccessDenied: ")
    assert f"the owner of access key key of {bucket.name} (credentials by explicit)" in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("sts_url", "principal"),
    [
        ("", "arn:aws:sts::123456789012:user/moto"),
        ("http://127.0.0.1:9", "the owner of access key my-key (credentials by env)"),
    ],
)
def test_on_aws_the_worker_is_named_by_its_arn_where_sts_answers(
    bucket: Bucket, moto_url: str, monkeypatch: pytest.MonkeyPatch, sts_url: str, principal: str
) -> None:
    file = land(bucket, b"x")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts_url or moto_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "my-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "my-secret")
    # A region of this test's own, because a process keeps the client of a connection.
    region = f"eu-test-{1 if sts_url else 2}"
    store = pickle.loads(pickle.dumps(S3Store(S3Connection(region))))
    refuse(shared_client(store._connection), "GetObject", 403, "AccessDenied")

    with pytest.raises(WarehouseError, match="AccessDenied") as caught:
        read_range(store, file, Heard())

    assert f"The worker called as {principal}:" in str(caught.value)


def test_a_denial_in_this_process_is_about_the_credentials_that_everybody_knows(bucket: Bucket) -> None:
    file = land(bucket, b"x")
    refuse(bucket.client, "GetObject", 403, "AccessDenied")

    with pytest.raises(WarehouseError, match="AccessDenied") as caught:
        read_range(bucket.lake.store, file, Heard())

    assert "worker" not in str(caught.value)
