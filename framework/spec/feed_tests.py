"""The tests of a feed as values. Its owner writes them in `pipelines/tests/<name>.yml`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Final, Literal

from framework.dataclass import dataclass
from framework.model.column_type import ColumnType

Place = tuple[int, int]
"""Line and column of the test file, from 1."""
Cell = str | None
"""A value as text; None is NULL."""
Part = Literal["rejects", "errors", "changes", "loads", "warnings"]
PARTS: Final[tuple[Part, ...]] = ("rejects", "errors", "changes", "loads", "warnings")
"""The lists of an expectation, in the order in which differences are shown."""


@dataclass(frozen=True)
class Entry:
    """A row, or an entry of a list, as it is written. `places` are those of its values, `place` is its own."""

    cells: Mapping[str, Cell]
    place: Place
    places: Mapping[str, Place]


@dataclass(frozen=True)
class ExpectedColumn:
    """A column that the table must have."""

    name: str
    type: ColumnType
    place: Place


@dataclass(frozen=True)
class ExpectedColumns:
    """The columns that the table must have, in their order, with the place of their mapping."""

    columns: tuple[ExpectedColumn, ...]
    place: Place


@dataclass(frozen=True)
class Listed:
    """A list of an expectation, with its place."""

    entries: tuple[Entry, ...]
    place: Place


@dataclass(frozen=True)
class GivenTable:
    """The target before the first load."""

    columns: Mapping[str, ColumnType]
    rows: tuple[Entry, ...]
    place: Place


@dataclass(frozen=True)
class GivenStatement:
    """A statement that runs before the first load."""

    sql: str
    place: Place


@dataclass(frozen=True)
class GivenFile:
    """A file of a feed: its name below the feed's prefix, and its bytes or the file that holds them."""

    name: str
    content: bytes | Traversable
    place: Place

    def read(self) -> bytes:
        """Return the bytes."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


@dataclass(frozen=True)
class Expected:
    """What a test expects after its last load; None is not compared.

    Rows name the columns that are compared. An entry of a list names the fields that are compared.
    """

    rows: Listed | None
    columns: ExpectedColumns | None
    lists: Mapping[Part, Listed]
    place: Place


@dataclass(frozen=True)
class FeedTest:
    """One test. Each of `loads` has files that arrive together, after the load of those before."""

    name: str
    place: Place
    table: GivenTable | None
    statements: tuple[GivenStatement, ...]
    loads: tuple[tuple[GivenFile, ...], ...]
    expected: Expected


@dataclass(frozen=True)
class FeedTests:
    """The tests of a feed; `path` is how messages name their file."""

    pipeline: str
    path: str
    tests: tuple[FeedTest, ...]
