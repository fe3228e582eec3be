"""Runs pieces of work side by side, and ends them when the command is interrupted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

LOOK_SECONDS = 0.2
_Result = TypeVar("_Result")


class Interruption:
    """Says to threads that the command was interrupted. They hear of it once, where they would sleep.

    Once, because a load that is given up still writes its FAILED row and cleans up, and sleeps on the way.
    """

    def __init__(self) -> None:
        self._happened = threading.Event()
        self._heard = threading.local()
        self._cause = KeyboardInterrupt("interrupted")

    def happen(self, cause: BaseException) -> None:
        """Interrupt the threads; where one of them has failed, the others are told so."""
        if isinstance(cause, KeyboardInterrupt):
            self._cause = cause
        self._happened.set()

    def check(self) -> None:
        """Go on, or raise what has happened.

        Raises:
            KeyboardInterrupt: at the first call after the interruption, in each thread.
        """
        is_main = threading.current_thread() is threading.main_thread()
        if self._happened.is_set() and not is_main and not getattr(self._heard, "said", False):
            self._heard.said = True
            raise type(self._cause)(*self._cause.args)

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

    All run in threads, so that an interruption, which Python raises in the main thread wherever that
    stands, ends a piece only where it looks for one. On KeyboardInterrupt pieces that have not begun
    do not begin, those that run are interrupted, and when they have ended it is raised again.
    """
    with ThreadPoolExecutor(at_once, thread_name_prefix="feed") as pool:
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
    """Return the interruption that an error came of: one that tears a lock's code makes an error of the lock."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return error
        error = error.__context__
    return None


def _result(future: Future[_Result]) -> _Result:
    # The system may hand a signal to another thread; this one notices when it looks up.
    while not wait([future], LOOK_SECONDS).done:
        pass
    return future.result()
