"""The manifest of a COPY: which staging files to load, and how large they are.

Source: https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from framework.sandbox.data_api.spectrum_error import manifest_error
from framework.sandbox.redshift_sql import Refused

_ENTRY_MEMBERS = frozenset({"url", "mandatory", "meta"})


@dataclass(frozen=True)
class ManifestEntry:
    """One staging file. `content_length` is the size in bytes that the manifest states."""

    bucket: str
    key: str
    mandatory: bool
    content_length: int


def read_manifest(content: bytes) -> tuple[ManifestEntry, ...]:
    """Return the entries, in their order; a file that is listed twice is there twice.

    Raises:
        Refused: it is no manifest, or lacks the sizes that Parquet needs.
    """
    try:
        document = json.loads(content)
    except ValueError as error:
        raise _bad(f"it is no JSON: {error}") from error
    entries = document.get("entries") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise _bad("it has no list of entries")
    unknown = set(document) - {"entries"}
    if unknown:
        raise _bad(f"it has the unknown member {sorted(unknown)[0]!r}")
    return tuple(_read_entry(entry) for entry in entries)


def split_url(url: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://` address.

    Raises:
        Refused: it is none, or names no object.
    """
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket or not key:
        raise Refused(f"MANIFEST needs a full path to S3 objects, found {url!r}", "XX000")
    return bucket, key


def _read_entry(entry: Any) -> ManifestEntry:
    if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
        raise _bad("an entry has no url")
    unknown = set(entry) - _ENTRY_MEMBERS
    if unknown:
        raise _bad(f"the entry {entry['url']} has the unknown member {sorted(unknown)[0]!r}")
    mandatory = entry.get("mandatory", False)
    if not isinstance(mandatory, bool):
        raise _bad(f"mandatory of the entry {entry['url']} is neither true nor false")
    bucket, key = split_url(entry["url"])
    return ManifestEntry(bucket, key, mandatory, _content_length(entry))


def _content_length(entry: dict[str, Any]) -> int:
    meta = entry.get("meta")
    if meta is None:
        raise manifest_error("File entry does not have 'meta' key.")
    length = meta.get("content_length") if isinstance(meta, dict) else None
    if length is None:
        raise manifest_error("'meta' key of file entry does not have 'content_length' key.")
    if not isinstance(length, int) or isinstance(length, bool) or length < 0:
        raise _bad(f"content_length of the entry {entry['url']} is no number of bytes")
    return length


def _bad(reason: str) -> Refused:
    return Refused(f"Problem reading manifest file - {reason}", "XX000")
