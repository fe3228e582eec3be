"""Which keys are file names, and where their files are."""

from __future__ import annotations

import re

from framework.sandbox.s3_server.s3_error import S3Error, not_supported

MAX_KEY_BYTES = 1024
MAX_NAME_BYTES = 255
"""Of one name in a path; what Linux and macOS take."""
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def is_bucket_name(name: str) -> bool:
    """Whether S3 takes the name for a bucket.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    return _BUCKET_NAME.fullmatch(name) is not None and ".." not in name


def is_file_key(key: str) -> bool:
    """Whether an object of this key can be a file below its bucket's folder."""
    try:
        encoded = key.encode("utf-8")
    except UnicodeEncodeError:
        return False
    names = encoded.split(b"/")
    return (
        len(encoded) <= MAX_KEY_BYTES
        and b"\0" not in encoded
        and all(name not in (b"", b".", b"..") and len(name) <= MAX_NAME_BYTES for name in names)
    )


def refused_key(key: str) -> S3Error:
    """Return the error for an object that cannot be a file."""
    if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
        return S3Error(400, "KeyTooLongError", f"A key has at most {MAX_KEY_BYTES} bytes")
    return not_supported(f"A key that is no path of a file, such as {key!r},")
