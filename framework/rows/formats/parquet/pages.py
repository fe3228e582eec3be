"""The checksums of a Parquet file's pages, where it has some: DuckDB reads over them.

Sources: https://parquet.apache.org/docs/file-format/data-pages/checksumming/
    https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb

from framework.dataclass import dataclass
from framework.rows.formats.parquet.schema import CHUNK_BEGINS
from framework.rows.sql.expressions import quoted

_STOP, _BOOLEANS, _WHOLES, _BINARY, _STRUCT = 0, (1, 2), (4, 5, 6), 8, 12
"""Types of fields. Headers have no others."""
_MOST_LEVELS = 4
_SIZE, _CRC = 3, 4
"""The fields of a page's header that are asked for."""
_DAMAGED = "the Parquet file is damaged: a page of the column {} does not have the checksum that is written with it"


@dataclass(frozen=True)
class _Page:
    """A page by its place in the file; `crc` is None where it has no checksum."""

    start: int
    end: int
    crc: int | None


def damaged_page(cursor: duckdb.DuckDBPyConnection, path: Path, start: int, end: int) -> str | None:
    """Return that a page of the column chunks in a range of a file is damaged; None where no checksum shows it.

    The range begins with a chunk. A file whose first page has no checksum has none.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        first = next(_pages(content, start, end), None)
        if first is None or first.crc is None:
            return None
        chunks = cursor.execute(
            f"select path_in_schema, {CHUNK_BEGINS} as begin, begin + total_compressed_size as behind "
            f"from parquet_metadata({quoted(str(path))}) where begin >= {start} and behind <= {end}"
        ).fetchall()
        for name, begin, behind in chunks:
            for page in _pages(content, begin, behind):
                if page.crc is not None and _crc(content, page) != page.crc & 0xFFFFFFFF:
                    return _DAMAGED.format(repr(name))
    return None


def _crc(content: mmap.mmap, page: _Page) -> int:
    with memoryview(content) as view, view[page.start : page.end] as data:
        return zlib.crc32(data)


def _pages(content: mmap.mmap, at: int, end: int) -> Iterator[_Page]:
    """Yield the pages of a chunk, up to one whose header cannot be read: of those, DuckDB finds what is wrong."""
    while at < end:
        try:
            fields, at = _struct(content, at)
        except (ValueError, IndexError):
            return
        size = fields.get(_SIZE, -1)
        if size < 0 or at + size > end:
            return
        yield _Page(at, at + size, fields.get(_CRC))
        at += size


def _struct(content: mmap.mmap, at: int, level: int = 0) -> tuple[dict[int, int], int]:
    """Return the whole numbers of a struct in Thrift's compact protocol, by field, and the place behind it."""
    if level > _MOST_LEVELS:
        raise ValueError("a page's header is nested too deep")
    fields: dict[int, int] = {}
    field = 0
    while (head := content[at]) != _STOP:
        at += 1
        kind, step = head & 0x0F, head >> 4
        if step:
            field += step
        else:
            field, at = _whole(content, at)
        if kind in _WHOLES:
            fields[field], at = _whole(content, at)
        elif kind == _BINARY:
            length, at = _varint(content, at)
            at += length
        elif kind == _STRUCT:
            _, at = _struct(content, at, level + 1)
        elif kind not in _BOOLEANS:
            raise ValueError(f"no field of a page's header is of the kind {kind}")
    return fields, at + 1


def _whole(content: mmap.mmap, at: int) -> tuple[int, int]:
    number, at = _varint(content, at)
    return (number >> 1) ^ -(number & 1), at


def _varint(content: mmap.mmap, at: int) -> tuple[int, int]:
    number = shift = 0
    while (byte := content[at]) & 0x80:
        number |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
    return number | byte << shift, at + 1
