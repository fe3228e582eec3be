"""What observing yields and planning takes: source files, staging columns, measurements."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from framework.column_type import ColumnType
from framework.spec.pipeline import CsvOptions

FILE_COLUMN = "feedway_file"
"""Staging only: ordinal of the source file in its load, from 0. INTEGER."""
ROW_COLUMN = "feedway_row"
"""Staging only: where the record stands in its file; larger is later, never equal. BIGINT."""


CORRECTION_MARK = "corrected-"
"""Opens the ETag in the identity of corrected rows, which are known as a file of their own but are no delivery."""


@dataclass(frozen=True)
class FileIdentity:
    """What makes a source file the same file: where it arrived, its ETag (unquoted) and its size.

    A file that Feedway moved keeps the identity it arrived with.
    """

    bucket: str
    key: str
    etag: str
    size_bytes: int

    @property
    def is_correction(self) -> bool:
        """Whether it is that of corrected rows, whose header names the target's columns."""
        return self.etag.startswith(CORRECTION_MARK)

    @property
    def sha256(self) -> str:
        """The identity as 64 hex characters, as the ledger holds it."""
        text = "\0".join((self.bucket, self.key, self.etag, str(self.size_bytes)))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class SourceFile:
    """An object as it stands in the lake now. Times are UTC.

    `key` and `etag` are of the object as it stands; `identity` and `arrived_at` are those of its
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
        """The object's address, unquoted, as Spark and people read it."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class LoadWarning:
    """Something about a load that its owner should look at, although the load succeeds.

    `rule` names the check in kebab case, such as `missing-column`. `column` is None where no single column is meant.
    `keys` are the object keys it concerns; empty means every file of the load.
    """

    rule: str
    column: str | None
    message: str
    keys: tuple[str, ...] = ()

    def concerns(self, key: str) -> bool:
        """Return whether the warning is about the file with this object key."""
        return not self.keys or key in self.keys

    def as_dict(self) -> dict[str, str | None]:
        """Return the warning as results print it and JOB_STS keeps it."""
        return {"rule": self.rule, "column": self.column, "message": self.message}


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


@dataclass(frozen=True)
class FromFile:
    """The field of the same name; rows of files without that field get `fill` (None: NULL).

    `fill` is text like the file's own and goes through the same cast.
    """

    fill: str | None = None


@dataclass(frozen=True)
class RunDate:
    """One UTC timestamp for every row of the load; microseconds are kept."""

    at: datetime


@dataclass(frozen=True)
class FileName:
    """The `name` of the row's FileLayout."""


@dataclass(frozen=True)
class StagingColumn:
    """One column of the staging files: where its values come from, and what they become.

    A text is a misfit when `text.accepted_text(type)` (or the format's expression) refuses it,
    when the value is out of the type's range, or when a CHAR or VARCHAR text has more bytes than
    the type. With `exact` a number is a misfit too that the nearest DOUBLE would not give back as it
    was written. `required` columns are upsert keys: their NULLs make a row bad. The length of
    VARCHAR columns is measured only with `measure_length`.
    """

    name: str
    type: ColumnType
    value: FromFile | RunDate | FileName
    format: str | None = None
    required: bool = False
    measure_length: bool = False
    exact: bool = False


@dataclass(frozen=True)
class ColumnProfile:
    """What all rows of a load hold in one column whose type is not settled.

    `values` counts the non-NULL texts; the counts after it say how many of them are, as a whole,
    text of that class (a whole number counts in `numbers` too; dates and timestamps are real days;
    `zoned` are timestamps with an offset, which count in no other class). `integers` have no point.
    `integer_digits` and `scale` are the most digits before the point, and after it trailing zeros aside, over all
    numbers; `smallest` and `largest` are of the numbers without a fraction or with one of zeros, and
    None where there is none or they exceed 38 digits. `longest_bytes` is of the UTF-8 text.
    """

    values: int
    integers: int
    numbers: int
    booleans: int
    dates: int
    timestamps: int
    longest_bytes: int
    integer_digits: int
    scale: int
    smallest: int | None
    largest: int | None
    zoned: int = 0


@dataclass(frozen=True)
class ColumnMeasurement:
    """What staging saw in one column.

    `longest_bytes` is over texts that fit, 0 where it was not measured or all are NULL.
    `misfits` counts rows whose text is not a value of the staging type. Of them `wider` count
    those that a wider type may hold: plain numbers for exact number types, timestamps for DATE;
    `integer_digits`, `scale`, `smallest`, `largest` describe these numbers as in ColumnProfile.
    `null_keys` counts NULLs in a required column.
    """

    longest_bytes: int = 0
    misfits: int = 0
    wider: int = 0
    integer_digits: int = 0
    scale: int = 0
    smallest: int | None = None
    largest: int | None = None
    null_keys: int = 0


@dataclass(frozen=True)
class FileMeasurement:
    """Rows of one source file: read = staged + bad. Header and blank lines are no rows."""

    ordinal: int
    rows_read: int
    rows_staged: int
    rows_bad: int


@dataclass(frozen=True)
class Measurements:
    """What was seen on the pass that staged: one entry per file, in order, and per column.

    `malformed_rows` counts the rows with too few or too many fields, or with a NUL. `values` counts the texts of
    a column in the other rows, NULLs aside; an engine that did not look at all rows for it leaves it empty, and it
    does not count in a comparison.
    """

    files: tuple[FileMeasurement, ...]
    columns: Mapping[str, ColumnMeasurement]
    malformed_rows: int
    values: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def rows_staged(self) -> int:
        """Good rows of all files."""
        return sum(file.rows_staged for file in self.files)

    @property
    def rows_bad(self) -> int:
        """Bad rows of all files."""
        return sum(file.rows_bad for file in self.files)


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be loaded as the staging columns stand.

    `row` is the record's ordinal in its file, 1 for the first after the header; `column` is None
    where the whole record is at fault; `text` is the offending text, None for NULL.
    """

    file: str
    row: int
    column: str | None
    text: str | None
    reason: str
