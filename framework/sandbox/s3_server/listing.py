"""ListObjectsV2: the objects of a bucket in the order of their keys, page by page."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from framework.sandbox.s3_server.keys import is_file_key
from framework.sandbox.s3_server.objects import Objects, StoredObject
from framework.sandbox.s3_server.s3_error import invalid, not_supported

MAX_PAGE = 1000
_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True)
class Listing:
    """What is asked for. `after`: only what comes behind it. `delimiter` is `/` or empty."""

    prefix: str
    delimiter: str
    after: str
    size: int


@dataclass(frozen=True)
class Page:
    """Objects and common prefixes in order; `token` continues behind them, None where there are no more."""

    objects: tuple[StoredObject, ...]
    common_prefixes: tuple[str, ...]
    token: str | None


def read_listing(query: Mapping[str, str]) -> Listing:
    """Return what the parameters of a request ask for."""
    delimiter = query.get("delimiter", "")
    if delimiter not in ("", "/"):
        raise not_supported(f"The delimiter {delimiter!r}")
    size = query.get("max-keys", str(MAX_PAGE))
    if not size.isdecimal():
        raise invalid(f"max-keys must be a number, not {size!r}")
    token = query.get("continuation-token")
    after = query.get("start-after", "") if token is None else _read_token(token)
    return Listing(query.get("prefix", ""), delimiter, after, min(int(size), MAX_PAGE))


def list_page(objects: Objects, bucket: str, listing: Listing) -> Page:
    """Return the next page."""
    found: list[StoredObject] = []
    prefixes: list[str] = []
    last = ""
    for name in _names(objects.bucket_folder(bucket), listing) if listing.size else ():
        if len(found) + len(prefixes) == listing.size:
            return Page(tuple(found), tuple(prefixes), _token(last))
        if name.endswith("/"):
            prefixes.append(name)
        elif (described := objects.describe(bucket, name)) is not None:
            found.append(described)
        last = name
    return Page(tuple(found), tuple(prefixes), None)


def _token(last: str) -> str:
    after = last + _LAST_CHARACTER if last.endswith("/") else last
    return base64.urlsafe_b64encode(after.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise invalid("The continuation token provided is incorrect") from error


def _names(bucket_folder: Path, listing: Listing) -> Iterator[str]:
    """Yield keys and, each with a `/` at its end, common prefixes."""
    above = listing.prefix.rpartition("/")[0]
    if not above:
        return _below(bucket_folder, "", listing)
    folder = bucket_folder / above
    if not is_file_key(above) or os.path.realpath(folder) != str(folder):
        return iter(())
    return _below(folder, above + "/", listing)


def _below(folder: Path, base: str, listing: Listing) -> Iterator[str]:
    for name in _sorted_names(folder):
        key = base + name
        if not name.endswith("/"):
            if key.startswith(listing.prefix) and key > listing.after and is_file_key(key):
                yield key
        elif _may_hold(key, listing):
            below = _below(folder / name, key, listing)
            if not listing.delimiter or len(key) <= len(listing.prefix):
                yield from below
            elif next(below, None) is not None:
                yield key


def _may_hold(folder_key: str, listing: Listing) -> bool:
    is_in_prefix = folder_key.startswith(listing.prefix) or listing.prefix.startswith(folder_key)
    is_ahead = folder_key > listing.after or listing.after.startswith(folder_key)
    return is_in_prefix and is_ahead and is_file_key(folder_key[:-1])


def _sorted_names(folder: Path) -> list[str]:
    """Return the files and, with a `/` at their end, the folders in a folder, in the order of the keys."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name
                for entry in entries
                if not entry.is_symlink()
            )
    except OSError:
        return []
