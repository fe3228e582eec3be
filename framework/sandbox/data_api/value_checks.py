"""What the table's types hold of a staging column's values."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from framework.sandbox.data_api.spectrum_error import scan_error
from framework.sandbox.data_api.target_table import TargetColumn

_FIRST_DAY, _LAST_DAY = -719162, 2932896
_DAY_MICROSECONDS = 24 * 3600 * 1_000_000
"""Days from 1970-01-01 to 0001-01-01 and to 9999-12-31."""


def check_values(column: pa.Array, name: str, target: TargetColumn, url: str) -> None:
    """Check what the table's types hold of a column's values; `name` is the column's in the file.

    NULL in a NOT NULL column is left to PostgreSQL, which sees it anyway.

    Raises:
        Refused: a text is longer than the column, or not ASCII in a CHAR; a year is not in 1 to 9999.
    """
    match target.type_name:
        case "varchar" | "bpchar":
            _check_text(column, name, target, url)
        case "date":
            _check_range(column.cast(pa.int32()), _FIRST_DAY, _LAST_DAY, name, url)
        case "timestamp":
            last = (_LAST_DAY + 1) * _DAY_MICROSECONDS - 1
            _check_range(column.cast(pa.int64()), _FIRST_DAY * _DAY_MICROSECONDS, last, name, url)


def _check_text(column: pa.Array, name: str, target: TargetColumn, url: str) -> None:
    longest = pc.max(pc.binary_length(column)).as_py() or 0
    if longest > target.length_bytes:
        raise scan_error(
            f"The length of the data column {name} is longer than the length defined in the table. "
            f"Table: {target.length_bytes}, Data: {longest}, File name: {url}"
        )
    if target.type_name == "bpchar" and not pc.all(pc.string_is_ascii(column), skip_nulls=True).as_py():
        raise scan_error(
            f"Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Column: {name}, File name: {url}"
        )


def _check_range(column: pa.Array, first: int, last: int, name: str, url: str) -> None:
    ends = pc.min_max(column).as_py()
    if ends["min"] is not None and not first <= ends["min"] <= ends["max"] <= last:
        raise scan_error(f"The sandbox loads dates of the years 1 to 9999 only. Column: {name}, File name: {url}")
