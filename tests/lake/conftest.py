"""A server that knows multipart ETags as S3 does, which the sandbox's does not."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from framework.lake.connection import S3Connection
from framework.lake.lake import Lake
from framework.spec.environment import LakeSettings

_NUMBERS = itertools.count(1)


@dataclass
class Bucket:
    """A bucket of its own, and the lake in it."""

    client: Any
    name: str

    @property
    def lake(self) -> Lake:
        """The lake, with a prefix so that keys and paths differ."""
        return Lake(self.client, LakeSettings(self.name, "feeds/", None), connection=self.connection)

    @property
    def connection(self) -> S3Connection:
        """How another process connects, with keys that no other test uses."""
        return S3Connection(None, self.client.meta.endpoint_url, f"key of {self.name}", f"secret of {self.name}")

    def put(self, path: str, content: bytes) -> str:
        """Put an object; return its key."""
        key = f"feeds/{path}"
        self.client.put_object(Bucket=self.name, Key=key, Body=content)
        return key

    def put_in_parts(self, path: str, parts: list[bytes]) -> str:
        """Put an object by a multipart upload; return its key."""
        key = f"feeds/{path}"
        target = {"Bucket": self.name, "Key": key}
        upload = self.client.create_multipart_upload(**target)["UploadId"]
        done = []
        for number, part in enumerate(parts, start=1):
            answer = self.client.upload_part(**target, UploadId=upload, PartNumber=number, Body=part)
            done.append({"PartNumber": number, "ETag": answer["ETag"]})
        self.client.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": done})
        return key

    def read(self, key: str) -> bytes:
        """Return an object's bytes."""
        content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def all_keys(self) -> list[str]:
        """Return all keys, sorted."""
        return [item["Key"] for item in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]


@pytest.fixture
def bucket(moto_url: str) -> Bucket:
    """An empty bucket."""
    client = boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1").client(
        "s3", endpoint_url=moto_url
    )
    name = f"bucket-{next(_NUMBERS)}"
    client.create_bucket(Bucket=name)
    return Bucket(client, name)
