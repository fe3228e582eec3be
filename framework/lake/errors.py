"""What botocore's errors mean for a load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from framework.errors import SourceFileError, WarehouseError
from framework.log.aws_errors import call_error, credentials_refused
from framework.model.files import SourceFile

BUCKET_FIELD = "lake.bucket in environments.yml"
GONE = frozenset({"404", "NoSuchKey", "NotFound"})
"""Codes of a missing object: of HEAD, of GET, and of servers that are not S3 itself."""
REPLACED = frozenset({"412", "PreconditionFailed", "ConditionalRequestConflict"})
"""Codes of a condition that does not hold, or that another call has made not to hold at the same time. Source:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"""


def error_code(error: ClientError) -> str:
    """Return S3's code of a refused call."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def s3_errors(doing: str, bucket_field: str = BUCKET_FIELD) -> Iterator[None]:
    """Turn botocore's errors into ours. Its own retries are over when they arrive here.

    `bucket_field` is what names the bucket, for whoever has to correct it.
    """
    try:
        yield
    except ClientError as error:
        raise _refused(error, doing, bucket_field) from error
    except BotoCoreError as error:
        raise call_error(error, "S3", doing, "lake.region") from error


def _refused(error: ClientError, doing: str, bucket_field: str) -> WarehouseError:
    code, message = error_code(error), error.response.get("Error", {}).get("Message", "")
    told = f"S3 refused to {doing}: {code}: {message}"
    if code == "NoSuchBucket":
        return WarehouseError(f"{told}. Correct {bucket_field}, or create the bucket", is_outage=True)
    if (advice := credentials_refused(code)) is not None:
        return WarehouseError(f"{told.rstrip('.')}. {advice}", is_outage=True)
    if code == "AccessDenied" and error.operation_name == "ListObjectsV2":
        # S3 says the same of a bucket that belongs to somebody else.
        return WarehouseError(f"{told}. Grant s3:ListBucket on the bucket, or correct {bucket_field}")
    return WarehouseError(told)


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
