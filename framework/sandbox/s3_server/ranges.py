"""Ranges of bytes, as requests give them."""

from __future__ import annotations

import re

from framework.sandbox.s3_server.s3_error import S3Error, invalid

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def read_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Return the start and the end of what a Range header asks for; None for the whole object.

    A header that is none, or asks for several ranges, counts for nothing, as in S3.

    Raises:
        S3Error: nothing of the object is in the range.
    """
    found = _RANGE.fullmatch(header or "")
    if found is None or found[1] == found[2] == "":
        return None
    if found[1]:
        start = int(found[1])
        end = min(int(found[2]) + 1, size_bytes) if found[2] else size_bytes
        if found[2] and int(found[2]) < start:
            return None
    else:
        start, end = max(0, size_bytes - int(found[2])), size_bytes
    if start >= end:
        headers = {"content-range": f"bytes */{size_bytes}"}
        raise S3Error(416, "InvalidRange", "The requested range is not satisfiable", headers)
    return start, end


def read_copied_range(header: str | None, size_bytes: int) -> tuple[int, int]:
    """Return the start and the end of what is copied into a part; without a header, of everything.

    Raises:
        S3Error: the object has no such range.
    """
    if header is None:
        return 0, size_bytes
    found = _RANGE.fullmatch(header)
    if found is None or not found[1] or not found[2] or not int(found[1]) <= int(found[2]) < size_bytes:
        raise invalid(f"The x-amz-copy-source-range {header!r} is none of an object of {size_bytes} bytes")
    return int(found[1]), int(found[2]) + 1
