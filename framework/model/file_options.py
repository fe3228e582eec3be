"""The options of files by their format, as the spec has them and the row engine reads them."""

from __future__ import annotations

from typing import ClassVar, Literal

from framework.dataclass import dataclass
from framework.model.csv_options import CsvOptions, Format

Nested = Literal["super", "text", "flatten"]


@dataclass(frozen=True)
class JsonOptions:
    """How files of JSON become records.

    `records` are the keys that lead from a document to the array of its records; without any, the records are the
    document's elements, or the values that stand one after the other. `is_lines`, which a file decides: each line is a
    record. `nested` says what becomes of objects and arrays within a record.
    """

    format: ClassVar[Format] = "json"
    encoding: str = "utf-8"
    records: tuple[str, ...] = ()
    nested: Nested = "super"
    is_lines: bool = False


@dataclass(frozen=True)
class ParquetOptions:
    """How files of Parquet become records; see JsonOptions."""

    format: ClassVar[Format] = "parquet"
    nested: Nested = "super"


@dataclass(frozen=True)
class ExcelOptions:
    """How a workbook becomes records; what is not said here is as in CsvOptions.

    `sheet` is a name, or a place from 1. `range` holds the header and the records, such as `A3:F`; an empty text is all
    of the sheet. Lines are the rows within it.
    """

    format: ClassVar[Format] = "excel"
    sheet: int | str = 1
    range: str = ""
    header: Literal["auto"] | bool = "auto"
    names: tuple[str, ...] = ()
    skip_lines: int = 0
    skip_until: str = ""
    footer_lines: int = 0
    footer_from: str = ""

    @property
    def as_csv(self) -> CsvOptions:
        """The options with which the first rows of a sheet, written as CSV, are judged."""
        return CsvOptions(",", "utf-8", self.header, self.names, self.skip_lines, self.skip_until)


@dataclass(frozen=True)
class FixedField:
    """A field of fixed width: its name, and its first and last character in the line, counted from 1."""

    name: str
    first: int
    last: int

    @property
    def width(self) -> int:
        """The number of its characters."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class FixedOptions:
    """How files of fields with a fixed width become records; what is not said here is as in CsvOptions."""

    format: ClassVar[Format] = "fixed"
    fields: tuple[FixedField, ...] = ()
    encoding: str = "utf-8"
    skip_lines: int = 0
    footer_lines: int = 0
    footer_from: str = ""

    @property
    def has_footer(self) -> bool:
        """Whether the end of a file is no record."""
        return bool(self.footer_lines or self.footer_from)


FileOptions = CsvOptions | JsonOptions | ParquetOptions | ExcelOptions | FixedOptions


def changed_options(options: FileOptions, other: FileOptions) -> dict[str, object]:
    """Return the options in which these differ from others of the same format."""
    return {name: value for name, value in vars(options).items() if value != vars(other)[name]}
