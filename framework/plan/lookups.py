"""Lookups: what a planner still needs to know of the warehouse, as values.

A planner that cannot decide returns all lookups that it can name at that point; the caller answers them and replans.
"""

from __future__ import annotations

from framework.dataclass import dataclass
from framework.model.names import TableName


@dataclass(frozen=True)
class CountRows:
    """The target's row count: `Observation.row_count`."""


@dataclass(frozen=True)
class ReadDesign:
    """The design that a copy of the target must have to replace it: `Observation.design`."""


@dataclass(frozen=True)
class CompareViews:
    """The views that keep their columns under a new definition: `Observation.replaceable`, for those in `compared`."""

    definitions: tuple[tuple[TableName, str], ...]


@dataclass(frozen=True)
class ReadViews:
    """The definition, owner, privileges and comments of views, to restore them as they are: `Observation.views`."""

    views: tuple[TableName, ...]


@dataclass(frozen=True)
class FindFilledColumns:
    """The columns of the target with a value in any row: `Observation.filled`."""

    columns: tuple[str, ...]


Lookup = CountRows | ReadDesign | CompareViews | ReadViews | FindFilledColumns
