"""What the table's types hold of a staging column's values."""

from __future__ import annotations

import json
import re

import pyarrow as pa
import pyarrow.compute as pc

from framework.sandbox.data_api.spectrum_error import column_error, scan_error
from framework.sandbox.data_api.target_table import TargetColumn
from framework.sandbox.redshift_sql import Refused

MAX_SUPER_BYTES = 16_384_000
MAX_STRING_BYTES = 65535
MAX_NESTING = 1000
"""Source: https://docs.aws.amazon.com/redshift/latest/dg/r_SUPER_type.html"""
MALFORMED_SUPER = 1224
_STRING = re.compile(r'''"(?:[^"\\]|\\.)*"''')
_BRACKET = re.compile(r"[\[\]{}]")
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
        raise column_error(
            f"The length of the data column {name} is longer than the length defined in the table. "
            f"Table: {target.length_bytes}, Data: {longest}, File name: {url}",
            target,
            url,
        )
    if target.type_name == "bpchar" and not pc.all(pc.string_is_ascii(column), skip_nulls=True).as_py():
        raise column_error(
            f"Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Column: {name}, File name: {url}",
            target,
            url,
        )


def json_texts(column: pa.Array, is_json: bool) -> pa.Array:
    """Return the JSON of a column that goes into SUPER; what is not annotated as JSON is a text, and stays one.

    Raises:
        Refused: a value is larger or nested deeper than SUPER allows.
    """
    longest = pc.max(pc.binary_length(column)).as_py() or 0
    if longest > (MAX_SUPER_BYTES if is_json else MAX_STRING_BYTES):
        raise _too_long("super", MAX_SUPER_BYTES) if is_json else _too_long("String value", MAX_STRING_BYTES)
    if not is_json:
        return pa.array([None if text is None else json.dumps(text) for text in column.to_pylist()], pa.string())
    for text in column.to_pylist() if longest > MAX_NESTING else ():
        _check_json(text or "")
    return column


def _check_json(text: str) -> None:
    for token in _STRING.findall(text) if len(text.encode()) > MAX_STRING_BYTES else ():
        if len(token.encode()) > MAX_STRING_BYTES and len(json.loads(token).encode()) > MAX_STRING_BYTES:
            raise _too_long("String value", MAX_STRING_BYTES)
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_NESTING:
            raise scan_error(f"The nesting of a SUPER value exceeds {MAX_NESTING} levels", MALFORMED_SUPER)


def _too_long(what: str, most: int) -> Refused:
    return scan_error(f"{what} exceeds the max size of {most} bytes", MALFORMED_SUPER)


def _check_range(column: pa.Array, first: int, last: int, name: str, url: str) -> None:
    ends = pc.min_max(column).as_py()
    if ends["min"] is not None and not first <= ends["min"] <= ends["max"] <= last:
        raise scan_error(f"The sandbox loads dates of the years 1 to 9999 only. Column: {name}, File name: {url}")
