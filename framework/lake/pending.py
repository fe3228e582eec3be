"""A pipeline's pending files, in the order in which they are loaded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from pathlib import PurePosixPath

from framework.dataclass import dataclass
from framework.lake.bucket import LakeObject
from framework.lake.lake import Lake
from framework.spec.pipeline import SourceSpec


@dataclass(frozen=True)
class Arrived:
    """The objects below a feed's prefix: its pending files in the order of loading, and unmatched keys."""

    pending: list[LakeObject]
    unmatched: list[str]


def list_arrived(lake: Lake, source: SourceSpec) -> Arrived:
    """Return the objects below the prefix that match the pattern, and those that neither match nor are ignored.

    Subfolders count; folder markers and names that start with `_` or `.` do not. Globs are
    matched against the name without its folder, in any case. The order is (LastModified, key),
    or the key where the spec says `order: name`.
    """
    prefix = lake.key(source.prefix)
    files = [found for found in lake.list_objects(prefix) if _is_file(found.key, prefix)]
    pending = [found for found in files if _is_taken(source, found.key)]
    others = {found.key for found in files} - {found.key for found in pending}
    unmatched = [key for key in sorted(others) if not _is_ignored(source, key)]
    return Arrived(in_order(pending, source), unmatched)


def is_file_of(lake: Lake, source: SourceSpec, key: str) -> bool:
    """Return whether the feed takes an object that arrives under this key, or the member of an archive called so."""
    prefix = lake.key(source.prefix)
    if not key.startswith(prefix) or not _is_file(key, prefix):
        return False
    archives = [str(folder) for folder in PurePosixPath(key).parents if len(str(folder)) > len(prefix)]
    is_in_archive = any(_is_taken(source, archive) for archive in archives) and is_member_of(source, key)
    return _is_taken(source, key) or is_in_archive


def why_not_taken(source: SourceSpec, name: str) -> str | None:
    """Return why the feed does not take a file of this name from its prefix; None where it does."""
    if name.startswith(("_", ".")):
        return "names that begin with _ or . are left alone in the lake"
    for glob in source.ignore:
        if _matches(glob, name):
            return f"source.ignore has {glob!r}, which leaves it out"
    return None if _matches(source.pattern, name) else f"it does not match source.pattern, which is {source.pattern!r}"


def is_member_of(source: SourceSpec, name: str) -> bool:
    """Return whether the feed takes a member of an archive that has this name there."""
    return _matches(source.members, _name(name)) and not _is_ignored(source, name)


def _is_taken(source: SourceSpec, key: str) -> bool:
    return _matches(source.pattern, _name(key)) and not _is_ignored(source, key)


def _is_ignored(source: SourceSpec, key: str) -> bool:
    return any(_matches(glob, _name(key)) for glob in source.ignore)


def _matches(pattern: str, name: str) -> bool:
    # `re` caches compiled patterns.
    return re.fullmatch(translate(pattern), name, re.IGNORECASE) is not None


def in_order(objects: Sequence[LakeObject], source: SourceSpec) -> list[LakeObject]:
    """Return objects in the order in which the spec loads them."""
    if source.order == "name":
        return sorted(objects, key=lambda found: found.key)
    return sorted(objects, key=lambda found: (found.modified_at, found.key))


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _is_file(key: str, prefix: str) -> bool:
    if key.endswith("/"):
        return False
    return not any(part.startswith(("_", ".")) for part in key.removeprefix(prefix).split("/"))
