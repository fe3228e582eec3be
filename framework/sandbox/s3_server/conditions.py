"""The conditions a request puts on the object it reads, replaces or deletes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from framework.sandbox.s3_server.s3_error import S3Error, not_supported, precondition_failed

_SOURCE_PREFIX = "x-amz-copy-source-"


@dataclass(frozen=True)
class Conditions:
    """ETags without quotes, or `*` for any object; None where the request has no such condition."""

    if_match: str | None = None
    if_none_match: str | None = None

    @property
    def are_any(self) -> bool:
        """Whether there is a condition."""
        return self != Conditions()

    def check_write(self, etag: str | None) -> None:
        """Raise where an object with this ETag, or with None no object, may not be replaced or deleted."""
        if self.if_match is not None and etag is None:
            raise S3Error(404, "NoSuchKey", "The specified key does not exist, and If-Match asks for it")
        self._check_match(etag)
        if self.if_none_match is not None and etag is not None and self.if_none_match in ("*", etag):
            raise precondition_failed("If-None-Match")

    def check_read(self, etag: str) -> None:
        """Raise where an object with this ETag is not to be read."""
        self._check_match(etag)
        if self.if_none_match is not None and self.if_none_match in ("*", etag):
            raise S3Error(304, "NotModified", "Not Modified")

    def _check_match(self, etag: str | None) -> None:
        if self.if_match is not None and self.if_match not in ("*", etag):
            raise precondition_failed("If-Match")


def of_object(headers: Mapping[str, str]) -> Conditions:
    """Return the conditions on the object that a request names."""
    return _conditions(headers, "")


def of_copy_source(headers: Mapping[str, str]) -> Conditions:
    """Return the conditions on the object that a copy is made of."""
    return _conditions(headers, _SOURCE_PREFIX)


def _conditions(headers: Mapping[str, str], prefix: str) -> Conditions:
    for name in ("if-modified-since", "if-unmodified-since"):
        if prefix + name in headers:
            raise not_supported(f"The header {prefix}{name}")
    return Conditions(_etag(headers.get(f"{prefix}if-match")), _etag(headers.get(f"{prefix}if-none-match")))


def _etag(header: str | None) -> str | None:
    return None if header is None else header.strip().strip('"')
