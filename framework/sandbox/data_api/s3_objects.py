"""The objects a COPY reads, from the S3 server of the sandbox."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from framework.sandbox.redshift_sql import Refused

REGION = "us-east-1"
PARALLEL_RANGES = 4
RANGE_BYTES = 16 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
MAX_CONNECTIONS = 64


class NoSuchObject(Exception):
    """There is no object of that name."""


class S3Objects:
    """Reads objects; for any number of threads."""

    def __init__(self, endpoint_url: str, access_key: str, secret_key: str) -> None:
        self._client = boto3.client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=REGION,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(
                s3={"addressing_style": "path"},
                max_pool_connections=MAX_CONNECTIONS,
            ),
        )

    def read(self, bucket: str, key: str) -> bytes:
        """Return an object's content.

        Raises:
            Refused: it cannot be read, in the words Redshift has for a manifest.
        """
        try:
            return self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise Refused(f"Problem reading manifest file - {_service_exception(error)}", "XX000") from error

    def size_bytes(self, bucket: str, key: str) -> int:
        """Return an object's size.

        Raises:
            NoSuchObject: there is none.
            Refused: S3 does not say.
        """
        try:
            return self._client.head_object(Bucket=bucket, Key=key)["ContentLength"]
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                raise NoSuchObject(object_url(bucket, key)) from error
            raise Refused(_service_exception(error), "XX000") from error
        except BotoCoreError as error:
            raise Refused(_service_exception(error), "XX000") from error

    @contextmanager
    def fetched(self, bucket: str, key: str, size_bytes: int, check: Callable[[], None]) -> Iterator[str]:
        """Yield the path of a temporary file with the object's bytes.

        Large objects come in several ranges at once. `check` is called between pieces and may raise.
        """
        with tempfile.NamedTemporaryFile(prefix="feedway-copy-") as file:
            os.truncate(file.fileno(), size_bytes)
            starts = range(0, size_bytes, max(RANGE_BYTES, -(-size_bytes // PARALLEL_RANGES)))
            ranges = [(start, min(start + starts.step, size_bytes)) for start in starts]
            with ThreadPoolExecutor(PARALLEL_RANGES) as pool:
                list(pool.map(lambda ends: self._fetch_range(file.fileno(), bucket, key, ends, check), ranges))
            yield file.name

    def _fetch_range(
        self, target: int, bucket: str, key: str, ends: tuple[int, int], check: Callable[[], None]
    ) -> None:
        position, end = ends
        try:
            body = self._client.get_object(Bucket=bucket, Key=key, Range=f"bytes={position}-{end - 1}")["Body"]
            for chunk in body.iter_chunks(CHUNK_BYTES):
                check()
                position += os.pwrite(target, chunk, position)
        except (ClientError, BotoCoreError) as error:
            raise Refused(f"S3 Query Exception (Fetch): {_service_exception(error)}", "XX000") from error
        if position != end:
            raise Refused(f"S3 Query Exception (Fetch): {object_url(bucket, key)} ended early", "XX000")


def object_url(bucket: str, key: str) -> str:
    """Return an object's address as Redshift prints it in error texts."""
    return f"https://s3.{REGION}.amazonaws.com/{bucket}/{quote(key)}"


def _service_exception(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, BotoCoreError):
        return f"AwsClientException: {error}"
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    detail = error.response["Error"]
    return f"S3ServiceException:{detail.get('Message', '')},Status {status},Error {detail.get('Code', '')}"
