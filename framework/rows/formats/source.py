"""A file as a format first sees it, and what the format makes of it before any row is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from framework.dataclass import dataclass
from framework.model.file_options import FileOptions
from framework.model.files import FieldType, RowGroup, RowsStart, SourceFile
from framework.rows.formats.recognise import Beginning
from framework.spec.pipeline import SourceSpec

if TYPE_CHECKING:
    from framework.rows.formats.reader import Reader

Fetch = Callable[[int, int], bytes | bytearray]
"""Returns the bytes of the file from a place up to another."""


@dataclass(frozen=True)
class Source:
    """A file, or the member of an archive, by its beginning.

    `fetch` reads other parts of a file that is not packed. `tried` is the encoding in which the rest of it turned out
    not to be valid: one that the spec names after it is taken.
    """

    file: SourceFile
    spec: SourceSpec
    beginning: Beginning
    fetch: Fetch
    tried: str | None = None


@dataclass(frozen=True)
class Look:
    """What a file's beginning says of it; see FileLayout.

    `header` has the raw names of the fields, None where only the records name them. `options` are resolved for the
    file. `text` is the file's first text behind skipped lines, for formats that have some; `is_all` says that it is all
    of it. `unpacked_bytes` is what a format that packs its rows says that they take.
    """

    header: tuple[str, ...] | None
    options: FileOptions
    rows_start: RowsStart
    text: str = ""
    is_all: bool = False
    paths: tuple[str, ...] = ()
    types: tuple[FieldType, ...] = ()
    row_groups: tuple[RowGroup, ...] = ()
    unpacked_bytes: int = 0


class UnreadHeader(ValueError):
    """A header that cannot be read; `look` is what is seen of the file without it."""

    def __init__(self, reason: ValueError, look: Look) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.look = look


class SourceFormat(Protocol):
    """A format of files."""

    @property
    def reader(self) -> Reader:
        """What reads the rows."""

    def look(self, source: Source) -> Look | None:
        """Return what a file's beginning says of it; None where more of it is needed.

        Raises:
            ValueError: it cannot be read as the spec says.
            BrokenFile: no spec could read it.
        """
