"""What a format is to the row engine: a reader of splits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

from framework.model.files import FileLayout
from framework.rows.bench import Bench, KeptSplit
from framework.rows.job import Fault, Job, Split
from framework.rows.segments import SplitRecords


class Stream(Protocol):
    """A file that is read from its start to its end."""

    @property
    def fault(self) -> Fault | None:
        """What is wrong with the file as a whole, once all of it was read."""

    @property
    def footer_lines(self) -> int:
        """The number of lines that are no rows at its end, once all of it was read."""

    def splits(self) -> Iterator[object]:
        """Yield what each split is cut of, as it arrives; of a sample no more than it needs."""

    def cut(self, number: int, split: Any) -> KeptSplit:
        """Return the records of one that was yielded, in local files; None where it is broken. Threads may call it."""


class Reader(Protocol):
    """Reads the files of a batch. What a file is to blame for is part of a report."""

    def read(self, job: Job[Any], split: Split, bench: Bench) -> KeptSplit:
        """Return the records of a split, in local files; None where there are none, or it is broken."""

    def stream(self, job: Job[Any], layout: FileLayout, bench: Bench) -> Stream:
        """Return the stream of a file that is not divisible."""

    def fields(self, layout: FileLayout, record: str) -> Sequence[str | None]:
        """Return the fields of a malformed record of a file, None for NULL."""

    def fault(self, layout: FileLayout, record: str) -> str | None:
        """Return why a record is malformed; None where its number of fields or a NUL in one says it."""

    def damage(self, records: SplitRecords, bench: Bench) -> Fault | None:
        """Return what is wrong with a split, once its rows could not be read; None where the file is not to blame."""

    def lines(self, records: SplitRecords, places: Collection[int]) -> Mapping[int, int]:
        """Return by its place how many lines of the split stand before a record."""
