"""Runs pieces of work side by side, and ends them when the user interrupts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Result = TypeVar("_Result")


class Interruption:
    """Says to threads that the user has interrupted. They hear of it once, where they would sleep.

    Once, because a load that is given up still writes its FAILED row and cleans up, and sleeps on the way.
    """

    def __init__(self) -> None:
        self._happened = threading.Event()
        self._heard = threading.local()

    def happen(self) -> None:
        """Interrupt the threads."""
        self._happened.set()

    def check(self) -> None:
        """Go on, or raise what the user did.

        Raises:
            KeyboardInterrupt: at the first call after the interruption, in each thread.
        """
        is_main = threading.current_thread() is threading.main_thread()
        if self._happened.is_set() and not is_main and not getattr(self._heard, "said", False):
            self._heard.said = True
            raise KeyboardInterrupt

    def sleep(self, seconds: float) -> None:
        """Sleep; an interruption ends it at once.

        Raises:
            KeyboardInterrupt: as `check` does.
        """
        if threading.current_thread() is threading.main_thread() or getattr(self._heard, "said", False):
            time.sleep(seconds)
            return
        self._happened.wait(seconds)
        self.check()


def run_side_by_side(work: Sequence[Callable[[], _Result]], at_once: int, interruption: Interruption) -> list[_Result]:
    """Run the pieces, `at_once` at a time, and return their results in the order of the pieces.

    A single piece runs in the calling thread. On KeyboardInterrupt pieces that have not begun do not
    begin, those that run are interrupted, and when they have ended it is raised again.
    """
    if len(work) <= 1 or at_once == 1:
        return [piece() for piece in work]
    with ThreadPoolExecutor(at_once, thread_name_prefix="feed") as pool:
        try:
            begun: list[Future[_Result]] = [pool.submit(piece) for piece in work]
            return [future.result() for future in begun]
        except BaseException:
            interruption.happen()
            pool.shutdown(cancel_futures=True)
            raise
