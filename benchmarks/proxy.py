"""Proxies that make a sandbox's servers as slow as AWS, and count the calls.

Requests pass byte for byte, `Host` included: a signature stays valid for the address that the client has signed.
Responses do too, but for one: a statement that has ended is described as running for a while longer.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedRWPair, BytesIO
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from framework.sandbox.address import LOOPBACK
from framework.sandbox.s3_server.body import RequestBody
from framework.sandbox.s3_server.requests import Request
from framework.sandbox.s3_server.s3_error import S3Error

SUBMISSIONS = ("ExecuteStatement", "BatchExecuteStatement")
_ENDED = ("FINISHED", "FAILED", "ABORTED")
_COPY = re.compile(r"(\s|--[^\n]*\n)*copy\b", re.IGNORECASE)
_LENGTH = re.compile(rb"(?<=\r\ncontent-length: )\d+", re.IGNORECASE)
_PIECE_BYTES = 64 * 1024

Clock = Callable[[], float]
Sleep = Callable[[float], None]


@dataclass(frozen=True)
class Profile:
    """How slow the services are: each call, the end of each submission, and that for each statement and COPY in it."""

    name: str
    s3_call_seconds: float
    data_api_call_seconds: float
    submission_seconds: float
    sub_statement_seconds: float = 0.0
    copy_seconds: float = 0.0


@dataclass(frozen=True)
class Head:
    """First line and headers of a message. `content` is all of it as it came; names are in lower case."""

    content: bytes
    first_line: str
    headers: Mapping[str, str]

    @property
    def body_bytes(self) -> int:
        """The length of the body.

        Raises:
            ValueError: the body comes in chunks; neither clients nor servers of a sandbox send one.
        """
        if "transfer-encoding" in self.headers:
            raise ValueError(f"a body of unknown length after {self.first_line!r}")
        return int(self.headers.get("content-length", 0))

    @property
    def status(self) -> int:
        """The status of a response."""
        return int(self.first_line.split(" ")[1])


def read_head(stream: BufferedRWPair) -> Head | None:
    """Return the next message's head; None where the connection ends before."""
    content = b""
    while not content.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        content += line
    first, *lines = content.decode("latin-1").rstrip().split("\r\n")
    headers = (line.partition(":") for line in lines)
    return Head(content, first, {name.lower(): value.strip() for name, _, value in headers})


class Traffic(Protocol):
    """What a proxy does with the calls of one service."""

    def forward(self, request: Head, client: BufferedRWPair, server: BufferedRWPair) -> Head:
        """Pass a request to the server and the response to the client; return the response's head."""


class S3Traffic:
    """Forwards calls to S3, each after a delay. `calls` counts them by operation."""

    def __init__(self, profile: Profile, sleep: Sleep = time.sleep) -> None:
        self.calls: Counter[str] = Counter()
        self._delay = profile.s3_call_seconds
        self._sleep = sleep
        self._counting = threading.Lock()

    def forward(self, request: Head, client: BufferedRWPair, server: BufferedRWPair) -> Head:
        """Pass a request and its response, piece by piece."""
        with self._counting:
            self.calls[_s3_operation(request)] += 1
        self._sleep(self._delay)
        _send(server, request.content)
        # With "Expect: 100-continue" the server may refuse the body unseen.
        response = _pass_head(server, client) if "expect" in request.headers else None
        if response is None or response.status == 100:
            _pass_body(client, server, request.body_bytes)
            response = _pass_head(server, client)
        _pass_body(server, client, 0 if request.first_line.startswith("HEAD ") else response.body_bytes)
        return response


