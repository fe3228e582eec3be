"""Requests as values: which operation one asks for, and what it may say beside that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from framework.sandbox.s3_server.body import RequestBody
from framework.sandbox.s3_server.s3_error import S3Error, invalid, not_supported

METADATA_PREFIX = "x-amz-meta-"
MAX_METADATA_BYTES = 2048
_COPY_PREFIX = "x-amz-copy-source"
_HEADERS = {
    *("x-amz-date", "x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-user-agent", "x-amz-trailer"),
    *("x-amz-sdk-checksum-algorithm", "x-amz-checksum-algorithm", "x-amz-checksum-type", "x-amz-checksum-mode"),
    *("x-amz-mp-object-size", "x-amz-metadata-directive", "x-amz-copy-source", "x-amz-copy-source-range"),
    *("x-amz-copy-source-if-match", "x-amz-copy-source-if-none-match"),
    *(f"x-amz-checksum-{name}" for name in ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")),
}
_LISTING = {"prefix", "delimiter", "max-keys", "start-after", "continuation-token", "encoding-type", "fetch-owner"}
_OPERATIONS = {
    ("GET", "service", ""): "ListBuckets",
    ("PUT", "bucket", ""): "CreateBucket",
    ("HEAD", "bucket", ""): "HeadBucket",
    ("GET", "bucket", "list-type"): "ListObjectsV2",
    ("GET", "bucket", "versioning"): "GetBucketVersioning",
    ("POST", "bucket", "delete"): "DeleteObjects",
    ("GET", "object", ""): "GetObject",
    ("HEAD", "object", ""): "HeadObject",
    ("PUT", "object", ""): "PutObject",
    ("DELETE", "object", ""): "DeleteObject",
    ("POST", "object", "uploads"): "CreateMultipartUpload",
    ("PUT", "object", "partNumber uploadId"): "UploadPart",
    ("POST", "object", "uploadId"): "CompleteMultipartUpload",
    ("DELETE", "object", "uploadId"): "AbortMultipartUpload",
}
"""By method, what the path names, and the parameters by which S3 distinguishes operations."""
_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}
_DISTINGUISHING = {"list-type", "delete", "uploads", "uploadId", "partNumber", "versioning"}


@dataclass(frozen=True)
class Request:
    """A request. `bucket` and `key` are empty where it names none; header names are in lower case."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: RequestBody

    def operation(self) -> str:
        """Return the operation's name.

        Raises:
            S3Error: it, or a parameter or header beside it, is not known.
        """
        level = "object" if self.key else "bucket" if self.bucket else "service"
        parameters = " ".join(sorted(_DISTINGUISHING & self.query.keys()))
        name = _OPERATIONS.get((self.method, level, parameters))
        if name is None:
            with_parameters = f" with {', '.join(self.query)}" if self.query else ""
            raise not_supported(f"{self.method} of a {level}{with_parameters}")
        known = _DISTINGUISHING | {"x-id"} | (_LISTING if name == "ListObjectsV2" else set())
        for parameter in self.query.keys() - known:
            raise not_supported(f"The parameter {parameter} of {name}")
        for header in self.headers.keys() - _HEADERS:
            if header.startswith("x-amz-") and not header.startswith(METADATA_PREFIX):
                raise not_supported(f"The header {header} of {name}")
        return _COPIES.get(name, name) if _COPY_PREFIX in self.headers else name

    def metadata(self) -> dict[str, str]:
        """Return the user's metadata.

        Raises:
            S3Error: it is too long.
        """
        found = {
            name.removeprefix(METADATA_PREFIX): value
            for name, value in self.headers.items()
            if name.startswith(METADATA_PREFIX)
        }
        if sum(len(name) + len(value.encode()) for name, value in found.items()) > MAX_METADATA_BYTES:
            raise S3Error(
                400, "MetadataTooLarge", f"Your metadata headers exceed the maximum of {MAX_METADATA_BYTES} bytes"
            )
        return found

    def copy_source(self) -> tuple[str, str]:
        """Return the bucket and the key of the object that is copied."""
        source = unquote(self.headers[_COPY_PREFIX], errors="surrogateescape").removeprefix("/")
        bucket, _, key = source.partition("/")
        if not key or "?versionId=" in source:
            raise invalid(f"Copy Source must mention the source bucket and key: {source!r}")
        return bucket, key

    def replaces_metadata(self) -> bool:
        """Whether a copy gets the metadata of the request instead of its source's."""
        directive = self.headers.get("x-amz-metadata-directive", "COPY")
        if directive not in ("COPY", "REPLACE"):
            raise invalid(f"Unknown metadata directive: {directive}")
        return directive == "REPLACE"
