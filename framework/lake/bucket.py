"""S3 under names of our own: list, head, read, copy, delete. Files are moved in lake.py."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from framework.dataclass import dataclass
from framework.errors import SpecError, WarehouseError
from framework.lake.archive_names import Reservations
from framework.lake.conditions import only_new, with_conditions
from framework.lake.connection import S3Connection, require_principal
from framework.lake.errors import BUCKET_FIELD, GONE, REPLACED, error_code, s3_errors
from framework.lake.fetch import fetch
from framework.lake.identity import OWN_FOLDERS, carried, etag_of, identity_metadata
from framework.lake.store import S3Store
from framework.log.aws_errors import SKEWED_CODE
from framework.model.files import FileIdentity, SourceFile

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

    from framework.spec.environment import LakeSettings

_SINGLE_COPY_BYTES = 5 * 1024**3
"""CopyObject takes objects up to 5 GB. Source:
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""
_COPY = TransferConfig(multipart_threshold=_SINGLE_COPY_BYTES)
_LANDING = "feedway-landing"


@dataclass(frozen=True)
class LakeObject:
    """An object of the lake as a listing shows it. `key` is the whole object key; the time is UTC, to the second."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime


class Bucket:
    """One bucket and prefix. Keys are whole object keys; `key` makes them from paths in the lake."""

    def __init__(
        self,
        client: S3Client,
        settings: LakeSettings,
        bucket_field: str = BUCKET_FIELD,
        connection: S3Connection | None = None,
    ) -> None:
        """Use a client of this process; other processes connect by `connection`, without it as boto3 does there."""
        self._client = with_conditions(client)
        self._connection = connection or S3Connection(settings.region)
        self._bucket_field = bucket_field
        self.bucket = settings.bucket
        self.prefix = settings.prefix
        self.reservations = Reservations()

    @cached_property
    def _creating(self) -> S3Client:
        """A client that writes under free keys only."""
        return only_new(self._connection.client())

    @property
    def store(self) -> S3Store:
        """What the tasks of a load read and write with. It can be pickled."""
        return S3Store(self._connection, self._client)

    @property
    def region(self) -> str:
        """The region in which the client calls S3."""
        return self._client.meta.region_name

    @property
    def principal(self) -> str:
        """Whose credentials call S3. Raises as `require_principal` does."""
        return require_principal(self._connection)

    def bucket_region(self) -> str | None:
        """Return the region that the bucket is in; None where the server does not name it."""
        with s3_errors(f"head s3://{self.bucket}", self._bucket_field):
            answer = self._client.head_bucket(Bucket=self.bucket)
        return answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")

    def is_versioned(self) -> bool:
        """Return whether the bucket keeps the versions of its objects."""
        with s3_errors(f"read the versioning of s3://{self.bucket}", self._bucket_field):
            return self._client.get_bucket_versioning(Bucket=self.bucket).get("Status") == "Enabled"

    def key(self, path: str) -> str:
        """Return the object key of a path in the lake."""
        return self.prefix + path

    def key_of(self, asked: str) -> str:
        """Return the object key of an address, a key or a path in the lake.

        Raises:
            SpecError: the address is one of another bucket, or there is none.
        """
        path = asked.removeprefix(self.url(""))
        if not path:
            raise SpecError(f"{asked!r} names no object: give the key of one in {self.url(self.prefix)}")
        if path.startswith("s3://"):
            raise SpecError(f"{asked} is not in the lake, which is {self.url(self.prefix)}")
        return path if path.startswith(self.prefix) else self.key(path)

    def url(self, key: str) -> str:
        """Return an object's address."""
        return f"s3://{self.bucket}/{key}"

    def list_objects(self, prefix: str) -> Iterator[LakeObject]:
        """Yield the objects below a key prefix, in key order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        with s3_errors(f"list s3://{self.bucket}/{prefix}", self._bucket_field):
            for page in pages:
                for item in page.get("Contents", []):
                    # A head has no fractions of seconds either: one object has one time.
                    modified_at = item["LastModified"].astimezone(UTC).replace(microsecond=0)
                    yield LakeObject(item["Key"], etag_of(item), item["Size"], modified_at)

    def clock(self, prefix: str) -> datetime:
        """Return S3's own time, to the second, from a listing of one object below a key prefix."""
        answer: Mapping[str, Any]
        with s3_errors(f"list s3://{self.bucket}/{prefix}"):
            try:
                answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, MaxKeys=1)
            except ClientError as error:
                if error_code(error) != SKEWED_CODE:
                    raise
                answer = error.response
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])

    def describe(self, key: str) -> SourceFile | None:
        """Return an object with the identity it arrived with; None if it does not exist.

        In Feedway's own folders that is the identity in its metadata, if that fits the object; elsewhere its own.
        """
        head = self.head(key)
        if head is None:
            return None
        modified_at = head["LastModified"].astimezone(UTC)
        file = self.arrived(LakeObject(key, etag_of(head), int(head["ContentLength"]), modified_at))
        moved = carried(head) if key.startswith(tuple(map(self.key, OWN_FOLDERS))) else None
        if moved is None:
            return file
        return replace(file, identity=moved.identity, arrived_at=moved.arrived_at, moved_by=moved.moved_by)

    def arrived(self, found: LakeObject) -> SourceFile:
        """Return a listed object as a file that has its own identity, as all outside Feedway's own folders have."""
        identity = FileIdentity(self.bucket, found.key, found.etag, found.size_bytes)
        at = found.modified_at
        return SourceFile(self.bucket, found.key, found.etag, found.size_bytes, at, identity, at)

    def is_unchanged(self, file: SourceFile) -> bool:
        """Return whether the object is still the one that was described."""
        head = self.head(file.key)
        return head is not None and is_object(head, file)

    def read_head(self, file: SourceFile, size_bytes: int) -> bytes:
        """Return the first bytes of a file.

        Raises:
            SourceFileError: the file is gone or was replaced.
        """
        return b"".join(fetch(self._client, file, 0, min(size_bytes, file.size_bytes)))

    def read(self, file: SourceFile) -> Generator[bytes]:
        """Yield the bytes of a file in order, over one connection and on demand."""
        return fetch(self._client, file, 0, file.size_bytes)

    def copy(self, file: SourceFile, target: str, metadata: Mapping[str, str]) -> bool:
        """Copy a file to a free key; return False where the file was replaced or the key is taken."""
        source: Any = {"Bucket": self.bucket, "Key": file.key}
        values: Any = {"Metadata": metadata, "MetadataDirective": "REPLACE", "CopySourceIfMatch": f'"{file.etag}"'}
        with s3_errors(f"copy {file.url} to {self.url(target)}"), _Suppressed(REPLACED | GONE):
            if is_single_copy(file):
                values["IfNoneMatch"] = "*"
                self._client.copy_object(Bucket=self.bucket, Key=target, CopySource=source, **values)
            else:
                self._client.copy(source, self.bucket, target, ExtraArgs=values, Config=_COPY)
            return True
        return False

    def delete_unchanged(self, file: SourceFile) -> bool:
        """Delete a file; return False where it was replaced just before."""
        with s3_errors(f"delete {file.url}"), _Suppressed(REPLACED | GONE):
            self._client.delete_object(Bucket=self.bucket, Key=file.key, IfMatch=f'"{file.etag}"')
            return True
        return False

    def get(self, key: str) -> bytes | None:
        """Return a small object; None if it does not exist."""
        with s3_errors(f"read {self.url(key)}"), _Suppressed(GONE):
            return self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return None

    def put(self, key: str, text: str) -> None:
        """Write a small object."""
        with s3_errors(f"write {self.url(key)}"):
            self._client.put_object(Bucket=self.bucket, Key=key, Body=text.encode("utf-8"))

    def replace(self, key: str, etag: str, text: str) -> bool:
        """Write a small object in place of the one with this ETag; return False where there is no such object."""
        with s3_errors(f"write {self.url(key)}"), _Suppressed(REPLACED | GONE):
            self._client.put_object(Bucket=self.bucket, Key=key, Body=text.encode("utf-8"), IfMatch=f'"{etag}"')
            return True
        return False

    def put_at(self, url: str, text: str) -> None:
        """Write a small object to an address in any bucket."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        with s3_errors(f"write {url}", "the bucket's name"):
            self._client.put_object(Bucket=bucket, Key=key, Body=text.encode("utf-8"))

    def put_new(self, key: str, content: BinaryIO, heard: Callable[[int], None]) -> bool:
        """Write an open file under a free key, a big one in parts; return False where the key is taken.

        `heard` receives the number of bytes sent since its last call, in threads of the upload. Memory holds a few
        parts. A server that ignores conditions replaces what is under the key.
        """
        # Which upload an object is of: the reply to a call that succeeded may be lost, and its retry finds the object.
        mark = secrets.token_hex(16)
        extra: Any = {"Metadata": {_LANDING: mark}}
        with s3_errors(f"write {self.url(key)}"):
            try:
                self._creating.upload_fileobj(content, self.bucket, key, ExtraArgs=extra, Callback=heard)
            except ClientError as error:
                if _is_of_landing(self.head(key), mark):
                    return True
                if error_code(error) in REPLACED:
                    return False
                raise
        return True

    def put_as(self, key: str, content: bytes, identity: FileIdentity, arrived_at: datetime) -> None:
        """Write an object that carries a file's identity, as a moved file does."""
        metadata = identity_metadata(identity, arrived_at)
        with s3_errors(f"write {self.url(key)}"):
            self._client.put_object(Bucket=self.bucket, Key=key, Body=content, Metadata=metadata)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; objects that do not exist count as deleted."""
        with s3_errors(f"delete in s3://{self.bucket}"):
            for start in range(0, len(keys), 1000):
                part: Any = {"Objects": [{"Key": key} for key in keys[start : start + 1000]], "Quiet": True}
                answer = self._client.delete_objects(Bucket=self.bucket, Delete=part)
                for failed in answer.get("Errors", []):
                    raise WarehouseError(f"{self.url(failed['Key'])}: not deleted: {failed.get('Message', '')}")

    def delete_below(self, prefix: str) -> None:
        """Delete every object below a key prefix."""
        self.delete([found.key for found in self.list_objects(prefix)])

    def head(self, key: str) -> Mapping[str, Any] | None:
        """Return the head of an object; None if it does not exist."""
        with s3_errors(f"head {self.url(key)}"), _Suppressed(GONE):
            return self._client.head_object(Bucket=self.bucket, Key=key)
        return None


class _Suppressed:
    """A block that a refusal with one of some codes ends without an error."""

    def __init__(self, codes: Collection[str]) -> None:
        self._codes = codes

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        return isinstance(error, ClientError) and error_code(error) in self._codes


def is_single_copy(file: SourceFile) -> bool:
    """Return whether a file is copied by one call, which can demand that the copy's name is free."""
    return file.size_bytes <= _SINGLE_COPY_BYTES


def is_object(head: Mapping[str, Any], file: SourceFile) -> bool:
    """Return whether a head shows the ETag and the size of a file."""
    return (etag_of(head), int(head["ContentLength"])) == (file.etag, file.size_bytes)


def _is_of_landing(head: Mapping[str, Any] | None, mark: str) -> bool:
    # S3 hands names back in lower case, other servers as HTTP headers are written.
    return head is not None and mark in [
        head["Metadata"][name] for name in head["Metadata"] if name.lower() == _LANDING
    ]
