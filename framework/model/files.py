"""Source files: what arrived, and how its fields are named."""

from __future__ import annotations

import hashlib
from dataclasses import field
from datetime import datetime
from typing import Literal

from framework.dataclass import dataclass
from framework.model.column_type import ColumnType
from framework.model.file_options import ExcelOptions, FileOptions, ParquetOptions
from framework.model.load_warning import LoadWarning

Packing = Literal["gzip", "bz2", "xz", "zstd", "zip"]
Compression = Literal["auto", "none", "gzip", "bz2", "xz", "zstd", "zip"]
"""What a spec says of a feed's packing."""
PACKING_FACTOR = 10
"""Assumed ratio of a packed file's text to its size: repetitive text compresses to a tenth."""
_LEAST_UNPACKED_BYTES = 1024**3
_MOST_UNPACKED_FACTOR = 100
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
    arrival, which differ once Feedway has moved it. `moved_by` is the pipeline that moved it. With a `local_path` the
    file is on this machine, and `bucket` and `key` say where it would arrive. `sent_as` is the address of the file that
    people know it by, where it is a copy.
    """

    bucket: str
    key: str
    etag: str
    size_bytes: int
    modified_at: datetime
    identity: FileIdentity
    arrived_at: datetime
    moved_by: str | None = None
    local_path: str | None = None
    sent_as: str | None = field(default=None, compare=False)

    @property
    def url(self) -> str:
        """The object's address, unquoted, as people read it; of a file on this machine its path."""
        return self.sent_as or self.local_path or f"s3://{self.bucket}/{self.key}"

    def url_of(self, member: str) -> str:
        """Return the address of a member of this archive, as people read it; without a member, that of the object."""
        return f"{self.url}/{member}" if member else self.url


@dataclass(frozen=True)
class RowsStart:
    r"""The place where a file's rows begin, behind skipped lines and header.

    `at` counts bytes: of the file where it `is_divisible`, else of its text in UTF-8 without a byte order mark.
    `line` is the physical line there, the file's first being 1. `line_end` is the end of the header's line:
    `\r`, or `\n`, which stands for CR LF too. A file that is not divisible is read from its first byte on.
    `line_length` is the number of characters that each of the first lines has, of fields with a fixed width; 0 where
    they differ.
    """

    at: int
    line: int
    line_end: str
    is_divisible: bool
    line_length: int = 0


@dataclass(frozen=True)
class FieldType:
    """The type that a file itself gives a field: its name in DuckDB, and the column type that holds its values.

    `type` is None where the values are texts of unknown length. `fault` says why the field cannot be read, empty where
    it can.
    """

    name: str
    type: ColumnType | None
    fault: str = ""


@dataclass(frozen=True)
class RowGroup:
    """Rows of a Parquet file that can be read by themselves: its bytes from `start` up to `end`.

    `most_bytes` is an upper bound of what their values take, with each text that a dictionary holds as long as can be.
    """

    start: int
    end: int
    first_row: int
    rows: int
    most_bytes: int


@dataclass(frozen=True)
class FileLayout:
    """One source file of a load and what its fields mean.

    `columns` names every field of the file in order, after cleaning and renaming; columns that
    the spec excludes are named too, and skipped because nothing asks for them. `name` is what
    the `file_name` column holds. `options` are resolved for the file. `header` has the text of each field's header as
    the file has it; it is empty for corrected rows, whose header is Feedway's. A zip archive has a layout for each of
    its `members`, with the same columns in any order; `member` is the name there of one. Its own fields are those of
    the first.

    `paths` lead to the fields in each record, in the words of its format. `types` are those of a format that has some,
    and `row_groups` what it divides a file into.
    """

    file: SourceFile
    ordinal: int
    name: str
    columns: tuple[str, ...]
    options: FileOptions
    rows_start: RowsStart
    packing: Packing | None = None
    header: tuple[str, ...] = ()
    member: str = ""
    members: tuple[FileLayout, ...] = ()
    paths: tuple[str, ...] = ()
    types: tuple[FieldType, ...] = ()
    row_groups: tuple[RowGroup, ...] = ()

    @property
    def encoding(self) -> str:
        """The encoding of a file of text."""
        assert not isinstance(self.options, ParquetOptions | ExcelOptions)
        return self.options.encoding

    @property
    def parts(self) -> tuple[FileLayout, ...]:
        """The files that hold the rows: the members of an archive, or this one."""
        return self.members or (self,)

    @property
    def url(self) -> str:
        """The address of the file, or that of its archive with the name there."""
        return self.file.url_of(self.member)

    @property
    def expected_bytes(self) -> int:
        """An estimate of how much text the file holds."""
        return self.file.size_bytes * (PACKING_FACTOR if self.packing else 1)


def unpacked_limit(most_bytes: int | None, file: SourceFile) -> int:
    """Return how many bytes a packed file may hold; None stands for 1 GB, or a hundred times its size if more."""
    return most_bytes or max(_LEAST_UNPACKED_BYTES, _MOST_UNPACKED_FACTOR * file.size_bytes)


@dataclass(frozen=True)
class SourceBatch:
    """The source files of one load, at least one; they may differ in their columns.

    With `sample_rows` each file is read until it has yielded as many rows, a few more, or all it has. With
    `needs_last_line_end` a file whose last line has no end is broken. `warnings` are about the files' headers. A packed
    file may hold `max_unpacked_bytes`; None stands for 1 GB, or a hundred times its size if that is more.
    """

    files: tuple[FileLayout, ...]
    sample_rows: int | None = None
    needs_last_line_end: bool = False
    warnings: tuple[LoadWarning, ...] = ()
    max_unpacked_bytes: int | None = None

    def unpacked_limit(self, file: SourceFile) -> int:
        """Return how many bytes a packed file may hold."""
        return unpacked_limit(self.max_unpacked_bytes, file)

    def part_named(self, name: str) -> FileLayout:
        """Return the layout of the file, or of the archive's member, with this name."""
        return next(part for layout in self.files for part in layout.parts if part.name == name)
