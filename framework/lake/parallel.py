"""Calls for many objects, several under way at a time: one after the other, a thousand take minutes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

_WORKERS = 8
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def at_once(action: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """Return what the action returns for each item, in the order of the items.

    What it raises for one is raised here, once those under way have ended; the others do not begin.
    """
    if len(items) < 2:
        return [action(item) for item in items]
    with ThreadPoolExecutor(min(_WORKERS, len(items)), thread_name_prefix="lake") as pool:
        # Each with a context of its own, so that retries are told to the load's log.
        futures = [pool.submit(copy_context().run, action, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            pool.shutdown(cancel_futures=True)
