"""S3 as the lake. A source file is deleted only after a head has shown a copy of its bytes elsewhere."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from framework.errors import SpecError, WarehouseError
from framework.lake.archive_names import Reservations, names_for
from framework.lake.conditions import with_conditions
from framework.lake.download import download, stream
from framework.lake.errors import BUCKET_FIELD, GONE, REPLACED, error_code, read_errors, replaced, s3_errors
from framework.lake.identity import OWN_FOLDERS, carried, etag_of, identity_metadata, moved_metadata
from framework.model.files import FileIdentity, SourceFile

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

    from framework.spec.environment import LakeSettings

_SINGLE_COPY_BYTES = 5 * 1024**3
"""CopyObject takes objects up to 5 GB. Source:
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""
_COPY = TransferConfig(multipart_threshold=_SINGLE_COPY_BYTES)
_MOST_NAMES = 10


@dataclass(frozen=True)
class LakeObject:
    """An object of the lake as a listing shows it. `key` is the whole object key, times are UTC."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime


class Lake:
    """One bucket and prefix. Keys are whole object keys; `key` makes them from paths in the lake."""

    def __init__(self, client: S3Client, settings: LakeSettings, bucket_field: str = BUCKET_FIELD) -> None:
        self._client = with_conditions(client)
        self._bucket_field = bucket_field
        self.bucket = settings.bucket
        self.prefix = settings.prefix
        self._reservations = Reservations()

    def key(self, path: str) -> str:
        """Return the object key of a path in the lake."""
        return self.prefix + path

    def key_of(self, asked: str) -> str:
        """Return the object key that an address, a key or a path in the lake stands for.

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
                    yield LakeObject(item["Key"], etag_of(item), item["Size"], item["LastModified"].astimezone(UTC))

    def clock(self, prefix: str) -> datetime:
        """Return S3's own time, to the second, from a listing of one object below a key prefix."""
        with s3_errors(f"list s3://{self.bucket}/{prefix}"):
            answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, MaxKeys=1)
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])

    def describe(self, key: str) -> SourceFile | None:
        """Return an object with the identity it arrived with; None if it does not exist.

        In Feedway's own folders that is the identity in its metadata, if that fits the object; elsewhere its own.
        """
        head = self._head(key)
        if head is None:
            return None
        etag, size = etag_of(head), int(head["ContentLength"])
        modified = head["LastModified"].astimezone(UTC)
        moved = carried(head) if key.startswith(tuple(map(self.key, OWN_FOLDERS))) else None
        if moved is None:
            return SourceFile(
                self.bucket, key, etag, size, modified, FileIdentity(self.bucket, key, etag, size), modified
            )
        return SourceFile(self.bucket, key, etag, size, modified, moved.identity, moved.arrived_at, moved.moved_by)

    def is_unchanged(self, file: SourceFile) -> bool:
        """Return whether the object is still the one that was described."""
        head = self._head(file.key)
        return head is not None and _is_object(head, file)

    def read_head(self, file: SourceFile, size_bytes: int) -> bytes:
        """Return the first bytes of a file.

        Raises:
            SourceFileError: the file is gone or was replaced.
        """
        if file.size_bytes == 0:
            return b""
        last = min(size_bytes, file.size_bytes) - 1
        with s3_errors(f"read {file.url}"), read_errors(file):
            answer = self._client.get_object(
                Bucket=self.bucket, Key=file.key, Range=f"bytes=0-{last}", IfMatch=f'"{file.etag}"'
            )
            body = answer["Body"].read()
        # A server without conditional requests returns the current object.
        if etag_of(answer) != file.etag:
            raise replaced(file)
        return body

    def download(self, files: Sequence[SourceFile], folder: Path) -> Generator[Iterator[bytes]]:
        """Yield each file's bytes, in order of the files; bytes fetched ahead wait in the local folder."""
        return download(self._client, files, folder)

    def read(self, file: SourceFile) -> Generator[bytes]:
        """Yield the bytes of a file in order, over one connection and on demand."""
        return stream(self._client, file, 0, file.size_bytes)

    def upload(self, path: Path, url: str) -> None:
        """Write a local file of up to 5 GB to an address in the lake."""
        with s3_errors(f"write {url}"), path.open("rb") as content:
            self._client.put_object(Bucket=self.bucket, Key=url.removeprefix(self.url("")), Body=content)

    def move(self, file: SourceFile, folder: str, run_id: str, pipeline: str) -> str | None:
        """Move a file into a folder of the lake; return its new key, None if the file was replaced.

        The copy carries the identity the file arrived with. Where the name is taken, a digest of the
        identity goes before its ending; a copy that an expired run left is used. The original is
        deleted only after a head has shown the complete copy, and only while it is still the object
        that was read. Each call is conditional. Where the server ignores conditions, a file that
        replaces the original between two calls, or a process that takes the name, goes unnoticed.
        """
        head = self._head(file.key)
        if head is None or not _is_object(head, file):
            return None
        metadata = moved_metadata(file, head, run_id, pipeline)
        target = self._copied(file, self.key(f"{folder}/{file.key.rpartition('/')[2]}"), metadata)
        if target is None:
            return None
        copy = self.describe(target)
        is_whole = _is_copy(copy, file)
        if is_whole and self.is_unchanged(file) and self._delete_original(file):
            return target
        left = self._head(file.key)
        if left is None and is_whole:
            # It was deleted and the reply was lost, or another run has moved it.
            return target
        if left is not None and _is_object(left, file) and not is_whole:
            raise WarehouseError(f"{self.url(target)}: the copy of {file.url} is not complete; the original stays")
        if copy is not None and (not is_whole or _holds_successor(copy, file, left)):
            self.delete([target])
        return None

    def _copied(self, file: SourceFile, key: str, metadata: Mapping[str, str]) -> str | None:
        """Return the key of a file's copy, found or made; None where the file was replaced."""
        names = names_for(key, file.identity, file.arrived_at)
        for target in islice(names, _MOST_NAMES):
            with self._reservations.reserved(target) as is_ours:
                there = self.describe(target) if is_ours else None
                if is_ours and there is None:
                    if self._copy(file, target, metadata):
                        return target
                    if not self.is_unchanged(file):
                        return None
                    # Another process has taken the name, or this call succeeded and its reply was lost.
                    there = self.describe(target)
                if _is_copy(there, file):
                    return target
        raise WarehouseError(
            f"{file.url} was not copied: all {_MOST_NAMES} names it could have, up to {self.url(target)}, are taken by "
            f"other objects. Move these away; the next run archives the file."
        )

    def _copy(self, file: SourceFile, target: str, metadata: Mapping[str, str]) -> bool:
        """Copy a file to a free key; return False where the file was replaced or the key is taken."""
        source: Any = {"Bucket": self.bucket, "Key": file.key}
        values: Any = {"Metadata": metadata, "MetadataDirective": "REPLACE", "CopySourceIfMatch": f'"{file.etag}"'}
        with s3_errors(f"copy {file.url} to {self.url(target)}"):
            try:
                if file.size_bytes > _SINGLE_COPY_BYTES:
                    self._client.copy(source, self.bucket, target, ExtraArgs=values, Config=_COPY)
                else:
                    values["IfNoneMatch"] = "*"
                    self._client.copy_object(Bucket=self.bucket, Key=target, CopySource=source, **values)
            except ClientError as error:
                if error_code(error) in REPLACED | GONE:
                    return False
                raise
        return True

    def _delete_original(self, file: SourceFile) -> bool:
        """Delete a file that was copied; return False where it was replaced just before."""
        with s3_errors(f"delete {file.url}"):
            try:
                self._client.delete_object(Bucket=self.bucket, Key=file.key, IfMatch=f'"{file.etag}"')
            except ClientError as error:
                if error_code(error) in REPLACED | GONE:
                    return False
                raise
        return True

    def get(self, key: str) -> bytes | None:
        """Return a small object; None if it does not exist."""
        with s3_errors(f"read {self.url(key)}"):
            try:
                return self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            except ClientError as error:
                if error_code(error) in GONE:
                    return None
                raise

    def put(self, key: str, text: str) -> None:
        """Write a small object."""
        with s3_errors(f"write {self.url(key)}"):
            self._client.put_object(Bucket=self.bucket, Key=key, Body=text.encode("utf-8"))

    def put_at(self, url: str, text: str) -> None:
        """Write a small object to an address in any bucket."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        with s3_errors(f"write {url}", "the bucket's name"):
            self._client.put_object(Bucket=bucket, Key=key, Body=text.encode("utf-8"))

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

    def _head(self, key: str) -> Mapping[str, Any] | None:
        with s3_errors(f"head {self.url(key)}"):
            try:
                return self._client.head_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                if error_code(error) in GONE:
                    return None
                raise


def _is_object(head: Mapping[str, Any], file: SourceFile) -> bool:
    """Return whether a head shows the ETag and the size of a file."""
    return (etag_of(head), int(head["ContentLength"])) == (file.etag, file.size_bytes)


def _is_copy(copy: SourceFile | None, file: SourceFile) -> bool:
    """Return whether an object is a complete copy of a file: the same size, identity and arrival."""
    # A server whose clock was set to an earlier time makes copies that are older than their originals.
    return copy is not None and (copy.size_bytes, copy.identity, copy.arrived_at) == (
        file.size_bytes,
        file.identity,
        min(file.arrived_at, copy.modified_at),
    )


def _holds_successor(copy: SourceFile, file: SourceFile, left: Mapping[str, Any] | None) -> bool:
    """Return whether a copy holds the file's replacement: a server without conditions copies the current object."""
    return left is not None and copy.etag != file.etag and _is_object(left, copy)
