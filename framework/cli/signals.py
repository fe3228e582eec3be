"""Signals that end a command: Ctrl-C, and the SIGTERM of containers, schedulers and AWS Glue."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

_DEFAULTS: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


class Terminated(KeyboardInterrupt):
    """The process received SIGTERM; it ends as it does at Ctrl-C."""


@contextmanager
def interruptible() -> Iterator[None]:
    """In the block SIGTERM interrupts the command as Ctrl-C does; a second signal ends the process immediately.

    Handlers that are already set stay, ignored signals too. Does nothing outside the main thread,
    which alone may set handlers.
    """
    is_main = threading.current_thread() is threading.main_thread()
    ours = [number for number, default in _DEFAULTS.items() if is_main and signal.getsignal(number) == default]

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        for own in ours:
            signal.signal(own, signal.SIG_DFL)
        if number == signal.SIGTERM:
            raise Terminated("terminated by SIGTERM")
        raise KeyboardInterrupt("interrupted by the user")

    for number in ours:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, _DEFAULTS[number])
