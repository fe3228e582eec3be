"""What botocore's errors mean for a load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from framework.errors import SourceFileError, TransientWarehouseError, WarehouseError
from framework.schema.values import SourceFile

GONE = frozenset({"404", "NoSuchKey", "NotFound"})
"""Codes of a missing object: of HEAD, of GET, and of servers that are not S3 itself."""
REPLACED = frozenset({"412", "PreconditionFailed", "ConditionalRequestConflict"})
"""Codes of a condition that does not hold, or that another call has made not to hold at the same time. Source:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"""


def error_code(error: ClientError) -> str:
    """Return S3's code of a refused call."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def s3_errors(doing: str) -> Iterator[None]:
    """Turn botocore's errors into ours. Its own retries are over when they arrive here."""
    try:
        yield
    except (HTTPClientError, BotoConnectionError) as error:
        raise TransientWarehouseError(f"S3 could not be reached ({doing}): {error}", is_outage=True) from error
    except ClientError as error:
        message = error.response.get("Error", {}).get("Message", "")
        raise WarehouseError(f"S3 refused to {doing}: {error_code(error)}: {message}") from error
    except BotoCoreError as error:
        raise WarehouseError(f"S3 cannot be called ({doing}): {error}") from error


@contextmanager
def read_errors(file: SourceFile) -> Iterator[None]:
    """Turn the answers for a file that is no longer there, or another one by now, into errors of the file."""
    try:
        yield
    except ClientError as error:
        if error_code(error) in GONE:
            raise SourceFileError(f"{file.url}: the file has gone since it was listed", (file.key,)) from error
        if error_code(error) in REPLACED:
            raise replaced(file) from error
        raise


def replaced(file: SourceFile) -> SourceFileError:
    """Return the error of a file that is another one by now."""
    message = f"{file.url}: the file was replaced since it was listed; the next run loads it"
    return SourceFileError(message, (file.key,))
