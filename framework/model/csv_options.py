"""The options of CSV files, as the spec has them and the row engine reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class CsvOptions:
    """The options of a feed's CSV files.

    `header` is "auto" where there is a header that must not look like data. `names` take the place of
    the header, and are never empty where it is False. `skip_lines` physical lines precede it.
    """

    delimiter: str
    encoding: str
    header: Literal["auto"] | bool = "auto"
    names: tuple[str, ...] = ()
    skip_lines: int = 0
