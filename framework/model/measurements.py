"""Results of reading rows: profiles of new columns, measurements of staged ones, bad rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace

from framework.dataclass import dataclass

FIRST_BAD_ROWS = 5
"""The most bad rows of a file that its result has."""
_LONGEST_TEXT = 200
"""The most characters of a text that a result has."""


@dataclass(frozen=True)
class ColumnProfile:
    """The profile of a column whose type is not decided, over all rows of a load.

    `values` counts the non-NULL texts; the counts after it say how many of them are, as a whole,
    text of that class (a whole number counts in `numbers` too; dates and timestamps are real days;
    `zoned` are timestamps with an offset, `times` times of day in a format of the spec, and `exponents` numbers with an
    exponent, which count in no other class).
    `integers` have no point. `inexact` counts the numbers, those with an exponent too, that the nearest DOUBLE does not
    give back.
    `integer_digits` and `scale` are the most digits before the point, and after it trailing zeros aside, over all
    numbers; `smallest` and `largest` are of the numbers without a fraction or with one of zeros, and
    None where there is none or they exceed 38 digits. `longest_bytes` is of the UTF-8 text.
    `mixes_currencies`: some numbers have another currency than others.
    `nested` counts objects and arrays, which count in no other class. `null_markers` counts, by text, those that
    sources write for NULL; it is empty where another text is of no class. `example` is the start of any text of no
    class, None where there is none; it is ignored in comparisons.
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
    exponents: int = 0
    inexact: int = 0
    times: int = 0
    mixes_currencies: bool = False
    null_markers: Mapping[str, int] = field(default_factory=dict)
    nested: int = 0
    example: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class ColumnMeasurement:
    """The measurements of one staged column.

    `longest_bytes` is over texts that fit, 0 where it was not measured or all are NULL.
    `misfits` counts rows whose text is not a value of the staging type. Of them `wider` count
    those that a wider type may hold: numbers for exact number types, timestamps for DATE. Numbers with an
    exponent count for DECIMAL, and for integers if another misfit has a fraction.
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
class RowRange:
    """Rows of a source file, or of an archive's member, by its address; they are counted from 1 as in BadRow."""

    url: str
    first: int
    last: int


def joined(ranges: Iterable[RowRange]) -> tuple[RowRange, ...]:
    """Return ranges, which come in the order of files and rows, with those as one that follow each other."""
    found: list[RowRange] = []
    for each in ranges:
        if found and found[-1].url == each.url and found[-1].last + 1 == each.first:
            each = RowRange(each.url, found.pop().first, each.last)
        found.append(each)
    return tuple(found)


@dataclass(frozen=True)
class StagingFile:
    """A Parquet file of staged rows: its address, its size, and the rows of which it has the good ones."""

    url: str
    size_bytes: int
    rows: tuple[RowRange, ...] = ()


@dataclass(frozen=True)
class Measurements:
    """The measurements of the staging pass: one entry per file, in order, and per column.

    `malformed_rows` counts the rows with too few or too many fields, or with a NUL. `values` counts the texts of
    a column in the other rows, NULLs aside; it is empty where not all rows were read for it. `staging_files` hold the
    good rows, where they were written; elsewhere `samples` has by column the start of a cell, unless the first ones are
    NULL. `has_distinct_keys`: it is proven that no two good rows have equal upsert keys. These are ignored in
    comparisons. `footer_lines` were left out at the ends of the files.
    """

    files: tuple[FileMeasurement, ...]
    columns: Mapping[str, ColumnMeasurement]
    malformed_rows: int
    footer_lines: int = 0
    values: Mapping[str, int] = field(default_factory=dict, compare=False)
    staging_files: tuple[StagingFile, ...] = field(default=(), compare=False)
    has_distinct_keys: bool = field(default=False, compare=False)
    samples: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def rows_staged(self) -> int:
        """Good rows of all files."""
        return sum(file.rows_staged for file in self.files)

    @property
    def staged_bytes(self) -> int:
        """Bytes of the staging files."""
        return sum(file.size_bytes for file in self.staging_files)

    @property
    def rows_bad(self) -> int:
        """Bad rows of all files."""
        return sum(file.rows_bad for file in self.files)


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be loaded with the current staging columns.

    `row` is the record's ordinal in its file, 1 for the first after the header; `column` is None
    where the whole record is at fault; `text` is the offending text, None for NULL. `line` is the physical line on
    which the record begins, the file's first being 1; None in a file without lines.
    """

    file: str
    row: int
    column: str | None
    text: str | None
    reason: str
    line: int | None

    @property
    def in_short(self) -> BadRow:
        """The row with the start of its text, if that is long: a whole record may have megabytes."""
        text = self.text
        is_long = text is not None and len(text) > _LONGEST_TEXT
        return replace(self, text=f"{text[: _LONGEST_TEXT - 1]}…") if text is not None and is_long else self


@dataclass(frozen=True)
class Quarantined:
    """The result of writing bad rows: how many, and the first ones of each source file by its ordinal, in short.

    Each has one entry, for its first fault.
    """

    rows: int
    first: Mapping[int, tuple[BadRow, ...]] = field(default_factory=dict)
