"""The floor: the same CSV copied by psycopg into a staging table and merged, and nothing else."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg

from benchmarks.data import COLUMNS, KEYS

SCHEMA = "floor"
_PIECE_BYTES = 1024**2
_NAMES = ", ".join(column.name for column in COLUMNS)


def create_target(connection: psycopg.Connection, table: str) -> None:
    """Create the floor's target anew."""
    columns = ", ".join(f"{column.name} {_postgres_type(column.type)}" for column in COLUMNS)
    connection.execute(f"create schema if not exists {SCHEMA}")
    connection.execute(f"drop table if exists {SCHEMA}.{table}")
    # Or its rows would be cleared away while Feedway's load is measured.
    connection.execute(f"create table {SCHEMA}.{table} ({columns}) with (autovacuum_enabled = false)")
    connection.commit()


def load(connection: psycopg.Connection, table: str, file: Path) -> float:
    """Copy a file into a staging table and merge it by DELETE and INSERT; return the seconds it took."""
    target, staging = f"{SCHEMA}.{table}", f"{SCHEMA}.{table}_staging"
    same = " and ".join(f"t.{key} = s.{key}" for key in KEYS)
    start = time.monotonic()
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(f"create table {staging} (like {target})")
        with file.open("rb") as source, cursor.copy(f"copy {staging} from stdin (format csv, header)") as copy:
            while piece := source.read(_PIECE_BYTES):
                copy.write(piece)
        cursor.execute(f"delete from {target} t using {staging} s where {same}")
        cursor.execute(f"insert into {target} select * from {staging}")
        cursor.execute(f"drop table {staging}")
    seconds = time.monotonic() - start
    with connection.transaction():
        connection.execute(f"analyze {target}")
    return seconds


def digest(connection: psycopg.Connection, table: str) -> tuple[int, str]:
    """Return the number of rows and a sum over the hashes of all of them, whatever their order."""
    row = connection.execute(
        f"select count(*), sum(hashtextextended(r::text, 0)::numeric)::text from (select {_NAMES} from {table}) r"
    ).fetchone()
    connection.commit()
    assert row is not None
    return int(row[0]), str(row[1])


def _postgres_type(type_text: str) -> str:
    return type_text
