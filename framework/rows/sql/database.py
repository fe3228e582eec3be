"""DuckDB as tasks use it: bounded, and without extensions."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from framework.errors import MachineError, PipelineError
from framework.log.redaction import without_values

_DISK_FULL = os.strerror(errno.ENOSPC)
_NO_ROOM_TO_SPILL = "max_temp_directory_size"
"""The setting that DuckDB names where memory and disk are full. Its default is 90 % of the free space."""
_WITHOUT_EXTENSIONS = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
}
_MAKE_ROOM = "make room, or name another folder in embedded.directory"


def connect(folder: Path, memory_bytes: int, threads: int = 1) -> duckdb.DuckDBPyConnection:
    """Return a database in memory that spills below `folder`; its cursors may be used concurrently.

    By default queries run on their caller's thread, and splits are read concurrently instead. Each segment is read
    from its start to its end in any case, so that no quoted line break is ever met from within.
    """
    spill = folder / "spill"
    spill.mkdir()
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": threads,
            "memory_limit": f"{memory_bytes // 1024**2}MiB",
            "temp_directory": str(spill),
            "preserve_insertion_order": True,
            # It takes longer than all others together where there are many columns, and finds nothing.
            "disabled_optimizers": "common_subexpressions",
            **_WITHOUT_EXTENSIONS,
        },
    )
    # Timestamps within structs and lists are written in it; by default it is that of the machine. ICU, which has the
    # setting, is part of DuckDB's wheels, but is loaded only once the database is open.
    connection.execute("set global TimeZone = 'UTC'")
    return connection


@contextmanager
def connect_briefly() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a database in memory that needs no room on the disk."""
    with duckdb.connect(":memory:", config={"threads": 1, **_WITHOUT_EXTENSIONS}) as connection:
        yield connection


def new_cursor(database: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return a connection for one thread at a time."""
    cursor = database.cursor()
    # It would be drawn on stdout, among a command's result.
    cursor.execute("set enable_progress_bar = false")
    return cursor


@contextmanager
def database_failures() -> Iterator[None]:
    """Turn failures that are not the rows' fault into an error that says what to do.

    Raises:
        MachineError: the disk is full, or cannot be written to.
        PipelineError: memory ran out, or DuckDB refused for another reason, which is a bug.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        # Behind the first line DuckDB advises settings that Feedway makes.
        reason = str(error).partition("\n")[0]
        if _NO_ROOM_TO_SPILL in str(error):
            raise MachineError(f"DuckDB had no room on the disk to spill; {_MAKE_ROOM}: {reason}") from error
        raise PipelineError(f"DuckDB ran out of memory; give it more in embedded.memory: {reason}") from error
    except duckdb.IOException as error:
        reason = _DISK_FULL if _DISK_FULL in str(error) else without_values(str(error))
        raise MachineError(f"DuckDB could not read or write its files; {_MAKE_ROOM}: {reason}") from error
    except duckdb.Error as error:
        # Behind the first line DuckDB shows the row it was at.
        reason = without_values(str(error).partition("\n")[0])
        # A number in it may be a value.
        brief = "DuckDB failed; the log has its message"
        raise PipelineError(f"DuckDB failed: {reason}. Please report this with the files.", brief=brief) from None
