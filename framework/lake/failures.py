"""What botocore's errors mean for a load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from framework.errors import TransientWarehouseError, WarehouseError

GONE = frozenset({"404", "NoSuchKey", "NotFound"})
"""Codes of a missing object: of HEAD, of GET, and of servers that are not S3 itself."""
REPLACED = frozenset({"412", "PreconditionFailed"})


def error_code(error: ClientError) -> str:
    """Return S3's code of a refused call."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def s3_errors(doing: str) -> Iterator[None]:
    """Turn botocore's errors into ours. Its own retries are over when they arrive here."""
    try:
        yield
    except (HTTPClientError, BotoConnectionError) as error:
        raise TransientWarehouseError(f"S3 could not be reached ({doing}): {error}") from error
    except ClientError as error:
        message = error.response.get("Error", {}).get("Message", "")
        raise WarehouseError(f"S3 refused to {doing}: {error_code(error)}: {message}") from error
    except BotoCoreError as error:
        raise WarehouseError(f"S3 cannot be called ({doing}): {error}") from error
