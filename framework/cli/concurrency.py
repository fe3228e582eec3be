"""Runs pieces of work concurrently, and ends them when the command is interrupted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

LOOK_SECONDS = 0.2
_Result = TypeVar("_Result")


class Interruption:
    """Passes an interruption of the command to its threads. It is raised once per thread, where the thread sleeps.

    Once, because an interrupted load still writes its FAILED row and cleans up, and sleeps meanwhile.
    """

    def __init__(self) -> None:
        self._happened = threading.Event()
        self._heard = threading.local()
        self._cause = KeyboardInterrupt("interrupted")

    def happen(self, cause: BaseException) -> None:
        """Interrupt the threads; where one of them has failed, the others are interrupted with its error."""
        if isinstance(cause, KeyboardInterrupt):
            self._cause = cause
        self._happened.set()

    def check(self) -> None:
        """Raise if the command was interrupted.

        Raises:
            KeyboardInterrupt: at the first call after the interruption, in each thread.
        """
        is_main = threading.current_thread() is threading.main_thread()
        if self._happened.is_set() and not is_main and not getattr(self._heard, "said", False):
            self._heard.said = True
            raise type(self._cause)(*self._cause.args)

    def sleep(self, seconds: float) -> None:
        """Sleep; an interruption ends the sleep immediately.

        Raises:
            KeyboardInterrupt: as in `check`.
        """
        if threading.current_thread() is threading.main_thread() or getattr(self._heard, "said", False):
            time.sleep(seconds)
            return
        self._happened.wait(seconds)
        self.check()


def run_concurrently(work: Sequence[Callable[[], _Result]], threads: int, interruption: Interruption) -> list[_Result]:
    """Run the pieces, `threads` at a time, and return their results in the order of the pieces.

    All run in threads of their own: Python raises an interruption anywhere in the main thread, but a
    piece must end only where it checks for one. On KeyboardInterrupt, pieces that have not started are
    cancelled, running ones are interrupted, and once they have ended the exception is raised again.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="feed") as pool:
        try:
            begun: list[Future[_Result]] = [pool.submit(piece) for piece in work]
            return [_result(future) for future in begun]
        except BaseException as error:
            cause = _interruption_behind(error)
            interruption.happen(cause or error)
            pool.shutdown(cancel_futures=True)
            if cause is not None:
                raise cause from None
            raise


def _interruption_behind(error: BaseException | None) -> KeyboardInterrupt | None:
    """Return the interruption that caused an error: one inside a lock's code surfaces as an error of the lock."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return error
        error = error.__context__
    return None


def _result(future: Future[_Result]) -> _Result:
    # The system may deliver a signal to another thread; this one handles it at its next wake-up.
    while not wait([future], LOOK_SECONDS).done:
        pass
    return future.result()
