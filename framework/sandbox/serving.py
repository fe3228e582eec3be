"""How a server of the sandbox runs until a signal ends it."""

from __future__ import annotations

import signal
import threading
from socketserver import BaseServer
from types import FrameType


def serve_until_signal(server: BaseServer) -> None:
    """Serve until SIGTERM or SIGINT, then close the server."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # shutdown() waits for serve_forever, which this very thread is in.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with server:
        server.serve_forever(poll_interval=0.1)
