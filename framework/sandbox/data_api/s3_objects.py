"""The objects a COPY reads, from the S3 server of the sandbox.

By plain HTTP: a client of S3 takes longer to import than all else that this process does before it answers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

from framework.sandbox.redshift_sql import Refused

REGION = "us-east-1"
CHUNK_BYTES = 1024 * 1024
TIMEOUT_SECONDS = 60.0


class NoSuchObject(Exception):
    """There is no object of that name."""


class S3:
    """The server of the objects. It checks no more of a signature than the access key."""

    def __init__(self, endpoint_url: str, access_key: str) -> None:
        self._address = urlsplit(endpoint_url).netloc
        self._authorization = f"AWS4-HMAC-SHA256 Credential={access_key}/20260101/{REGION}/s3/aws4_request"

    @contextmanager
    def connected(self) -> Iterator[S3Objects]:
        """Yield its objects over a connection of their own."""
        with closing(HTTPConnection(self._address, timeout=TIMEOUT_SECONDS)) as connection:
            yield S3Objects(connection, self._authorization)


class S3Objects:
    """Reads objects over one connection, so by one thread at a time."""

    def __init__(self, connection: HTTPConnection, authorization: str) -> None:
        self._connection = connection
        self._authorization = authorization

    def read(self, bucket: str, key: str) -> bytes:
        """Return an object's content.

        Raises:
            Refused: it cannot be read, in the words Redshift has for a manifest.
        """
        with self._answer("GET", bucket, key, "Problem reading manifest file - ") as response:
            return response.read()

    def size_bytes(self, bucket: str, key: str) -> int:
        """Return an object's size.

        Raises:
            NoSuchObject: there is none.
            Refused: S3 does not say.
        """
        with self._answer("HEAD", bucket, key, "") as response:
            response.read()
            return int(response.headers["Content-Length"])

    @contextmanager
    def fetched(self, bucket: str, key: str, size_bytes: int, check: Callable[[], None]) -> Iterator[str]:
        """Yield the path of a temporary file with the object's bytes.

        `check` is called between pieces and may raise.
        """
        with tempfile.NamedTemporaryFile(prefix="feedway-copy-") as file:
            with self._answer("GET", bucket, key, "S3 Query Exception (Fetch): ") as response:
                while chunk := response.read(CHUNK_BYTES):
                    check()
                    file.write(chunk)
            file.flush()
            if file.tell() != size_bytes:
                raise Refused(f"S3 Query Exception (Fetch): {object_url(bucket, key)} ended early", "XX000")
            yield file.name

    @contextmanager
    def _answer(self, method: str, bucket: str, key: str, doing: str) -> Iterator[HTTPResponse]:
        is_read = False
        try:
            self._connection.request(method, quote(f"/{bucket}/{key}"), headers={"Authorization": self._authorization})
            response = self._connection.getresponse()
            if response.status == 404 and method == "HEAD":
                raise NoSuchObject(object_url(bucket, key))
            if response.status >= 400:
                raise Refused(f"{doing}{_service_exception(response)}", "XX000")
            yield response
            is_read = response.isclosed()
        except (OSError, HTTPException) as error:
            raise Refused(f"{doing}AwsClientException: {error!r}", "XX000") from error
        finally:
            if not is_read:
                # The next request opens it anew.
                self._connection.close()


def object_url(bucket: str, key: str) -> str:
    """Return an object's address as Redshift prints it in error texts."""
    return f"https://s3.{REGION}.amazonaws.com/{bucket}/{quote(key)}"


def _service_exception(response: HTTPResponse) -> str:
    content = response.read()
    try:
        error = ElementTree.fromstring(content)
    except ElementTree.ParseError:
        error = ElementTree.Element("Error")
    code, message = error.findtext("Code", response.reason), error.findtext("Message", "")
    return f"S3ServiceException:{message},Status {response.status},Error {code}"
