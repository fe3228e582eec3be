"""A server over a folder of the test's own, in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from framework.sandbox.s3_server.objects import Objects
from framework.sandbox.s3_server.operations import Operations
from framework.sandbox.s3_server.server import S3Server

ACCESS_KEY = "SANDBOX1"


@dataclass
class Served:
    """A running server and a client of it. `bucket` is the folder of the bucket `lake`."""

    port: int
    client: Any
    bucket: Path
    own: Path

    def put(self, key: str, body: bytes = b"x", **arguments: Any) -> str:
        """Put an object and return its ETag."""
        etag: str = self.client.put_object(Bucket="lake", Key=key, Body=body, **arguments)["ETag"]
        return etag

    def read(self, key: str, **arguments: Any) -> bytes:
        """Return an object's bytes."""
        body: bytes = self.client.get_object(Bucket="lake", Key=key, **arguments)["Body"].read()
        return body

    def head(self, key: str) -> Any:
        """Return what HEAD says of an object."""
        return self.client.head_object(Bucket="lake", Key=key)

    def keys(self, **arguments: Any) -> list[str]:
        """Return the keys of one page of a listing."""
        listed = self.client.list_objects_v2(Bucket="lake", **arguments)
        return [item["Key"] for item in listed.get("Contents", [])]

    def drop(self, key: str, content: bytes) -> Path:
        """Write a file into the bucket's folder, as a user does."""
        path = self.bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


@cache
def session(access_key: str) -> boto3.session.Session:
    """Return the session of an access key: each new one reads what boto3 knows of S3 again."""
    return boto3.session.Session(access_key, "secret", region_name="eu-west-1")


def client_of(port: int, access_key: str = ACCESS_KEY) -> Any:
    """Return a client that does not retry."""
    return session(access_key).client(
        "s3", endpoint_url=f"http://127.0.0.1:{port}", config=Config(retries={"total_max_attempts": 1})
    )


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    """Return the error code of an answer."""
    return str(error.value.response["Error"]["Code"])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server with an empty bucket."""
    (tmp_path / "buckets" / "lake").mkdir(parents=True)
    objects = Objects(tmp_path / "buckets", tmp_path / "own")
    with S3Server(0, Operations(objects), ACCESS_KEY) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        client = client_of(server.server_port)
        yield Served(server.server_port, client, tmp_path / "buckets" / "lake", tmp_path / "own")
        client.close()
        server.shutdown()
        thread.join()
    objects.close()
