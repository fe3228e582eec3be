"""The benchmarks' proxies in front of the sandbox's servers: what they delay and count, and what passes unchanged."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from benchmarks.proxy import DataApiTraffic, Profile, S3Traffic, Traffic, serving
from framework.sandbox import SandboxAddress

PROFILE = Profile("test", 0.5, 0.25, 10.0, sub_statement_seconds=1.0, copy_seconds=100.0)
NO_DELAY = Profile("none", 0.0, 0.0, 0.0)
TARGET = {"WorkgroupName": "sandbox", "Database": "dev"}
PUT = (
    b"PUT /lake/a%20key HTTP/1.1\r\nHost: 127.0.0.1:1\r\nX-Odd:  two  blanks \r\ncontent-length: 5\r\n\r\n\x00\xff\r\n."
)


@dataclass
class FakeTime:
    """A clock that goes on only where somebody sleeps by it."""

    began: float = field(default_factory=time.time)
    passed: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.began + self.passed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds

    def stand_at_end_of(self, statement: Any) -> None:
        self.began, self.passed = statement["UpdatedAt"].timestamp(), 0.0


@dataclass(frozen=True)
class Exchange:
    """What a client has sent and received through a proxy, and what the server behind it has received."""

    response: bytes
    forwarded: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.response.partition(b"\r\n\r\n")[2])


def exchange(traffic: Traffic, request: bytes, response: bytes) -> Exchange:
    """Send a request through a proxy to a server that gives one response and ends the connection."""
    forwarded = b""

    def answer() -> None:
        nonlocal forwarded
        connection, _ = server.accept()
        with connection:
            while len(forwarded) < len(request):
                forwarded += connection.recv(65536)
            connection.sendall(response)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        with serving(f"http://127.0.0.1:{server.getsockname()[1]}", traffic) as url:
            there = urlsplit(url)
            with socket.create_connection((there.hostname, there.port)) as client:
                client.sendall(request)
                received = b"".join(iter(lambda: client.recv(65536), b""))
        thread.join()
    return Exchange(received, forwarded)


def data_api_request(operation: str, **members: Any) -> bytes:
    body = json.dumps(members).encode()
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:1\r\nX-Amz-Target: RedshiftData.{operation}\r\nAuthorization: a\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


def last_response(body: bytes, status: int = 200) -> bytes:
    head = b"HTTP/1.1 %d Odd\r\nX-Odd:  two  blanks \r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


@pytest.fixture
def clock() -> FakeTime:
    return FakeTime()


@pytest.fixture
def s3_traffic(clock: FakeTime) -> S3Traffic:
    return S3Traffic(PROFILE, clock.sleep)


@pytest.fixture
def slow_s3(sandbox: SandboxAddress, s3_traffic: S3Traffic) -> Iterator[Any]:
    """A client of the sandbox's S3 behind a proxy."""
    with (
        serving(sandbox.s3_url, s3_traffic) as url,
        closing(boto3.session.Session().client("s3", endpoint_url=url)) as client,
    ):
        yield client


@pytest.fixture
def data_api_traffic(clock: FakeTime) -> DataApiTraffic:
    return DataApiTraffic(PROFILE, clock.sleep, clock.now)


@pytest.fixture
def slow_data_api(sandbox: SandboxAddress, data_api_traffic: DataApiTraffic) -> Iterator[Any]:
    """A client of the sandbox's Data API behind a proxy."""
    with (
        serving(sandbox.data_api_url, data_api_traffic) as url,
        closing(boto3.session.Session().client("redshift-data", endpoint_url=url)) as client,
    ):
        yield client


def described_once_ended(client: Any, statement_id: str) -> Any:
    """Return the description of a statement that has really ended."""
    while (description := client.describe_statement(Id=statement_id))["Status"] in ("SUBMITTED", "PICKED", "STARTED"):
        time.sleep(0.01)
    description.pop("ResponseMetadata")
    return description


@pytest.mark.parametrize(
    ("make", "request_bytes", "body"),
    [
        (S3Traffic, PUT, b""),
        (S3Traffic, PUT, b"<Error/>"),
        (DataApiTraffic, data_api_request("ExecuteStatement", Sql="select 1"), b'{"Id" : "1"}'),
    ],
    ids=["an empty body", "a body", "the Data API"],
)
def test_what_is_signed_and_what_is_answered_pass_byte_for_byte(
    make: Callable[[Profile], Traffic], request_bytes: bytes, body: bytes
) -> None:
    response = last_response(body, 418)
    assert exchange(make(NO_DELAY), request_bytes, response) == Exchange(response, request_bytes)


def test_a_body_that_breaks_off_breaks_off_behind_the_proxy_too() -> None:
    response = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfour"
    request = b"GET /lake/a HTTP/1.1\r\n\r\n"
    assert exchange(S3Traffic(NO_DELAY), request, response).response == response


