"""Feedway's errors for S3's refusals and botocore's failures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from framework.errors import SourceFileError, TransientWarehouseError, WarehouseError
from framework.log.aws_errors import call_error, credentials_refused
from framework.model.files import SourceFile

BUCKET_FIELD = "lake.bucket in environments.yml"
_OVERLOADED = frozenset({429, 500, 502, 503, 504, 509})
"""Statuses that botocore retries, and that may pass later. Source:
https://docs.aws.amazon.com/boto3/latest/guide/retries.html#standard-retry-mode"""
GONE = frozenset({"404", "NoSuchKey", "NotFound"})
"""Codes of a missing object: of HEAD, of GET, and of servers that are not S3 itself."""
REPLACED = frozenset({"412", "PreconditionFailed", "ConditionalRequestConflict"})
"""Codes of a failed condition, also where a concurrent call made it fail. Source:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"""


def error_code(error: ClientError) -> str:
    """Return S3's code of a refused call."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def s3_errors(doing: str, bucket_field: str = BUCKET_FIELD) -> Iterator[None]:
    """Turn botocore's errors, raised after its own retries, into Feedway's.

    `bucket_field` is the setting that names the bucket, for the message.
    """
    try:
        yield
    except ClientError as error:
        raise _refused(error, doing, bucket_field) from error
    except BotoCoreError as error:
        raise call_error(error, "S3", doing, "lake.region") from error


def _refused(error: ClientError, doing: str, bucket_field: str) -> WarehouseError:
    code, message = error_code(error), error.response.get("Error", {}).get("Message", "")
    refusal = f"S3 refused to {doing}: {code}: {message}"
    if code == "NoSuchBucket":
        return WarehouseError(f"{refusal}. Correct {bucket_field}, or create the bucket", is_outage=True)
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in _OVERLOADED:
        return TransientWarehouseError(refusal, is_outage=True)
    if (advice := credentials_refused(code)) is not None:
        return WarehouseError(f"{refusal.rstrip('.')}. {advice}", is_outage=True)
    if code == "AccessDenied" and error.operation_name == "ListObjectsV2":
        # S3 answers the same for a bucket of another account.
        return WarehouseError(f"{refusal}. Grant s3:ListBucket on the bucket, or correct {bucket_field}")
    return WarehouseError(refusal)


@contextmanager
def read_errors(file: SourceFile) -> Iterator[None]:
    """Turn S3's answers for a file that is gone or was replaced into errors of the file."""
    try:
        yield
    except ClientError as error:
        if error_code(error) in GONE:
            raise SourceFileError(f"{file.url}: the file has gone since it was listed", (file.key,)) from error
        if error_code(error) in REPLACED:
            raise replaced(file) from error
        raise


def replaced(file: SourceFile) -> SourceFileError:
    """Return the error of a file that was replaced."""
    message = f"{file.url}: the file was replaced since it was listed; the next run loads it"
    return SourceFileError(message, (file.key,))
