"""Which loaded files come after one that is still to be loaded, where the order of files decides which rows stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from framework.schema.values import SourceFile


@dataclass(frozen=True)
class EnteredFile:
    """A loaded file as the ledger has it. `arrived_at` is UTC, None of corrected rows, which are no delivery."""

    identity_sha256: str
    generation: int
    key: str
    arrived_at: datetime | None


@dataclass(frozen=True)
class Precedence:
    """By what one file comes after another: its arrival, its name, or, with both, by each of the two.

    Names are compared below `folder`, a key prefix. Arrivals are known to the second, and within one
    second none is after another.
    """

    by_arrival: bool
    by_name: bool
    folder: str = ""

    def is_after(self, entered: EnteredFile, file: SourceFile) -> bool:
        """Say whether a loaded file comes after one that is to be loaded."""
        if entered.arrived_at is None:
            return False
        is_later = not self.by_arrival or entered.arrived_at > file.arrived_at
        is_below = entered.key.startswith(self.folder)
        return is_later and (not self.by_name or (is_below and entered.key > file.identity.key))

    def bounds(self, files: Sequence[SourceFile]) -> dict[str, object]:
        """Return what a loaded file must exceed to come after one of the files, for guard_order."""
        keys = [file.identity.key for file in files]
        # By both, a file is sure to come after one of them only if its name comes after all.
        key = max(keys) if self.by_arrival else min(keys)
        return {
            "arrived_at": min(file.arrived_at for file in files) if self.by_arrival else None,
            "key": key if self.by_name else None,
            "folder": self.folder,
        }


def was_delivered_again(file: SourceFile, entered: Sequence[EnteredFile]) -> bool:
    """Say whether a file that was loaded has arrived once more, with another one under its name in between.

    The same bytes that arrive again and again are one delivery that somebody repeats. Where something else
    stood under the key meanwhile, they are a new one: the source has gone back to what it was.
    """
    own = [each.arrived_at for each in entered if each.identity_sha256 == file.identity.sha256 and each.arrived_at]
    if not own or file.arrived_at <= max(own):
        return False
    return any(
        each.arrived_at is not None
        and each.identity_sha256 != file.identity.sha256
        and max(own) <= each.arrived_at <= file.arrived_at
        for each in entered
        if each.key == file.identity.key
    )
