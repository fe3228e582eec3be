"""Precedence: whether a loaded file comes after one to load, where the order of files decides which rows stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from framework.dataclass import dataclass
from framework.model.files import SourceFile
from framework.spec.pipeline import PipelineSpec


@dataclass(frozen=True)
class EnteredFile:
    """A loaded file in the ledger. Times are UTC.

    `arrived_at` is None for corrected rows, which are not a delivery.
    """

    identity_sha256: str
    generation: int
    key: str
    arrived_at: datetime | None
    run_id: str
    loaded_at: datetime


@dataclass(frozen=True)
class SeenFile:
    """A file in the audit, whatever its status. `arrived_at` is UTC."""

    key: str
    etag: str
    size_bytes: int
    arrived_at: datetime


@dataclass(frozen=True)
class Precedence:
    """The order of files: by arrival, by name, or, with both, by each of the two.

    Names are compared below `folder`, a key prefix. Arrivals are exact to the second: files of one
    second are not ordered.
    """

    by_arrival: bool
    by_name: bool
    folder: str = ""

    def is_after(self, entered: EnteredFile, file: SourceFile) -> bool:
        """Return whether a loaded file comes after one to load."""
        if entered.arrived_at is None:
            return False
        is_later = not self.by_arrival or entered.arrived_at > file.arrived_at
        is_below = entered.key.startswith(self.folder)
        return is_later and (not self.by_name or (is_below and entered.key > file.identity.key))

    def bounds(self, files: Sequence[SourceFile]) -> dict[str, object]:
        """Return the bounds that every loaded file exceeds which comes after one of the files, for guard_order.

        By arrival and name together, a file may exceed both bounds and still come after none of the files.
        """
        return {
            "arrived_at": min(file.arrived_at for file in files) if self.by_arrival else None,
            "key": min(file.identity.key for file in files) if self.by_name else None,
            "folder": self.folder,
        }


def deciding_order(spec: PipelineSpec, folder: str, *, is_picked: bool) -> Precedence | None:
    """Return the order of a feed's files; None where it does not matter.

    The order decides which rows stay in replace mode, and in upsert mode without `order_by`. A feed ordered by name
    often receives files under the names of earlier deliveries, so a loaded file comes after them only if it arrived
    later too; where the user has picked the files, only the name counts. `folder` is the feed's key prefix.
    """
    if not spec.load.mode.order_decides(has_order_by=bool(spec.load.order_by)):
        return None
    return Precedence(not is_picked, True, folder) if spec.source.order == "name" else Precedence(True, False)


def was_delivered_again(
    file: SourceFile, entered: Sequence[EnteredFile], seen: Sequence[SeenFile], replaces: bool
) -> bool:
    """Return whether a file whose bytes were loaded under its name is a delivery of its own.

    Re-uploads of identical content are one delivery, unless another version was seen in between: then the
    source has returned to earlier content. In replace mode each later arrival is new: the table may have changed.
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
