"""Staging columns: the source and the type of each value in the staging files."""

from __future__ import annotations

from datetime import datetime

from framework.dataclass import dataclass
from framework.model.column_type import ColumnType
from framework.model.notation import PLAIN, Notation

FILE_COLUMN = "feedway_file"
"""Staging only: ordinal of the source file in its load, from 0. INTEGER."""
ROW_COLUMN = "feedway_row"
"""Staging only: the record's place in its file; larger is later, never equal. BIGINT."""


@dataclass(frozen=True)
class FromFile:
    """The field of the same name; rows of files without that field get `fill` (None: NULL).

    `fill` is text like the file's own and goes through the same cast.
    """

    fill: str | None = None


@dataclass(frozen=True)
class Constant:
    """The same text in every row; None is NULL. It goes through the same cast as the files' texts."""

    text: str | None


@dataclass(frozen=True)
class RunDate:
    """One UTC timestamp for every row of the load; microseconds are kept."""

    at: datetime


@dataclass(frozen=True)
class FileName:
    """The `name` of the row's FileLayout."""


@dataclass(frozen=True)
class StagingColumn:
    """One column of the staging files: the source and the type of its values.

    A text is a misfit when `text.accepted_text(type)` (or the format's expression) refuses it,
    when the value is out of the type's range, or when a CHAR or VARCHAR text has more bytes than
    the type. With `exact` a number is a misfit too that the nearest DOUBLE or REAL would not give back as it
    was written. `required` columns are upsert keys: their NULLs make a row bad. The length of
    VARCHAR columns is measured only with `measure_length`.
    """

    name: str
    type: ColumnType
    value: FromFile | Constant | RunDate | FileName
    notation: Notation = PLAIN
    required: bool = False
    measure_length: bool = False
    exact: bool = False
