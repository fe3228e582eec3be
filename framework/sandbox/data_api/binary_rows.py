"""Staging rows in the binary form of PostgreSQL's COPY, made a column at a time: no Python per value.

PostgreSQL reads it in two thirds of the time that it takes for text. A row is its number of fields,
then for each field its length in bytes, -1 for NULL, and its bytes; numbers are big-endian.

Source: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"; the fields are what the
types' receive functions take.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from framework.sandbox.data_api.target_table import TargetColumn

Bytes: TypeAlias = NDArray[np.uint8]
"""One line of bytes per row, all of one length."""
Words: TypeAlias = NDArray[np.uint64]

FILE_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
FILE_TRAILER = b"\xff\xff"
_NULL_LENGTH = -1
_JSONB_VERSION = b"\x01"
_FIRST_DAY = 10_957
_FIRST_MICROSECOND = _FIRST_DAY * 24 * 3600 * 1_000_000
"""2000-01-01, from which PostgreSQL counts, in days and microseconds from 1970-01-01."""
_NUMBERS = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "float4": ">f4", "float8": ">f8", "bool": ">i1"}
_DIGITS = 4
"""Decimal digits in one digit of a NUMERIC."""
_NUMERIC_HEAD = 4
"""Numbers before the digits of a NUMERIC."""
_WORD_DIGITS = 18
"""Decimal digits that a word of 64 bits always holds."""


def binary_rows(batch: pa.RecordBatch, targets: Sequence[TargetColumn]) -> pa.Buffer:
    """Return the rows; the columns must have the types of `arrow_type` for the targets, in their order."""
    row = _Row(batch.num_rows)
    row.add(_repeated(len(targets), ">i2", batch.num_rows))
    for column, target in zip(batch.columns, targets, strict=True):
        if target.type_name in ("varchar", "bpchar"):
            row.add(_big_endian(_filled(pc.binary_length(column), _NULL_LENGTH), ">i4"))
            row.add_text(column)
        elif target.type_name == "super":
            # A JSONB begins with the version of its form.
            versioned = pc.binary_join_element_wise(_JSONB_VERSION, column.cast(pa.binary()), b"")
            row.add(_big_endian(_filled(pc.binary_length(versioned), _NULL_LENGTH), ">i4"))
            row.add_text(versioned)
        else:
            value = _value(column, target)
            length = _repeated(value.shape[1], ">i4", len(value))
            row.add_nullable(np.concatenate([length, value], axis=1), column)
    return row.joined()


class _Row:
    """Rows under way: pieces of each row, one after the other. Bytes of fixed length are put together."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._fixed: list[Bytes] = []
        self._pieces: list[pa.Array] = []

    def add(self, piece: Bytes) -> None:
        """Append bytes to every row."""
        self._fixed.append(piece)

    def add_text(self, texts: pa.Array) -> None:
        """Append the bytes of a text to every row, nothing for NULL."""
        self._close()
        self._pieces.append(texts.cast(pa.large_binary()))

    def add_nullable(self, piece: Bytes, column: pa.Array) -> None:
        """Append a field of fixed length to every row, the length of NULL where the column is NULL."""
        if column.null_count == 0:
            self.add(piece)
            return
        self._close()
        is_null = column.is_null().to_numpy(zero_copy_only=False)
        piece[is_null, :4] = 0xFF
        kept = np.ones(piece.shape, np.bool_)
        kept[is_null, 4:] = False
        ends = np.cumsum(np.where(is_null, 4, piece.shape[1]))
        self._pieces.append(_lines(piece[kept], np.concatenate([[0], ends])))

    def joined(self) -> pa.Buffer:
        """Return all rows, one after the other."""
        self._close()
        separator = pa.scalar(b"", pa.large_binary())
        joined = pc.binary_join_element_wise(*self._pieces, separator, null_handling="replace", null_replacement=b"")
        _, offsets, content = joined.buffers()
        ends = np.frombuffer(offsets, np.int64)[joined.offset : joined.offset + self._rows + 1]
        return content.slice(int(ends[0]), int(ends[-1] - ends[0]))

    def _close(self) -> None:
        if self._fixed:
            lines = np.concatenate(self._fixed, axis=1)
            width = lines.shape[1]
            self._pieces.append(_lines(lines.ravel(), np.arange(0, width * (self._rows + 1), width)))
            self._fixed = []


