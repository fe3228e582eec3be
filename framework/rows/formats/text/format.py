"""What a format of text is to the reader of splits: where its records begin, and how they are cut."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from framework.dataclass import dataclass
from framework.model.files import FileLayout
from framework.rows.chain import Borders, Region
from framework.rows.job import Split
from framework.rows.reasons import BAD_BYTES
from framework.rows.segments import SplitRecords

if TYPE_CHECKING:
    from framework.rows.bench import Bench

READ_WITH_BYTES = 64 * 1024
"""How far beyond its range a task reads with its range, where nearly every last record ends."""
READ_AHEAD_BYTES = tuple(size * 1024**2 for size in (1, 4, 16, 64))
"""How far it reads beyond that, piece by piece; in all more than the longest record."""

Fetch = Callable[[int, int], bytes | bytearray]
"""Returns the bytes of the file from a place up to another."""


class BrokenRecord(Exception):
    """A record after which no border can be trusted: its place in the split, from 1, and what is wrong."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


def broken_bytes(before: int) -> BrokenRecord:
    """Return the error for bytes that are not valid in the encoding, after this many records."""
    return BrokenRecord(before + 1, BAD_BYTES)


class BrokenText(Exception):
    """A file whose text is not what its options say; the message says why. `may_load`: with other options it might."""

    def __init__(self, reason: str, may_load: bool) -> None:
        super().__init__(reason)
        self.may_load = may_load


@dataclass(frozen=True)
class SplitText:
    """The text of a split's records, if the assumption is right under which it was read.

    `borders` is None where the region was known; `region` where no record begins in the split. `pieces` are the text
    in the file's encoding.
    """

    borders: Borders | None
    region: Region | None
    pieces: tuple[bytes | bytearray | memoryview, ...] = ()


def farthest_end(end: int) -> int:
    """Return how far a task reads at most for a split that ends there."""
    return end + READ_WITH_BYTES + sum(READ_AHEAD_BYTES)


class Cutter(Protocol):
    """Cuts one split, once."""

    def cut(self, text: Iterable[bytes], size_bytes: int, is_last: bool) -> SplitRecords:
        """Return the records of a text, UTF-8, that begins where a record does and ends where one ends.

        `size_bytes` is its size or more. `is_last` says that it ends where its file does.

        Raises:
            BrokenRecord: the file is broken.
            BrokenText: the file is not what its options say.
        """


class Extract(Protocol):
    """Takes the records out of a file's text."""

    @property
    def lines(self) -> int:
        """The number of lines left out at the file's end, once all records were yielded."""

    def records(self, text: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the text of the records. `text` is UTF-8 and begins where the file's rows do.

        Raises:
            BrokenText: the file is not what its options say.
        """


class TextFormat(Protocol):
    """A format whose files are text."""

    def read_split(self, layout: FileLayout, split: Split, fetch: Fetch) -> SplitText:
        """Return the records that begin in a range of a file, and its borders.

        The text of a last record that goes on for too long is cut off.
        """

    def extract(self, layout: FileLayout) -> Extract:
        """Return what takes the records out of the text of a file that is read from its start to its end."""

    def border_finder(self, layout: FileLayout) -> Callable[[bytes], int]:
        """Return a function that finds the place behind the last record of a text, 0 where none ends in it."""

    def cutter(self, layout: FileLayout, split: int, bench: Bench, stem: str) -> Cutter:
        """Return the cutter of a split. Its files are in the bench's folder, under names that begin with `stem`."""

    def fields(self, layout: FileLayout, record: str) -> Sequence[str | None]:
        """Return the fields of a malformed record of a file, None for NULL."""

    def fault(self, layout: FileLayout, record: str) -> str | None:
        """Return why a record is malformed; None where its number of fields or a NUL in one says it."""

    def lines(self, records: SplitRecords, places: Collection[int]) -> Mapping[int, int]:
        """Return by its place how many lines of the split stand before a record."""
