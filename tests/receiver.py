"""A web server on this machine that keeps what is posted to it, and answers well or badly."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Behaviour = Literal["ok", "error", "redirect", "hang", "trickle", "garbage"]
LONGEST_SECONDS = 30


@dataclass
class Receiver:
    """What a server has received. `url` holds a secret."""

    url: str
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def json(self) -> Any:
        """Return the only body."""
        (body,) = self.bodies
        return json.loads(body)


@contextmanager
def receiving(behaviour: Behaviour = "ok", tls: Any = None) -> Iterator[Receiver]:
    """Yield a server; it ends what it does for clients that wait when the block ends."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            receiver.headers.append(dict(self.headers))
            answer(self, behaviour, receiver, over)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Print nothing: clients go away."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(
        f"http{'' if tls is None else 's'}://127.0.0.1:{server.server_address[1]}/secret-path?key=secret-key"
    )
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield receiver
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def answer(handler: BaseHTTPRequestHandler, behaviour: Behaviour, receiver: Receiver, over: threading.Event) -> None:
    """Answer a request."""
    match behaviour:
        case "ok":
            handler.send_response(202)
        case "error":
            # A server may repeat what it was asked.
            handler.send_response(500, handler.path)
        case "redirect":
            handler.send_response(302)
            handler.send_header("Location", receiver.url)
        case "hang":
            over.wait(LONGEST_SECONDS)
            return
        case "trickle":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            begun = time.monotonic()
            while time.monotonic() - begun < LONGEST_SECONDS and not over.wait(0.2):
                handler.wfile.write(b"x")
            return
        case "garbage":
            handler.wfile.write(f"{handler.path} is no answer\r\n\r\n".encode())
            return
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def refused_url() -> str:
    """Return a URL at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/secret-path"