class DataApiTraffic:
    """Forwards calls to the Data API, each after a delay, and lets statements end later.

    `calls` counts calls by operation, `sub_statements` the SQL texts of all submissions.
    """

    def __init__(self, profile: Profile, sleep: Sleep = time.sleep, now: Clock = time.time) -> None:
        self.calls: Counter[str] = Counter()
        self.sub_statements = 0
        self._profile = profile
        self._sleep = sleep
        self._now = now
        self._counting = threading.Lock()
        self._longer: dict[str, float] = {}

    def forward(self, request: Head, client: BufferedRWPair, server: BufferedRWPair) -> Head:
        """Pass a request and its response."""
        body = client.read(request.body_bytes)
        asked = json.loads(body)
        operation = request.headers["x-amz-target"].rpartition(".")[2]
        sqls = asked.get("Sqls") or [asked["Sql"]] if operation in SUBMISSIONS else []
        with self._counting:
            self.calls[operation] += 1
            self.sub_statements += len(sqls)
        self._sleep(self._profile.data_api_call_seconds)
        answer_by = self._now() + asked.get("WaitTimeSeconds", 0)
        _send(server, request.content + body)
        response = _expected_head(server)
        content = server.read(response.body_bytes)
        document = json.loads(content)
        if sqls and "Id" in document:
            self._longer[document["Id"]] = self._seconds_of(sqls)
        if self._is_running(document, answer_by):
            document |= {"Status": "STARTED", "HasResultSet": False}
            document.pop("Error", None)
            content = json.dumps(document).encode()
        _send(client, _LENGTH.sub(str(len(content)).encode(), response.content) + content)
        return response

    def _seconds_of(self, sqls: Sequence[str]) -> float:
        profile = self._profile
        copies = sum(1 for sql in sqls if _COPY.match(sql))
        return profile.submission_seconds + len(sqls) * profile.sub_statement_seconds + copies * profile.copy_seconds

    def _is_running(self, document: Mapping[str, Any], answer_by: float) -> bool:
        """Return whether a document describes a statement that has ended and must not have; waits for that as asked."""
        if document.get("Status") not in _ENDED:
            return False
        # Of a statement that was submitted elsewhere nothing is known.
        longer = self._longer.get(document["Id"].partition(":")[0], 0.0)
        ends_at = document.get("UpdatedAt", self._now()) + longer
        self._sleep(max(0.0, min(ends_at, answer_by) - self._now()))
        return bool(ends_at > self._now())


@contextmanager
def serving(url: str, traffic: Traffic) -> Iterator[str]:
    """Yield the address of a proxy in front of the server at `url`."""
    with _Proxy(url, traffic) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield f"http://{LOOPBACK}:{proxy.server_address[1]}"
        finally:
            proxy.shutdown()


class _Proxy(ThreadingTCPServer):
    daemon_threads = True
    # The end of a proxy does not wait for clients that keep their connections.
    block_on_close = False
    request_queue_size = 128

    def __init__(self, url: str, traffic: Traffic) -> None:
        there = urlsplit(url)
        self.server = (there.hostname, there.port)
        self.traffic = traffic
        super().__init__((LOOPBACK, 0), _Connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client or a server that has gone."""
        if not isinstance(sys.exception(), ConnectionError):
            traceback.print_exc(file=sys.stderr)


class _Connection(BaseRequestHandler):
    server: _Proxy

    def handle(self) -> None:
        """Forward requests until one of the two sides ends the connection."""
        with (
            self.request.makefile("rwb") as client,
            socket.create_connection(self.server.server) as upstream,
            upstream.makefile("rwb") as server,
        ):
            for end in (self.request, upstream):
                # Heads go before bodies; waiting for more would cost 40 ms a message.
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (request := read_head(client)) is not None:
                response = self.server.traffic.forward(request, client, server)
                if response.headers.get("connection") == "close":
                    break


def _s3_operation(request: Head) -> str:
    method, target, _ = request.first_line.split(" ")
    path, _, parameters = target.partition("?")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    query = dict(parse_qsl(parameters, keep_blank_values=True))
    body = RequestBody(request.headers, BytesIO(), lambda: None)
    try:
        return Request(method, bucket, key, query, request.headers, body).operation()
    except S3Error:
        return f"unknown {method}"


def _expected_head(stream: BufferedRWPair) -> Head:
    head = read_head(stream)
    if head is None:
        raise ConnectionResetError("the server has ended the connection without a response")
    return head


def _pass_head(source: BufferedRWPair, target: BufferedRWPair) -> Head:
    head = _expected_head(source)
    _send(target, head.content)
    return head


def _pass_body(source: BufferedRWPair, target: BufferedRWPair, size: int) -> None:
    while size:
        piece = source.read1(min(size, _PIECE_BYTES))
        if not piece:
            raise ConnectionResetError("a body ended before the size that was announced")
        _send(target, piece)
        size -= len(piece)


def _send(target: BufferedRWPair, content: bytes) -> None:
    target.write(content)
    target.flush()
