"""What a test of a feed has found."""

from __future__ import annotations

from collections.abc import Mapping

from framework.dataclass import dataclass
from framework.model.column_type import ColumnType
from framework.spec.feed_tests import Cell, Part, Place

FoundEntry = Mapping[str, Cell]
"""An entry of a list, by the fields that a test may expect of it."""


@dataclass(frozen=True)
class FoundColumn:
    """A column of the table; `type` is None where Feedway cannot load it."""

    name: str
    type: ColumnType | None
    type_text: str


@dataclass(frozen=True)
class Outcome:
    """The table after the last load, and what all loads did. No column means that there is no table."""

    columns: tuple[FoundColumn, ...]
    rows: tuple[Mapping[str, Cell], ...]
    lists: Mapping[Part, tuple[FoundEntry, ...]]


@dataclass(frozen=True)
class Difference:
    """One thing that is not as expected. `part` is the part of the test, `place` where the test has it."""

    part: str
    place: Place
    message: str
