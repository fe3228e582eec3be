"""Tells a load's log of every call that is made again: botocore does so without a word."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from framework.log.run_log import RunLog

_LOG: ContextVar[RunLog | None] = ContextVar("log of the load", default=None)
"""The load on whose behalf calls are made. Clients are shared by loads, and a hook of a client is not told
whose call it sees; work that goes to other threads takes the context along."""
_FAILED = threading.local()
"""Of the call under way in this thread: why its last attempt failed."""


@contextmanager
def telling(log: RunLog) -> Iterator[None]:
    """Tell this log of the calls that are made again within the block."""
    token = _LOG.set(log)
    try:
        yield
    finally:
        _LOG.reset(token)


def with_told_retries(client: Any) -> Any:
    """Return a client that was made to tell of its retries."""
    events = client.meta.events
    events.register("before-call", _begin, unique_id="feedway-retries-begin")
    events.register("needs-retry", _remember, unique_id="feedway-retries-remember")
    events.register("before-send", _tell, unique_id="feedway-retries-tell")
    return client


def tell_retry(operation: str, reason: str) -> None:
    """Tell of something that is tried again."""
    log = _LOG.get()
    if log is not None:
        log.warning("a call is made again", operation=operation, reason=reason)


def _begin(**_: Any) -> None:
    _FAILED.reason = None


def _remember(response: tuple[Any, Mapping[str, Any]] | None, caught_exception: Exception | None, **_: Any) -> None:
    if response is None:
        _FAILED.reason = repr(caught_exception)
        return
    http, document = response
    # A statement's description has an Error too, which is a text.
    error = document.get("Error")
    details = f" {error.get('Code')}: {error.get('Message')}" if isinstance(error, Mapping) else ""
    _FAILED.reason = f"status {http.status_code}{details}"


def _tell(event_name: str, **_: Any) -> None:
    reason = getattr(_FAILED, "reason", None)
    if reason is not None:
        tell_retry(event_name.partition(".")[2], reason)