def test_each_call_to_s3_is_delayed_and_counted_by_operation(
    slow_s3: Any, s3_traffic: S3Traffic, clock: FakeTime
) -> None:
    content = bytes(range(256)) * 20_000
    etag = slow_s3.put_object(Bucket="lake", Key="proxy/a b", Body=BytesIO(content))["ETag"]
    slow_s3.copy_object(Bucket="lake", Key="proxy/ü", CopySource={"Bucket": "lake", "Key": "proxy/a b"})
    assert slow_s3.head_object(Bucket="lake", Key="proxy/ü")["ETag"] == etag
    ranged = slow_s3.get_object(Bucket="lake", Key="proxy/ü", Range="bytes=100-4999999", IfMatch=etag)
    assert ranged["Body"].read() == content[100:5_000_000]
    listed = slow_s3.list_objects_v2(Bucket="lake", Prefix="proxy/")["Contents"]
    slow_s3.delete_objects(Bucket="lake", Delete={"Objects": [{"Key": item["Key"]} for item in listed]})

    names = ("PutObject", "CopyObject", "HeadObject", "GetObject", "ListObjectsV2", "DeleteObjects")
    assert s3_traffic.calls == dict.fromkeys(names, 1)
    assert clock.slept == [0.5] * 6


def test_refusals_of_s3_pass_unchanged(slow_s3: Any, s3: Any) -> None:
    s3.put_object(Bucket="lake", Key="proxy/refused", Body=b"old")
    calls: list[Callable[[Any], Any]] = [
        lambda client: client.get_object(Bucket="lake", Key="proxy/refused", IfMatch='"other"'),
        lambda client: client.get_object(Bucket="lake", Key="proxy/none"),
        lambda client: client.head_object(Bucket="lake", Key="proxy/none"),
        # refused before the body is asked for
        lambda client: client.put_object(Bucket="lake", Key="proxy/refused", Body=b"new" * 9999, IfMatch='"other"'),
        # an operation that the server does not know
        lambda client: client.get_bucket_policy(Bucket="lake"),
    ]
    for call in calls:
        codes = []
        for client in (slow_s3, s3):
            with pytest.raises(ClientError) as caught:
                call(client)
            codes.append((caught.value.response["Error"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]))
        assert codes[0] == codes[1]
    assert slow_s3.get_object(Bucket="lake", Key="proxy/refused")["Body"].read() == b"old"
    etag = s3.head_object(Bucket="lake", Key="proxy/refused")["ETag"]
    with pytest.raises(ClientError, match="304"):
        slow_s3.get_object(Bucket="lake", Key="proxy/refused", IfNoneMatch=etag)
    s3.delete_object(Bucket="lake", Key="proxy/refused")


def test_a_statement_is_described_as_running_until_some_time_after_its_end(
    slow_data_api: Any, redshift_data: Any, data_api_traffic: DataApiTraffic, clock: FakeTime
) -> None:
    statement_id = slow_data_api.batch_execute_statement(Sqls=["select 1", "select 'ü'"], **TARGET)["Id"]
    ended = described_once_ended(redshift_data, statement_id)
    assert ended["Status"] == "FINISHED"
    clock.stand_at_end_of(ended)

    running = slow_data_api.describe_statement(Id=statement_id)
    assert (running["Status"], running["HasResultSet"]) == ("STARTED", False)
    # 10 seconds of a submission and 1 of each statement, less what the calls have taken
    clock.passed += 11.2
    assert slow_data_api.describe_statement(Id=statement_id)["Status"] == "STARTED"
    clock.passed += 0.5
    assert described_once_ended(slow_data_api, statement_id) == ended

    assert data_api_traffic.calls == {"BatchExecuteStatement": 1, "DescribeStatement": 3}
    assert data_api_traffic.sub_statements == 2
    assert [seconds for seconds in clock.slept if seconds] == [0.25] * 4


def test_a_copy_runs_longer_and_its_error_is_not_known_before(
    slow_data_api: Any, redshift_data: Any, clock: FakeTime
) -> None:
    sql = "-- feedway a b copy_staging\ncopy proxy_nowhere from 's3://lake/none' iam_role default format as parquet"
    statement_id = slow_data_api.execute_statement(Sql=sql, **TARGET)["Id"]
    ended = described_once_ended(redshift_data, statement_id)
    assert ended["Status"] == "FAILED"
    clock.stand_at_end_of(ended)

    clock.passed += 105
    running = slow_data_api.describe_statement(Id=statement_id)
    assert (running["Status"], "Error" in running) == ("STARTED", False)
    clock.passed += 7
    assert described_once_ended(slow_data_api, statement_id) == ended


def test_a_call_that_may_wait_gets_the_end_as_soon_as_it_may_be_known(clock: FakeTime) -> None:
    traffic = DataApiTraffic(Profile("test", 0, 0, 10.0), clock.sleep, clock.now)
    updated_at = clock.now()
    ended = last_response(json.dumps({"Id": "1", "Status": "FINISHED", "UpdatedAt": updated_at}).encode())

    def status(wait_seconds: int) -> str:
        request = data_api_request("DescribeStatement", Id="1", WaitTimeSeconds=wait_seconds)
        return str(exchange(traffic, request, ended).document["Status"])

    exchange(traffic, data_api_request("ExecuteStatement", Sql="select 1"), last_response(b'{"Id": "1"}'))
    assert status(wait_seconds=4) == "STARTED"
    assert status(wait_seconds=30) == "FINISHED"
    assert updated_at + 10 <= clock.now()
    assert sum(clock.slept) <= 10


def test_refusals_of_the_data_api_pass_unchanged(slow_data_api: Any, redshift_data: Any) -> None:
    errors = []
    for client in (slow_data_api, redshift_data):
        with pytest.raises(ClientError) as caught:
            client.execute_statement(Sql="select 1", WorkgroupName="nobody", Database="dev")
        errors.append(caught.value.response["Error"])
    assert errors[0] == errors[1]
