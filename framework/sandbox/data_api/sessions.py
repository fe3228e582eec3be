"""Connections to PostgreSQL, each handed out clean, as a new session of Redshift would be."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg.types import TypeInfo

from framework.sandbox import redshift_sql
from framework.sandbox.data_api.results import BYTES_TYPES

DATABASE = "dev"
"""The only database there is."""

# The snapshot is that of the transaction's first query, and of two writers of a row the second fails.
_SNAPSHOT_ISOLATION = "set default_transaction_isolation to 'repeatable read'"

IDLE_CONNECTIONS = 8
CONNECT_TIMEOUT_SECONDS = 10

Connection = psycopg.Connection[tuple[object, ...]]


class ConnectionFailed(Exception):
    """No session could be opened; the message is what the statement's Error says."""


class Sessions:
    """Hands out connections; one that is given back is wiped and kept for the next caller."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._reading: list[Connection] = []

    def prepare_database(self) -> None:
        """Create what translated statements rely on.

        Raises:
            ConnectionFailed: PostgreSQL does not answer.
        """
        connection = self._connect()
        try:
            connection.execute(redshift_sql.compat_sql().encode())
            for name in BYTES_TYPES:
                # Results name a type by its number, which is another in each database.
                found = TypeInfo.fetch(connection, f"pg_internal.{name}")
                if found is not None:
                    found.register()
        finally:
            connection.close()

    @contextmanager
    def session(self, database: str = DATABASE) -> Iterator[Connection]:
        """Yield a connection without temp tables, settings or transaction of anybody else.

        Nothing is in a transaction until a statement begins one. A connection that was left in a
        transaction is closed, which rolls it back.

        Raises:
            ConnectionFailed: there is no such database, or PostgreSQL does not answer.
        """
        if database != DATABASE:
            raise ConnectionFailed(f'FATAL: database "{database}" does not exist')
        connection = self._take()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def answers(self) -> bool:
        """Say whether PostgreSQL answers."""
        try:
            with self.session() as connection:
                connection.execute("select 1")
        except (ConnectionFailed, psycopg.Error):
            return False
        return True

    def find_late_binding_view(self, schema: str, name: str) -> str | None:
        """Return the definition of a late-binding view, or None where there is none of that name.

        Asked on a connection of its own: a query on the statement's would take its snapshot, and a
        LOCK that comes later would come too late.
        """
        with self._looking_up() as connection:
            row = connection.execute(redshift_sql.FIND_LATE_BINDING_VIEW, (schema, name)).fetchone()
        return None if row is None or row[0] is None else str(row[0])

    def find_long_names(self, hashes: list[str]) -> dict[str, str]:
        """Return the names that PostgreSQL knows by one with one of these hashes, by that one."""
        with self._looking_up() as connection:
            rows = connection.execute(redshift_sql.FIND_LONG_NAMES, (hashes,)).fetchall()
        return {str(short): str(name) for short, name in rows}

    @contextmanager
    def _looking_up(self) -> Iterator[Connection]:
        """Yield a connection that reads the catalog alone: nothing is left in it that had to be wiped."""
        with self._lock:
            connection = self._reading.pop() if self._reading else None
        if connection is None or not self._is_alive(connection):
            connection = self._connect()
            connection.prepare_threshold = 1
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._reading.append(connection)

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle, self._reading = [*self._idle, *self._reading], [], []
        for connection in idle:
            connection.close()

    def _take(self) -> Connection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if self._is_alive(connection):
                return connection
            connection.close()

    def _give_back(self, connection: Connection) -> None:
        # The wiping is done here and not in `_take`, where a statement would wait for it.
        if not self._wipe(connection):
            connection.close()
            return
        with self._lock:
            if len(self._idle) < IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> Connection:
        try:
            # Prepared statements do not survive the wiping, so psycopg may not count on them.
            connection = psycopg.connect(
                self._database_url,
                autocommit=True,
                prepare_threshold=None,
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                application_name="redshift-data",
            )
            _apply_settings(connection)
        except psycopg.Error as error:
            raise ConnectionFailed(f"FATAL: {str(error).strip()}") from error
        return connection

    @staticmethod
    def _wipe(connection: Connection) -> bool:
        if connection.closed or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            return False
        try:
            connection.execute("discard all")
            _apply_settings(connection)
        except psycopg.Error:
            return False
        return True

    @staticmethod
    def _is_alive(connection: Connection) -> bool:
        # Nothing comes on an idle connection but its end, which may have last words before it.
        with suppress(psycopg.Error, OSError):
            poll = select.poll()
            poll.register(connection.pgconn.socket, select.POLLIN)
            return not poll.poll(0)
        return False


def _apply_settings(connection: Connection) -> None:
    connection.execute("; ".join((_SNAPSHOT_ISOLATION, *redshift_sql.SESSION_SETTINGS)).encode())
