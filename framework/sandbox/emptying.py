"""Empties a running sandbox: its database, its roles and its buckets, as they were when it started."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
from psycopg import sql

from framework.sandbox.postgresql import DATABASE

_EMPTY = sql.Identifier("empty")
_DATABASE = sql.Identifier(DATABASE)
_FIRST_ROLE = 16384
"""Lower object ids are those of PostgreSQL's own roles.
Source: https://github.com/postgres/postgres/blob/REL_18_STABLE/src/include/access/transam.h (FirstNormalObjectId)"""


class Emptying:
    """Empties one sandbox. It is made while the sandbox is empty, and nobody else may use it."""

    def __init__(self, database_url: str, s3_folder: Path) -> None:
        self._url = f"{database_url.removesuffix(DATABASE)}postgres"
        self._s3_folder = s3_folder
        with self._connection() as connection:
            # A database with sessions is no template. The Data API opens others.
            connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (DATABASE,))
            connection.execute(sql.SQL("create database {} template {}").format(_EMPTY, _DATABASE))

    def __call__(self) -> None:
        """Remove all tables, views, schemas, users, groups and objects; the buckets stay."""
        with self._connection() as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(_DATABASE))
            connection.execute(sql.SQL("create database {} template {}").format(_DATABASE, _EMPTY))
            query = "select rolname from pg_roles where oid >= %s"
            for (role,) in connection.execute(query, (_FIRST_ROLE,)).fetchall():
                connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))
        for found in (each for bucket in self._s3_folder.iterdir() for each in bucket.iterdir()):
            shutil.rmtree(found) if found.is_dir() else found.unlink()

    def _connection(self) -> psycopg.Connection[tuple[str]]:
        return psycopg.connect(self._url, autocommit=True)
