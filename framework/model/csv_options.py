"""The options of CSV files, as the spec has them and the row engine reads them."""

from __future__ import annotations

from typing import ClassVar, Literal

from framework.dataclass import dataclass

Format = Literal["csv", "json", "parquet", "excel", "fixed"]

AUTO = "auto"
"""The delimiter of a feed whose files show it: one of DELIMITERS."""
DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class CsvOptions:
    """How the bytes of CSV files become records and fields.

    A spec describes all files of its feed; resolved for one file, `delimiter` is not "auto" and `skip_until` is empty.
    `header` is "auto" where there is a header that must not look like data. `names` take the place of the header, and
    are never empty where it is False. `skip_lines` physical lines precede it, or those up to one that begins with
    `skip_until`. The last `footer_lines` lines are no records, nor is anything from the first line on that matches
    `footer_from`, a glob. `comment` begins lines that are no records. Without `escape` a quote is doubled. Texts are
    empty where the spec has none.
    """

    format: ClassVar[Format] = "csv"
    delimiter: str
    encoding: str
    header: Literal["auto"] | bool = "auto"
    names: tuple[str, ...] = ()
    skip_lines: int = 0
    skip_until: str = ""
    footer_lines: int = 0
    footer_from: str = ""
    quoting: Literal["strict", "lenient", "none"] = "strict"
    quote: str = '"'
    escape: str = ""
    comment: str = ""
    short_rows: Literal["reject", "pad"] = "reject"
    long_rows: Literal["reject", "ignore"] = "reject"
    trim: Literal["none", "unquoted", "all"] = "none"

    @property
    def has_parity(self) -> bool:
        """Whether a place in the text is inside quotes exactly if the quotes before it are odd in number."""
        is_doubled = self.quoting == "strict" and self.quote == '"' and not self.escape
        return is_doubled and len(self.delimiter) == 1 and not self.comment

    @property
    def has_footer(self) -> bool:
        """Whether the end of a file is no record."""
        return bool(self.footer_lines or self.footer_from)

    @property
    def is_plain(self) -> bool:
        """Whether every sound record is one by RFC 4180, and its fields are the values as they are written."""
        takes_all = self.short_rows == "reject" and self.long_rows == "reject"
        return self.has_parity and takes_all and self.trim == "none"
