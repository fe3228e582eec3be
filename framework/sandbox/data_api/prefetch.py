"""Making the next item while the last one is being used."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

Item = TypeVar("Item")

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class _End(Generic[Item]):
    """What ended the items: an error, or None where there are no more."""

    error: BaseException | None


def prefetched(items: Iterable[Item], ahead: int) -> Generator[Item]:
    """Yield the items in order while a thread makes up to `ahead` further ones.

    An error of theirs is raised here. If the caller stops early, so does the thread: it is gone when
    the generator is closed.
    """
    queue: Queue[Item | _End[Item]] = Queue(ahead)
    stopped = threading.Event()
    thread = threading.Thread(target=_produce, args=(items, queue, stopped), daemon=True)
    thread.start()
    try:
        while True:
            item = queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stopped.set()
        with suppress(Empty):
            while True:
                queue.get_nowait()
        thread.join()


def _produce(items: Iterable[Item], queue: Queue[Item | _End[Item]], stopped: threading.Event) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            if not _put(queue, item, stopped):
                return
    except BaseException as raised:
        error = raised
    _put(queue, _End(error), stopped)


def _put(queue: Queue[Item | _End[Item]], item: Item | _End[Item], stopped: threading.Event) -> bool:
    while not stopped.is_set():
        with suppress(Full):
            queue.put(item, timeout=_POLL_SECONDS)
            return True
    return False
