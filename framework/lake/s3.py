"""S3 under Feedway's own words. Nothing is deleted here before a copy of its bytes was seen elsewhere."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from framework.errors import SourceFileError, WarehouseError
from framework.lake.download import download, stream
from framework.lake.failures import GONE, error_code, s3_errors
from framework.retries import tell_retries
from framework.schema.values import FileIdentity, SourceFile

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

    from framework.spec.environment import LakeSettings

_SINGLE_COPY_BYTES = 5 * 1024**3
"""CopyObject takes objects up to 5 GB. Source:
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""
_COPY = TransferConfig(multipart_threshold=_SINGLE_COPY_BYTES)
_IDENTITY_METADATA = "feedway-identity"
_RUN_METADATA = "feedway-run-id"


@dataclass(frozen=True)
class LakeObject:
    """An object of the lake as a listing shows it. `key` counts from the bucket, times are UTC."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime


class Lake:
    """One bucket and prefix. Keys are whole object keys; `key` makes them from paths in the lake."""

    def __init__(self, client: S3Client, settings: LakeSettings) -> None:
        tell_retries(client)
        self._client = client
        self.bucket = settings.bucket
        self.prefix = settings.prefix

    def key(self, path: str) -> str:
        """Return the object key of a path in the lake."""
        return self.prefix + path

    def url(self, key: str) -> str:
        """Return an object's address."""
        return f"s3://{self.bucket}/{key}"

    def list_objects(self, prefix: str) -> Iterator[LakeObject]:
        """Yield the objects below a key prefix, in key order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        with s3_errors(f"list s3://{self.bucket}/{prefix}"):
            for page in pages:
                for item in page.get("Contents", []):
                    yield LakeObject(
                        item["Key"], _unquoted(item["ETag"]), item["Size"], item["LastModified"].astimezone(UTC)
                    )

    def describe(self, key: str) -> SourceFile | None:
        """Return an object with the identity it arrived with; None if it is not there."""
        head = self._head(key)
        if head is None:
            return None
        etag, size = _unquoted(head["ETag"]), int(head["ContentLength"])
        modified = head["LastModified"].astimezone(UTC)
        moved = _moved_identity(head.get("Metadata", {}))
        identity, arrived_at = moved or (FileIdentity(self.bucket, key, etag, size), modified)
        return SourceFile(self.bucket, key, etag, size, modified, identity, arrived_at)

    def is_unchanged(self, file: SourceFile) -> bool:
        """Say whether the object is still the one that was described."""
        head = self._head(file.key)
        return head is not None and (_unquoted(head["ETag"]), int(head["ContentLength"])) == (
            file.etag,
            file.size_bytes,
        )

    def read_head(self, file: SourceFile, size_bytes: int) -> bytes:
        """Return the first bytes of a file.

        Raises:
            SourceFileError: the file is gone, or is another one by now.
        """
        if file.size_bytes == 0:
            return b""
        last = min(size_bytes, file.size_bytes) - 1
        with s3_errors(f"read {file.url}"):
            try:
                answer = self._client.get_object(Bucket=self.bucket, Key=file.key, Range=f"bytes=0-{last}")
                body = answer["Body"].read()
            except ClientError as error:
                if error_code(error) in GONE:
                    raise SourceFileError(f"{file.url}: the file has gone since it was listed") from error
                raise
        if _unquoted(answer["ETag"]) != file.etag:
            raise SourceFileError(f"{file.url}: the file was replaced since it was listed; the next run loads it")
        return body

    def download(self, files: Sequence[SourceFile], folder: Path) -> Generator[Iterator[bytes]]:
        """Yield each file's bytes, in order of the files; what is fetched ahead waits in the local folder."""
        return download(self._client, files, folder)

    def read(self, file: SourceFile) -> Generator[bytes]:
        """Yield the bytes of a file in order, by one connection and as they are asked for."""
        return stream(self._client, file, 0, file.size_bytes)

    def upload(self, path: Path, url: str) -> None:
        """Write a local file of up to 5 GB to an address in the lake."""
        with s3_errors(f"write {url}"), path.open("rb") as content:
            self._client.put_object(Bucket=self.bucket, Key=url.removeprefix(self.url("")), Body=content)

    def move(self, file: SourceFile, folder: str, name: str, run_id: str) -> str | None:
        """Move a file into a folder of the lake; return its new key, None if it is another file by now.

        The copy carries the identity the file arrived with. A name that is taken gets the run_id
        before its ending; where a run that died has left its copy, that one serves. The original
        goes only after the copy was seen in full and the original is still the object that was
        read; on a bucket without versions a file that replaces it in between those two calls
        would be lost.
        """
        if not self.is_unchanged(file):
            return None
        target, is_there = self._place(file, self.key(f"{folder}/{name}"), run_id)
        if not is_there and not self._copy(file, target, run_id):
            return None
        if not self._holds(target, file):
            raise WarehouseError(f"{self.url(target)}: the copy of {file.url} is not complete; the original stays")
        if not self.is_unchanged(file):
            return None
        self.delete([file.key])
        return target

    def put(self, key: str, text: str) -> None:
        """Write a small object."""
        with s3_errors(f"write {self.url(key)}"):
            self._client.put_object(Bucket=self.bucket, Key=key, Body=text.encode("utf-8"))

    def put_as(self, key: str, content: bytes, identity: FileIdentity, arrived_at: datetime) -> None:
        """Write an object that carries the identity of what it stands for, as a moved file does."""
        metadata = {_IDENTITY_METADATA: _identity_text(identity, arrived_at)}
        with s3_errors(f"write {self.url(key)}"):
            self._client.put_object(Bucket=self.bucket, Key=key, Body=content, Metadata=metadata)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; ones that are not there count as deleted."""
        with s3_errors(f"delete in s3://{self.bucket}"):
            for start in range(0, len(keys), 1000):
                part: Any = {"Objects": [{"Key": key} for key in keys[start : start + 1000]], "Quiet": True}
                answer = self._client.delete_objects(Bucket=self.bucket, Delete=part)
                for failed in answer.get("Errors", []):
                    raise WarehouseError(f"{self.url(failed['Key'])}: not deleted: {failed.get('Message', '')}")

    def delete_below(self, prefix: str) -> None:
        """Delete every object below a key prefix."""
        self.delete([found.key for found in self.list_objects(prefix)])

    def _copy(self, file: SourceFile, target: str, run_id: str) -> bool:
        """Copy a file with its identity; False where it has gone meanwhile."""
        metadata = {_IDENTITY_METADATA: _identity_text(file.identity, file.arrived_at), _RUN_METADATA: run_id}
        replaced: Any = {"Metadata": metadata, "MetadataDirective": "REPLACE"}
        source: Any = {"Bucket": self.bucket, "Key": file.key}
        with s3_errors(f"copy {file.url} to {self.url(target)}"):
            try:
                if file.size_bytes <= _SINGLE_COPY_BYTES:
                    self._client.copy_object(CopySource=source, Bucket=self.bucket, Key=target, **replaced)
                else:
                    self._client.copy(source, self.bucket, target, ExtraArgs=replaced, Config=_COPY)
            except ClientError as error:
                if error_code(error) in GONE:
                    return False
                raise
        return True

    def _place(self, file: SourceFile, key: str, run_id: str) -> tuple[str, bool]:
        """Return the key of a file's copy, and whether a run that could not finish moving it has left it there."""
        if self._head(key) is None:
            return key, False
        folder, _, name = key.rpartition("/")
        stem, dot, ending = name.partition(".")
        taken = {found.key: found.size_bytes for found in self.list_objects(f"{folder}/{stem}")}
        for other, size_bytes in taken.items():
            if size_bytes == file.size_bytes and self._holds(other, file):
                return other, True
        names = (
            f"{folder}/{stem}.{run_id}{suffix}{dot}{ending}" for suffix in chain([""], map("-{}".format, count(2)))
        )
        return next(free for free in names if free not in taken), False

    def _holds(self, key: str, file: SourceFile) -> bool:
        """Say whether an object is a whole copy of a file: its size, and where, when and as what it arrived."""
        copy = self.describe(key)
        return copy is not None and (copy.size_bytes, copy.identity, copy.arrived_at) == (
            file.size_bytes,
            file.identity,
            file.arrived_at,
        )

    def _head(self, key: str) -> Mapping[str, Any] | None:
        with s3_errors(f"head {self.url(key)}"):
            try:
                return self._client.head_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                if error_code(error) in GONE:
                    return None
                raise


def _unquoted(etag: str) -> str:
    return etag.strip('"')


def _identity_text(identity: FileIdentity, arrived_at: datetime) -> str:
    """Write an identity for object metadata, which is ASCII and at most 2 KB."""
    fields = [
        identity.bucket,
        quote(identity.key, safe="/"),
        identity.etag,
        str(identity.size_bytes),
        arrived_at.isoformat(),
    ]
    return json.dumps(fields, separators=(",", ":"))


def _moved_identity(metadata: Mapping[str, str]) -> tuple[FileIdentity, datetime] | None:
    # S3 hands names back in lower case, other servers as HTTP headers are written.
    text = {name.lower(): value for name, value in metadata.items()}.get(_IDENTITY_METADATA)
    if text is None:
        return None
    bucket, key, etag, size, arrived_at = json.loads(text)
    return FileIdentity(bucket, unquote(key), etag, int(size)), datetime.fromisoformat(arrived_at)