def _lines(content: Bytes, offsets: NDArray[np.int64]) -> pa.Array:
    """Return the bytes as one value per line; `offsets` has one more than there are lines."""
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(content))]
    return pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)


def _repeated(number: int, form: str, rows: int) -> Bytes:
    return np.broadcast_to(np.array([number], form).view(np.uint8), (rows, np.dtype(form).itemsize))


def _big_endian(numbers: NDArray[np.generic], form: str) -> Bytes:
    return numbers.astype(form).view(np.uint8).reshape(len(numbers), -1)


def _filled(column: pa.Array, value: int | bool) -> NDArray[np.generic]:
    values: NDArray[np.generic] = column.fill_null(value).to_numpy(zero_copy_only=False)
    return values


def _value(column: pa.Array, target: TargetColumn) -> Bytes:
    """Return the bytes of every value; any where it is NULL."""
    match target.type_name:
        case "numeric":
            return _numeric(column)
        case "date":
            return _big_endian(_filled(column.cast(pa.int32()), 0).astype(np.int64) - _FIRST_DAY, ">i4")
        case "timestamp":
            return _big_endian(_filled(column.cast(pa.int64()), 0).astype(np.int64) - _FIRST_MICROSECOND, ">i8")
        case "bool":
            return _big_endian(_filled(column, False), _NUMBERS["bool"])
        case name if name in _NUMBERS:
            return _big_endian(_filled(column, 0), _NUMBERS[name])
        case name:
            raise ValueError(f"no binary form of type {name!r} is known")


def _numeric(column: pa.Array) -> Bytes:
    """Return NUMERICs: how many digits, the weight of the first, the sign, the scale, the digits of base 10,000.

    All have as many digits as the type may need; PostgreSQL drops zeros at both ends.
    """
    precision, scale = column.type.precision, column.type.scale
    words = np.frombuffer(column.buffers()[1], "<u8").reshape(-1, 2)[column.offset : column.offset + len(column)]
    low, high = words[:, 0].astype(np.uint64), words[:, 1].astype(np.uint64)
    is_negative = (high >> np.uint64(63)).astype(np.bool_)
    low, high = np.where(is_negative, ~low + np.uint64(1), low), np.where(is_negative, ~high + (low == 0), high)
    before, after = -(-(precision - scale) // _DIGITS), -(-scale // _DIGITS)
    parts = [low] if precision <= _WORD_DIGITS else _halves(high, low)
    fields = np.empty((len(low), _NUMERIC_HEAD + before + after), ">i2")
    fields[:, 0], fields[:, 1], fields[:, 3] = before + after, before - 1, scale
    fields[:, 2] = np.where(is_negative, 0x4000, 0)
    for place, digits in enumerate(_digits(parts, before + after, scale % _DIGITS), _NUMERIC_HEAD):
        fields[:, place] = digits
    return fields.view(np.uint8)


def _halves(high: Words, low: Words) -> list[Words]:
    """Return numbers of 128 bits as four parts of 32, the highest first."""
    shift, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
    return [high >> shift, high & mask, low >> shift, low & mask]


def _digits(parts: list[Words], count: int, in_last: int) -> list[Words]:
    """Return `count` digits of base 10,000, the highest first.

    The last one has only `in_last` decimal ones, 0 for all four.
    """
    digits: list[Words] = []
    if in_last:
        parts, rest = _divided(parts, 10**in_last)
        digits.append(rest * np.uint64(10 ** (_DIGITS - in_last)))
    while len(digits) < count:
        parts, rest = _divided(parts, 10**_DIGITS)
        digits.append(rest)
    return digits[::-1]


def _divided(parts: list[Words], divisor: int) -> tuple[list[Words], Words]:
    """Divide numbers by a small one; return quotients and rests. Of several parts each has 32 bits."""
    by = np.uint64(divisor)
    quotients = [parts[0] // by]
    rest = parts[0] - quotients[0] * by
    for part in parts[1:]:
        whole = (rest << np.uint64(32)) | part
        quotients.append(whole // by)
        rest = whole - quotients[-1] * by
    return quotients, rest
