"""The requests that a load can have."""

from __future__ import annotations

from framework.dataclass import dataclass
from framework.model.files import SourceFile


@dataclass(frozen=True)
class Accepted:
    """Properties that are accepted of a file that would otherwise be rejected.

    `out_of_order`: a newer file is loaded. `shrink`: it replaces the table with few rows. `new_columns`: none of its
    columns is in the table.
    """

    out_of_order: bool = False
    shrink: bool = False
    new_columns: bool = False


NOTHING_ACCEPTED = Accepted()


@dataclass(frozen=True)
class Pending:
    """All pending files."""


@dataclass(frozen=True)
class Replacement:
    """A pending file that is loaded in the place of one that was set aside, which is archived then.

    It counts as if it had arrived when that one did. `key` is its own; None stands for the key under which that one
    arrived.
    """

    instead_of: str
    key: str | None = None
    accepted: Accepted = NOTHING_ACCEPTED


@dataclass(frozen=True)
class OneFile:
    """One object of the lake, by key or address; `again` loads it even if the ledger holds it."""

    key: str
    again: bool = False
    accepted: Accepted = NOTHING_ACCEPTED


@dataclass(frozen=True)
class Unprocessed:
    """The files that were set aside, or one of them."""

    key: str | None = None
    accepted: Accepted = NOTHING_ACCEPTED


@dataclass(frozen=True)
class Corrections:
    """Corrected rows, as a file in the lake.

    A row loses against the target's row with its key, unless `order_by` puts it first, and a file that fails stays
    where it is. `address` is the file that they were sent in, and `places` says of each record where it stands there.
    """

    key: str
    address: str
    places: tuple[str, ...]


@dataclass(frozen=True)
class Arriving:
    """Files of this machine, in order, as if they had just arrived and were all that is pending. For plans only."""

    files: tuple[SourceFile, ...]


LoadRequest = Pending | Replacement | OneFile | Unprocessed | Corrections | Arriving


def accepted_by(request: LoadRequest) -> Accepted:
    """Return the properties that are accepted of the files."""
    match request:
        case Replacement(accepted=accepted) | OneFile(accepted=accepted) | Unprocessed(accepted=accepted):
            return accepted
        case Pending() | Corrections() | Arriving():
            return NOTHING_ACCEPTED


def is_again(request: LoadRequest) -> bool:
    """Return whether a file is loaded again, whatever the ledger holds."""
    return isinstance(request, OneFile) and request.again


def names_files(request: LoadRequest) -> bool:
    """Return whether the request names its files, which may then be older than loaded ones."""
    return not isinstance(request, Pending | Arriving)
