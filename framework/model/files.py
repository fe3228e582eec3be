"""Source files: what arrived, and how its fields are named."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from framework.model.csv_options import CsvOptions
from framework.model.load_warning import LoadWarning

CORRECTION_MARK = "corrected-"
"""Opens the ETag in the identity of corrected rows, which are known as a file of their own but are no delivery."""


@dataclass(frozen=True)
class FileIdentity:
    """The identity of a source file: where it arrived, its ETag (unquoted) and its size.

    A file that Feedway moved keeps the identity it arrived with.
    """

    bucket: str
    key: str
    etag: str
    size_bytes: int

    @property
    def is_correction(self) -> bool:
        """Whether this is the identity of corrected rows, whose header names the target's columns."""
        return self.etag.startswith(CORRECTION_MARK)

    @property
    def sha256(self) -> str:
        """The identity as 64 hex characters, as in the ledger."""
        text = "\0".join((self.bucket, self.key, self.etag, str(self.size_bytes)))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class SourceFile:
    """An object as it is in the lake now. Times are UTC.

    `key` and `etag` are of the object as it is now; `identity` and `arrived_at` are those of its
    arrival, which differ once Feedway has moved it. `moved_by` is the pipeline that moved it.
    """

    bucket: str
    key: str
    etag: str
    size_bytes: int
    modified_at: datetime
    identity: FileIdentity
    arrived_at: datetime
    moved_by: str | None = None

    @property
    def url(self) -> str:
        """The object's address, unquoted, as people read it."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class RowsStart:
    r"""The place where a file's rows begin, behind skipped lines and header.

    `at` counts bytes: of the file where it `is_divisible`, else of its text in UTF-8 without a byte order mark.
    `line` is the physical line there, the file's first being 1. `line_end` is the end of the header's line:
    `\r`, or `\n`, which stands for CR LF too. A file that is not divisible is read from its first byte on.
    """

    at: int
    line: int
    line_end: str
    is_divisible: bool


@dataclass(frozen=True)
class FileLayout:
    """One source file of a load and what its fields mean.

    `columns` names every field of the file in order, after cleaning and renaming; columns that
    the spec excludes are named too, and skipped because nothing asks for them. `name` is what
    the `file_name` column holds. `header` has the text of each field's header as the file has it; it is empty for
    corrected rows, whose header is Feedway's.
    """

    file: SourceFile
    ordinal: int
    name: str
    columns: tuple[str, ...]
    is_gzip: bool
    rows_start: RowsStart
    header: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceBatch:
    """The source files of one load, at least one; they may differ in their columns.

    With `sample_rows` each file is read until it has yielded as many rows, a few more, or all it has. With
    `needs_last_line_end` a file whose last line has no end is broken. `warnings` are about the files' headers.
    """

    files: tuple[FileLayout, ...]
    options: CsvOptions
    sample_rows: int | None = None
    needs_last_line_end: bool = False
    warnings: tuple[LoadWarning, ...] = ()
