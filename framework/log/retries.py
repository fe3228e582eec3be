"""Logs botocore's retries, which are silent, to the current load."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from framework.log.run_log import RunLog

_LOG: ContextVar[RunLog | None] = ContextVar("log of the load", default=None)
"""The log of the load that makes the calls. Loads share clients, and a client's hook does not know whose call it
sees; work on other threads runs in a copy of the context."""
_FAILED = threading.local()
"""Why the last attempt of this thread's current call failed."""


@contextmanager
def log_retries_to(log: RunLog) -> Iterator[None]:
    """Log the retries within the block to this log."""
    token = _LOG.set(log)
    try:
        yield
    finally:
        _LOG.reset(token)


def with_retry_logging(client: Any) -> Any:
    """Return the client, made to log its retries."""
    events = client.meta.events
    events.register("before-call", _begin, unique_id="feedway-retries-begin")
    events.register("needs-retry", _remember, unique_id="feedway-retries-remember")
    events.register("before-send", _log_if_retry, unique_id="feedway-retries-log")
    return client


def log_retry(operation: str, reason: str) -> None:
    """Log a retry to the current load's log, if there is one."""
    log = _LOG.get()
    if log is not None:
        log.warning("retrying AWS call", operation=operation, reason=reason)


def _begin(**_: Any) -> None:
    _FAILED.reason = None


def _remember(response: tuple[Any, Mapping[str, Any]] | None, caught_exception: Exception | None, **_: Any) -> None:
    if response is None:
        _FAILED.reason = repr(caught_exception)
        return
    http, document = response
    # A statement's description has an Error too, a string.
    error = document.get("Error")
    details = f" {error.get('Code')}: {error.get('Message')}" if isinstance(error, Mapping) else ""
    _FAILED.reason = f"status {http.status_code}{details}"


def _log_if_retry(event_name: str, **_: Any) -> None:
    reason = getattr(_FAILED, "reason", None)
    if reason is not None:
        log_retry(event_name.partition(".")[2], reason)
