"""The lake: a bucket in which files move, and none is deleted before a copy of its bytes was seen elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from framework.errors import WarehouseError
from framework.lake.archive_names import names_for
from framework.lake.bucket import Bucket, is_object, is_single_copy
from framework.lake.conditions import honours_conditions
from framework.lake.identity import moved_metadata
from framework.model.files import SourceFile

_MOST_NAMES = 10


class Lake(Bucket):
    """The bucket and prefix of an environment."""

    def move(self, file: SourceFile, folder: str, run_id: str, pipeline: str) -> str | None:
        """Move a file into a folder of the lake; return its new key, None if the file was replaced.

        The copy carries the identity the file arrived with. Where the name is taken, a digest of the
        identity goes before its ending; a copy that an expired run left is used. The original is
        deleted only after a head has shown the complete copy, and only while it is still the object
        that was read. Each call is conditional. Where the server may ignore conditions, a head shows
        first that the name is free and that the original is unchanged. A file that replaces the original
        between two calls, or a process that takes the name, goes unnoticed there.
        """
        head = self.head(file.key)
        if head is None or not is_object(head, file):
            return None
        is_safe = honours_conditions(head)
        metadata = moved_metadata(file, head, run_id, pipeline)
        key = self.key(f"{folder}/{file.key.rpartition('/')[2]}")
        target = self._copied(file, key, metadata, names_are_safe=is_safe and is_single_copy(file))
        if target is None:
            return None
        copy = self.describe(target)
        is_whole = _is_copy(copy, file)
        if is_whole and (is_safe or self.is_unchanged(file)) and self.delete_unchanged(file):
            return target
        left = self.head(file.key)
        if left is None and is_whole:
            # It was deleted and the reply was lost, or another run has moved it.
            return target
        if left is not None and is_object(left, file) and not is_whole:
            raise WarehouseError(f"{self.url(target)}: the copy of {file.url} is not complete; the original stays")
        if copy is not None and (not is_whole or _holds_successor(copy, file, left)):
            self.delete([target])
        return None

    def _copied(self, file: SourceFile, key: str, metadata: Mapping[str, str], *, names_are_safe: bool) -> str | None:
        """Return the key of a file's copy, found or made; None where the file was replaced.

        With `names_are_safe` the server refuses a copy to a name that is taken.
        """
        names = names_for(key, file.identity, file.arrived_at)
        for target in islice(names, _MOST_NAMES):
            with self.reservations.reserved(target) as is_ours:
                there = self.describe(target) if is_ours and not names_are_safe else None
                if is_ours and there is None:
                    if self.copy(file, target, metadata):
                        return target
                    # The name is taken, or this call succeeded and its reply was lost; else the file was replaced.
                    there = self.describe(target)
                    if there is None and not self.is_unchanged(file):
                        return None
                if _is_copy(there, file):
                    return target
        raise WarehouseError(
            f"{file.url} was not copied: all {_MOST_NAMES} names it could have, up to {self.url(target)}, are taken by "
            f"other objects. Move these away; the next run archives the file."
        )


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
    return left is not None and copy.etag != file.etag and is_object(left, copy)
