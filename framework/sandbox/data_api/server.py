"""AWS JSON 1.1 over HTTP, for one DataApi, on the loopback interface.

Source: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from __future__ import annotations

import json
import sys
import traceback
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from framework.sandbox.data_api.api_error import ApiError
from framework.sandbox.data_api.service import DataApi

HOST = "127.0.0.1"
TARGET_PREFIX = "RedshiftData."
CONTENT_TYPE = "application/x-amz-json-1.1"
MAX_BODY_BYTES = 16 * 1024 * 1024


class DataApiServer(ThreadingHTTPServer):
    """Serves until it is shut down. `is_healthy` is asked by GET /health."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, api: DataApi, is_healthy: Callable[[], bool], verbose: bool) -> None:
        self.api = api
        self.is_healthy = is_healthy
        self.verbose = verbose
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking the name service who 127.0.0.1 is, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body go out in one piece; waiting for more would cost 40 ms a response.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: DataApiServer

    def do_GET(self) -> None:
        """Answer GET /health; there is nothing else to get."""
        if self.path != "/health":
            self._send(404, {"Message": f"There is nothing at {self.path}."})
        elif self.server.is_healthy():
            self._send(200, {"status": "ok"})
        else:
            self._send(503, {"status": "PostgreSQL does not answer"})

    def do_POST(self) -> None:
        """Answer one request of the API."""
        try:
            self._send(200, self._answer())
        except ApiError as error:
            self._send(error.http_status, error.body())
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            failure = ApiError("InternalServerException", f"The sandbox itself failed: {error!r}", 500)
            self._send(failure.http_status, failure.body())

    def log_message(self, template: str, *args: object) -> None:
        """Write one line per request, if asked to."""
        if self.server.verbose:
            super().log_message(template, *args)

    def _answer(self) -> dict[str, Any]:
        body = self._read_body()
        target = self.headers.get("X-Amz-Target", "")
        if not target.startswith(TARGET_PREFIX):
            raise ApiError("UnknownOperationException", f"There is no operation {target!r}.")
        try:
            document = json.loads(body or b"{}")
        except ValueError as error:
            raise ApiError("SerializationException", f"The body is no JSON: {error}") from error
        if not isinstance(document, dict):
            raise ApiError("SerializationException", "The body must be a JSON object.")
        # A member that is null is one that was not given.
        given = {name: value for name, value in document.items() if value is not None}
        return self.server.api.answer(target.removeprefix(TARGET_PREFIX), given)

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            raise ApiError("SerializationException", f"Content-Length must be at most {MAX_BODY_BYTES}.", 413)
        return self.rfile.read(int(length))

    def _send(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
