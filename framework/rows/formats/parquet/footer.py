"""The footer of a Parquet file, in a local file without the rows: of their bytes, those that are read are put there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

MAGIC = b"PAR1"
_END_BYTES = 8
"""The length of the footer and the magic. Source: https://parquet.apache.org/docs/file-format/"""
MOST_FOOTER_BYTES = 256 * 1024**2
_FIRST_BYTES = 64 * 1024
"""Nearly all footers take no more."""

Fetch = Callable[[int, int], bytes | bytearray]


class BrokenParquet(ValueError):
    """A file that is no Parquet, or only the beginning of one; the message says why."""


def read_footer(size_bytes: int, fetch: Fetch) -> bytes:
    """Return the footer of a file, with its length and the magic.

    Raises:
        BrokenParquet: the file does not end as one of Parquet does.
    """
    start = max(0, size_bytes - _FIRST_BYTES)
    end = bytes(fetch(start, size_bytes))
    if not end.endswith(MAGIC) or size_bytes < len(MAGIC) + _END_BYTES:
        raise BrokenParquet("the Parquet file has no footer: it may have been cut off")
    length = int.from_bytes(end[-_END_BYTES:-4], "little") + _END_BYTES
    if length > min(size_bytes - len(MAGIC), MOST_FOOTER_BYTES):
        raise BrokenParquet("the footer of the Parquet file is damaged: it would be longer than the file")
    if length > len(end):
        end = bytes(fetch(size_bytes - length, size_bytes))
    return end[-length:]


def write_sparse(path: Path, size_bytes: int, footer: bytes, parts: dict[int, bytes | bytearray]) -> None:
    """Write a file of the same size with its footer and some parts, by their place; the rest are holes."""
    with path.open("wb") as file:
        file.write(MAGIC)
        for place, part in parts.items():
            file.seek(place)
            file.write(part)
        file.seek(size_bytes - len(footer))
        file.write(footer)
    assert path.stat().st_size == size_bytes
