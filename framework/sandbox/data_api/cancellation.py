"""The wish that a statement end, carried from the caller's thread to the statement's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from framework.sandbox.data_api.sessions import Connection

CANCEL_TIMEOUT_SECONDS = 5.0


class Cancelled(Exception):
    """The caller asked for the statement to end."""


class Cancellation:
    """Whether one statement shall end, and the connection it is busy on."""

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    @contextmanager
    def watching(self, connection: Connection) -> Iterator[None]:
        """Let requests interrupt what runs on the connection; it is closed if one came."""
        with self._lock:
            self._connection = connection
        try:
            yield
        finally:
            with self._lock:
                self._connection = None
            if self._requested.is_set():
                # An interruption under way must not hit the next user of the connection.
                connection.close()

    def request(self) -> None:
        """Ask the statement to end and interrupt the query it waits for.

        To be repeated until the statement has ended: an interruption between two queries is lost.
        """
        self._requested.set()
        with self._lock:
            if self._connection is not None:
                with suppress(psycopg.Error):
                    self._connection.cancel_safe(timeout=CANCEL_TIMEOUT_SECONDS)

    @property
    def is_requested(self) -> bool:
        """Whether the statement shall end."""
        return self._requested.is_set()

    def check(self) -> None:
        """Raise Cancelled if the statement shall end."""
        if self._requested.is_set():
            raise Cancelled
