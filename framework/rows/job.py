"""What a task is given and what it returns, as values that can be pickled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

from framework.dataclass import dataclass
from framework.model.files import SourceBatch
from framework.rows.chain import Borders, Region
from framework.rows.protocol import ObjectStore
from framework.rows.segments import SplitRecords

if TYPE_CHECKING:
    from framework.rows.bench import Bench

Found = TypeVar("Found")


class Work(Protocol[Found]):
    """What a pass makes of records."""

    def do(self, job: Job[Found], bench: Bench, records: Sequence[SplitRecords], name: str) -> Found:
        """Return what is found in at least one split's records. Every attempt at them has the same `name`."""


@dataclass(frozen=True)
class Job(Generic[Found]):
    """What all tasks of a round share.

    `split_bytes` is the size at which a stream is cut. In a pass that `is_later`, all borders are known.
    """

    store: ObjectStore
    batch: SourceBatch
    split_bytes: int
    work: Work[Found]
    round: int = 1
    is_later: bool = False


@dataclass(frozen=True)
class Split:
    """A range of a source file, in bytes, with the records that begin in it; or a whole stream, which is not divided.

    `number` counts the splits of its file from 0; the splits of a stream are cut as it arrives, and this one stands
    for all. With `begins_record` it is known that a record begins at `start`; `region` is proven where it is given.
    """

    file: int
    number: int
    start: int
    end: int
    begins_record: bool = False
    region: Region | None = None

    @property
    def place(self) -> tuple[int, int]:
        """The file and the number."""
        return self.file, self.number


@dataclass(frozen=True)
class Task:
    """The splits that one task reads: one, or several whole files."""

    splits: tuple[Split, ...]

    @property
    def size_bytes(self) -> int:
        """The bytes of the files that it reads."""
        return sum(split.end - split.start for split in self.splits)


@dataclass(frozen=True)
class Fault:
    """Why a file cannot be loaded: at a record, by its place in the split, or, without one, as a whole.

    `spec` says that the file may be sound, and another spec load it; `gone`, that it is not what was listed. `part` is
    its place among the parts of its file.
    """

    kind: Literal["record", "whole", "spec", "last line end", "gone"]
    reason: str
    place: int = 0
    part: int = 0


@dataclass(frozen=True)
class SplitReport:
    """What a task found of a split; it counts only if its region is proven.

    `borders` is None where the region was known. `region` is None where no record begins in the split, and in a
    stream, which is read from its start to its end. `part` is its place among the parts of its file: records and lines
    are counted in each part. `footer_lines` counts the lines at a file's end that are no rows.
    """

    file: int
    split: int
    part: int = 0
    borders: Borders | None = None
    region: Region | None = None
    records: int = 0
    malformed: int = 0
    line_ends: int = 0
    footer_lines: int = 0
    fault: Fault | None = None

    @property
    def place(self) -> tuple[int, int]:
        """The file and the split."""
        return self.file, self.split


@dataclass(frozen=True)
class TaskResult(Generic[Found]):
    """What a task returns: a report of each split, and what its work found in groups of them."""

    reports: tuple[SplitReport, ...]
    found: tuple[Found, ...] = ()
