"""How CSV files are written, as the spec says it and the row engine reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class CsvOptions:
    """How the CSV files of a feed are written.

    `null_values` are texts that mean NULL, quoted or not; an unquoted empty field always does.
    `header` is "auto" where there is a header that must not look like data. `names` take the place of
    the header, and are never empty where it is False. `skip_lines` physical lines stand before it.
    """

    delimiter: str
    encoding: str
    multiline: bool
    null_values: tuple[str, ...]
    header: Literal["auto"] | bool = "auto"
    names: tuple[str, ...] = ()
    skip_lines: int = 0
