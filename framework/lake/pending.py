"""Which objects of the lake are a pipeline's pending files, and in which order they are loaded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate

from framework.lake.s3 import Lake, LakeObject
from framework.spec.pipeline import SourceSpec


def list_pending(lake: Lake, source: SourceSpec) -> list[LakeObject]:
    """Return the objects below the prefix that match the pattern, in the order of loading.

    Subfolders count; folder markers and names that start with `_` or `.` do not. The pattern is
    matched against the name without its folder, in any case. The order is (LastModified, key),
    or the key where the spec says `order: name`.
    """
    pending = [found for found in lake.list_objects(lake.key(source.prefix)) if is_file_of(lake, source, found.key)]
    return in_order(pending, source)


def is_file_of(lake: Lake, source: SourceSpec, key: str) -> bool:
    """Say whether the feed takes an object that arrives under this key."""
    prefix = lake.key(source.prefix)
    return key.startswith(prefix) and _is_file(key, prefix) and _matches(source.pattern, _name(key))


def _matches(pattern: str, name: str) -> bool:
    # `re` keeps the patterns it has compiled.
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
