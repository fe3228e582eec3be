"""Which loaded files come after one that is still to be loaded, where the order of files decides which rows stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from framework.model.files import SourceFile
from framework.spec.pipeline import PipelineSpec


@dataclass(frozen=True)
class EnteredFile:
    """A loaded file as the ledger has it. Times are UTC.

    `arrived_at` is None of corrected rows, which are no delivery.
    """

    identity_sha256: str
    generation: int
    key: str
    arrived_at: datetime | None
    run_id: str
    loaded_at: datetime


@dataclass(frozen=True)
class SeenFile:
    """A file as the audit has it, whatever came of it. `arrived_at` is UTC."""

    key: str
    etag: str
    size_bytes: int
    arrived_at: datetime


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
        """Return whether a loaded file comes after one that is to be loaded."""
        if entered.arrived_at is None:
            return False
        is_later = not self.by_arrival or entered.arrived_at > file.arrived_at
        is_below = entered.key.startswith(self.folder)
        return is_later and (not self.by_name or (is_below and entered.key > file.identity.key))

    def bounds(self, files: Sequence[SourceFile]) -> dict[str, object]:
        """Return what every loaded file exceeds that comes after one of the files, for guard_order.

        By both arrival and name, one that exceeds both may come after none of several files.
        """
        return {
            "arrived_at": min(file.arrived_at for file in files) if self.by_arrival else None,
            "key": min(file.identity.key for file in files) if self.by_name else None,
            "folder": self.folder,
        }


def deciding_order(spec: PipelineSpec, folder: str, *, is_picked: bool) -> Precedence | None:
    """Return by what a loaded file comes after others of a feed; None where their order decides nothing.

    It decides which rows stay in replace mode, and in upsert mode without `order_by`. Of a feed that is ordered by
    name, pending files with the names of earlier deliveries are usual, so a loaded one comes after them only if it
    arrived later too; where somebody has picked the files, only its name counts. `folder` is the key prefix of a feed.
    """
    if not spec.load.mode.order_decides(has_order_by=bool(spec.load.order_by)):
        return None
    return Precedence(not is_picked, True, folder) if spec.source.order == "name" else Precedence(True, False)


def was_delivered_again(
    file: SourceFile, entered: Sequence[EnteredFile], seen: Sequence[SeenFile], replaces: bool
) -> bool:
    """Return whether a file whose bytes were loaded under its name is a delivery of its own.

    The same bytes that arrive again and again are one delivery that somebody repeats. Where something else
    stood under the key in between, whatever came of it, they are another: the source has gone back to
    what it was. A file that replaces the table is one whenever it arrives later, for who knows what the
    table holds by now.
    """
    own = [each.arrived_at for each in entered if each.identity_sha256 == file.identity.sha256 and each.arrived_at]
    if not own or file.arrived_at in own:
        return False
    if replaces and file.arrived_at > max(own):
        return True
    others = [
        each.arrived_at
        for each in seen
        if each.key == file.identity.key
        and (each.etag, each.size_bytes) != (file.identity.etag, file.identity.size_bytes)
    ]
    before = max((at for at in own if at < file.arrived_at), default=None)
    after = min((at for at in own if at > file.arrived_at), default=None)
    return (before is None or any(before < at < file.arrived_at for at in others)) and (
        after is None or any(file.arrived_at < at < after for at in others)
    )
