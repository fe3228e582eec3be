"""Calls to AWS side by side: each mostly waits, and 1,000 of them one after another take minutes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

_WORKERS = 16
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_parallel(action: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """Return the action's result for each item, in the order of the items.

    The first error is raised once the calls in progress have ended; the others do not start.
    """
    if len(items) < 2:
        return [action(item) for item in items]
    with ThreadPoolExecutor(min(_WORKERS, len(items)), thread_name_prefix="call") as pool:
        # Each call has its own context, so that retries are logged to the current load.
        futures = [pool.submit(copy_context().run, action, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            pool.shutdown(cancel_futures=True)
