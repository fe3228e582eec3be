"""HTTP on the loopback interface, for one set of operations."""

from __future__ import annotations

import os
import secrets
import sys
import traceback
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from urllib.parse import parse_qsl, unquote

from framework.sandbox.address import LOOPBACK
from framework.sandbox.s3_server.body import RequestBody
from framework.sandbox.s3_server.documents import error_document
from framework.sandbox.s3_server.objects import OpenObject
from framework.sandbox.s3_server.operations import Answer, Operations
from framework.sandbox.s3_server.requests import Request
from framework.sandbox.s3_server.s3_error import S3Error, invalid

SENT_BYTES = 4 * 1024**2
TAIL_BYTES = 64 * 1024


class S3Server(ThreadingHTTPServer):
    """Serves until it is shut down, whoever names the access key."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, operations: Operations, access_key: str) -> None:
        self.operations = operations
        self.access_key = access_key
        super().__init__((LOOPBACK, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking the name service who 127.0.0.1 is, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that has gone."""
        if not isinstance(sys.exception(), ConnectionError):
            traceback.print_exc(file=sys.stderr)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body go out in one piece; waiting for more would cost 40 ms a response.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: S3Server
    _asks_to_continue = False
    _has_answered = False

    def handle_expect_100(self) -> bool:
        """Leave the answer to the operation: it may refuse the body unseen."""
        self._asks_to_continue = True
        return True

    def do_GET(self) -> None:
        """Answer a GET."""
        self._serve()

    def do_HEAD(self) -> None:
        """Answer a HEAD."""
        self._serve()

    def do_PUT(self) -> None:
        """Answer a PUT."""
        self._serve()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._serve()

    def do_DELETE(self) -> None:
        """Answer a DELETE."""
        self._serve()

    def _serve(self) -> None:
        self._has_answered = False
        try:
            self._answer({name.lower(): value for name, value in self.headers.items()})
        except ConnectionError:
            self.close_connection = True
        except Exception:
            # Nothing may follow what has been sent of an answer: the client would take it for the content.
            traceback.print_exc(file=sys.stderr)
            self.close_connection = True

    def log_message(self, template: str, *args: object) -> None:
        """Log nothing but failures."""

    def version_string(self) -> str:
        """Return what answers name as the server, as S3's do: conditions are honoured as there."""
        return "AmazonS3"

    def _answer(self, headers: Mapping[str, str]) -> None:
        body = RequestBody(headers, self.rfile, self._continue)
        try:
            with self.server.operations.answered(self._request(headers, body)) as answer:
                self._finish(body)
                self._send(answer)
        except (S3Error, OSError) as error:
            if self._has_answered:
                raise
            self._finish(body)
            self._send(_error_answer(_s3_error(error), self.path))

    def _request(self, headers: Mapping[str, str], body: RequestBody) -> Request:
        if f"Credential={self.server.access_key}/" not in headers.get("authorization", ""):
            raise S3Error(403, "InvalidAccessKeyId", "The request is not signed with the access key of this sandbox")
        path, _, parameters = self.path.partition("?")
        try:
            bucket, _, key = unquote(path, errors="strict").removeprefix("/").partition("/")
            query = dict(parse_qsl(parameters, keep_blank_values=True, errors="strict"))
        except UnicodeDecodeError as error:
            raise invalid("The path or a parameter is not UTF-8") from error
        return Request(self.command, bucket, key, query, headers, body)

    def _continue(self) -> None:
        if self._asks_to_continue:
            self._asks_to_continue = False
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()

    def _finish(self, body: RequestBody) -> None:
        """Leave the connection where the next request begins, or close it after the answer."""
        # A client that got no "100 Continue" may send the body all the same, or not.
        if self._asks_to_continue or not body.skip():
            self.close_connection = True
        self._asks_to_continue = False

    def _send(self, answer: Answer) -> None:
        self._has_answered = True
        size = len(answer.content) if answer.file is None else answer.end - answer.start
        self.send_response(answer.http_status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.http_status != 304:
            self.send_header("content-length", str(size))
        self.send_header("x-amz-request-id", secrets.token_hex(8).upper())
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)
            if answer.file is not None:
                self._send_file(answer.file, answer.start, answer.end)
        self.wfile.flush()

    def _send_file(self, file: OpenObject, start: int, end: int) -> None:
        """Send a range of a file; without its end if somebody has written to it, so that nobody takes it for whole."""
        tail = max(start, end - TAIL_BYTES)
        if start < tail:
            self.wfile.flush()
        while start < tail and (sent := self._send_piece(file, start, min(SENT_BYTES, tail - start))):
            start += sent
        pieces = b"".join(map(bytes, file.pieces(tail, end)))
        if start == tail and len(pieces) == end - tail and file.is_unchanged():
            self.wfile.write(pieces)
        else:
            self.close_connection = True

    def _send_piece(self, file: OpenObject, start: int, count: int) -> int:
        return os.sendfile(self.connection.fileno(), file.descriptor, start, count)


def _s3_error(error: S3Error | OSError) -> S3Error:
    if isinstance(error, S3Error):
        return error
    if isinstance(error, PermissionError):
        return S3Error(403, "AccessDenied", f"The sandbox may not do this: {error}")
    traceback.print_exc(file=sys.stderr)
    return S3Error(500, "InternalError", f"The sandbox itself failed: {error}")


def _error_answer(error: S3Error, resource: str) -> Answer:
    content = b"" if error.http_status == 304 else error_document(error, resource)
    return Answer(error.http_status, {**error.headers, "content-type": "application/xml"}, content)
