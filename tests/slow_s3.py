"""An S3 that answers slowly: the sandbox's own, behind a narrow pipe."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_PIECE = 16 * 1024


@contextmanager
def slow_s3(
    url: str, bytes_per_second: float, stalls_after: int | None = None, breaks_every: int | None = None
) -> Iterator[str]:
    """Yield the address of a pipe to the server at `url`; all answers share the rate.

    After `stalls_after` bytes only short answers come. Each time that `breaks_every` more bytes have been carried, the
    connection that carries them is closed.
    """
    there = urlsplit(url)
    turn = threading.Lock()
    carried, free_at = 0, 0.0

    def pause(size: int) -> float:
        nonlocal carried, free_at
        with turn:
            carried += size
            free_at = max(time.monotonic(), free_at) + size / bytes_per_second
            return 3600 if stalls_after is not None and carried > stalls_after else free_at - time.monotonic()

    def breaks(size: int) -> bool:
        return breaks_every is not None and carried // breaks_every > (carried - size) // breaks_every

    def carry(source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                if is_answer and len(piece) > 1024:
                    time.sleep(max(0, pause(len(piece))))
                    if breaks(len(piece)):
                        break
                target.sendall(piece)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                caller, _ = server.accept()
                callee = socket.create_connection((there.hostname, there.port))
                for arguments in ((caller, callee, False), (callee, caller, True)):
                    threading.Thread(target=carry, args=arguments, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, args=(server,), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        # Wakes the thread that accepts; closing alone does not.
        server.shutdown(socket.SHUT_RDWR)
