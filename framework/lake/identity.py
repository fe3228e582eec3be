"""The identity that a moved file carries as object metadata, and when it is trusted.

S3 keeps whatever metadata an uploader sets, and `aws s3 cp` copies it. So metadata counts only in Feedway's own
folders, and only where the object still is what it was written for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from framework.dataclass import dataclass
from framework.model.files import FileIdentity, SourceFile

OWN_FOLDERS = ("data/archive/", "data/unprocessed/", "staging/")
"""Paths in the lake that only Feedway writes to."""
METADATA_LOST = "the metadata that Feedway gave it when it moved it is gone, or was written for other content"
_IDENTITY = "feedway-identity"
_RUN = "feedway-run-id"
_PIPELINE = "feedway-pipeline"
_ETAG = "feedway-etag"
_NOT_KEPT = "not-kept"
_HASH = re.compile(r"[0-9a-f]{16,}")


@dataclass(frozen=True)
class Carried:
    """A moved file's identity and arrival, from its metadata. `moved_by` is the pipeline that moved it."""

    identity: FileIdentity
    arrived_at: datetime
    moved_by: str | None


def etag_of(head: Mapping[str, Any]) -> str:
    """Return an object's ETag without its quotes."""
    return str(head["ETag"]).strip('"')


def identity_metadata(identity: FileIdentity, arrived_at: datetime) -> dict[str, str]:
    """Return the metadata of an object that represents a file that arrived: ASCII, at most 2 KB."""
    fields = [
        identity.bucket,
        quote(identity.key, safe="/"),
        identity.etag,
        str(identity.size_bytes),
        arrived_at.isoformat(),
    ]
    return {_IDENTITY: json.dumps(fields, separators=(",", ":"))}


def moved_metadata(file: SourceFile, head: Mapping[str, Any], run_id: str, pipeline: str) -> dict[str, str]:
    """Return the metadata of a file's copy. `head` describes the file that is copied."""
    metadata = identity_metadata(file.identity, file.arrived_at) | {_RUN: run_id, _PIPELINE: pipeline}
    keeps_etag = _is_hash(head) and etag_of(head) == file.identity.etag
    return metadata if keeps_etag else metadata | {_ETAG: _NOT_KEPT}


def carried(head: Mapping[str, Any]) -> Carried | None:
    """Return the identity and arrival that an object in one of Feedway's folders carries.

    None where the metadata is missing, unreadable, or was written for other content: the object has
    another size, or an ETag that is a hash of other bytes. An arrival is at most the copy's LastModified.
    """
    # S3 hands names back in lower case, other servers as HTTP headers are written.
    metadata = {name.lower(): value for name, value in head.get("Metadata", {}).items()}
    try:
        bucket, key, etag, size, arrival = map(str, json.loads(metadata.get(_IDENTITY, "")))
        arrived_at = datetime.fromisoformat(arrival)
        in_utc = arrived_at.astimezone(UTC)
        identity = FileIdentity(bucket, unquote(key), etag, int(size))
        # No key or ETag holds a NUL, nor half of a surrogate pair, which does not encode.
        is_other = b"\0" in f"{bucket}{identity.key}{etag}".encode()
    except (ValueError, TypeError, RecursionError, OverflowError):
        return None
    keeps_etag = metadata.get(_ETAG) != _NOT_KEPT and _HASH.fullmatch(etag) is not None and _is_hash(head)
    is_other |= identity.size_bytes != int(head["ContentLength"]) or (keeps_etag and etag != etag_of(head))
    if is_other or arrived_at.tzinfo is None:
        return None
    at_most = head["LastModified"].astimezone(UTC)
    return Carried(identity, min(in_utc, at_most), metadata.get(_PIPELINE))


def _is_hash(head: Mapping[str, Any]) -> bool:
    """Return whether an object's ETag is a hash of its bytes: not of its parts, and not of encrypted bytes.

    S3 uses MD5, other servers use others. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    is_encrypted = head.get("ServerSideEncryption", "AES256") != "AES256" or "SSECustomerAlgorithm" in head
    return not is_encrypted and _HASH.fullmatch(etag_of(head)) is not None
