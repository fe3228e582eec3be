"""Calls to servers that a command does not depend on: side by side, and given up together after a few seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from botocore.exceptions import BotoCoreError, ClientError

from framework.dataclass import dataclass
from framework.log.redaction import safe_message
from framework.log.run_log import RunLog

LONGEST_SECONDS = 5.0
"""All deliveries of a command take no longer than this."""
_THREADS_OF_ONE = 8


@dataclass(frozen=True)
class Delivery:
    """Calls to one server; `unsent` is the warning where one of them fails."""

    unsent: str
    calls: Sequence[Callable[[], None]]


@dataclass(frozen=True)
class _Ended:
    delivery: Delivery
    error: Exception | None


def deliver(deliveries: Sequence[Delivery], log: RunLog, seconds: float = LONGEST_SECONDS) -> None:
    """Make all calls within `seconds` in all; a delivery that fails or takes longer is one warning in the log.

    What does not end in time is left to threads that end with the process: a server that sends a byte now and then
    cannot be stopped otherwise.
    """
    deadline = time.monotonic() + seconds
    ended: SimpleQueue[_Ended] = SimpleQueue()
    for delivery in deliveries:
        _start(delivery, ended)
    missing = [delivery for delivery in deliveries for _ in delivery.calls]
    errors: dict[str, str] = {}
    while missing:
        try:
            found = ended.get(timeout=max(deadline - time.monotonic(), 0))
        except Empty:
            break
        missing.remove(found.delivery)
        if found.error is not None:
            errors.setdefault(found.delivery.unsent, _described(found.error))
    for delivery in missing:
        errors.setdefault(delivery.unsent, f"no answer within {seconds:g} s")
    for unsent, error in errors.items():
        log.warning(unsent, error=error)


def _start(delivery: Delivery, ended: SimpleQueue[_Ended]) -> None:
    waiting: SimpleQueue[Callable[[], None]] = SimpleQueue()
    for call in delivery.calls:
        waiting.put(call)

    def work() -> None:
        while True:
            try:
                call = waiting.get_nowait()
            except Empty:
                return
            try:
                call()
                ended.put(_Ended(delivery, None))
            # Whatever it is, the command must end as its loads did.
            except Exception as error:
                ended.put(_Ended(delivery, error))

    for _ in range(min(_THREADS_OF_ONE, len(delivery.calls))):
        # A pool's threads would be waited for at the end of the process.
        threading.Thread(target=work, name="notify", daemon=True).start()


def _described(error: Exception) -> str:
    # Messages of AWS quote addresses and names, but no values of rows.
    message = str(error) if isinstance(error, BotoCoreError | ClientError) else safe_message(error)
    return f"{type(error).__name__}: {message}"
