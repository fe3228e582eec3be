"""DuckDB as the frames use it: bounded, without extensions, one thread per query."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from framework.errors import MachineError, PipelineError
from framework.log.redaction import without_values
from framework.rows.embedded.segments import Segment
from framework.rows.embedded.sql import quoted

_LEAST_LINE_BYTES = 2 * 1024**2
_DISK_FULL = os.strerror(errno.ENOSPC)
_NO_ROOM_TO_SPILL = "max_temp_directory_size"
"""The setting that DuckDB names where memory and disk are full. Its default is 90 % of the free space."""
_MAKE_ROOM = "make room, or name another folder in embedded.directory"


def connect(folder: Path, memory_bytes: int) -> duckdb.DuckDBPyConnection:
    """Return a database in memory that spills below `folder`; its cursors may be used concurrently.

    Queries run on their caller's thread: segments are read concurrently instead, each from its
    start to its end, so that no quoted line break is ever met from within.
    """
    spill = folder / "spill"
    spill.mkdir()
    return duckdb.connect(
        ":memory:",
        config={
            "threads": 1,
            "memory_limit": f"{memory_bytes // 1024**2}MiB",
            "temp_directory": str(spill),
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        },
    )


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
        if _NO_ROOM_TO_SPILL in str(error):
            reason = str(error).partition("\n")[0]
            raise MachineError(f"DuckDB had no room on the disk to spill; {_MAKE_ROOM}: {reason}") from error
        raise PipelineError(
            f"DuckDB ran out of memory; give it more in embedded.memory, or use the spark engine: {error}"
        ) from error
    except duckdb.IOException as error:
        reason = _DISK_FULL if _DISK_FULL in str(error) else without_values(str(error))
        raise MachineError(f"DuckDB could not read or write its files; {_MAKE_ROOM}: {reason}") from error
    except duckdb.Error as error:
        # Behind the first line DuckDB shows the row it was at.
        reason = without_values(str(error).partition("\n")[0])
        raise PipelineError(
            f"DuckDB failed: {reason}. Please report this; the spark engine may load the files."
        ) from None


def segment_source(segment: Segment, delimiter: str) -> str:
    """Return the table expression of a segment: columns `c0`, `c1`… of texts, one row per record.

    An unquoted empty field is NULL, a quoted one is `''`.
    """
    line = max(_LEAST_LINE_BYTES, segment.longest_bytes + 1024)
    columns = ", ".join(f"'c{index}': 'varchar'" for index in range(len(segment.layout.columns)))
    options = {
        "columns": f"{{{columns}}}",
        "auto_detect": "false",
        "header": "false",
        "delim": quoted(delimiter),
        "quote": "'\"'",
        "escape": "'\"'",
        "nullstr": "''",
        "allow_quoted_nulls": "false",
        "parallel": "false",
        "new_line": quoted(segment.line_end.replace("\r", "\\r").replace("\n", "\\n")),
        # Strict reading of CR LF fails at the end of every file (DuckDB 2.0.1). The records are sound.
        "strict_mode": "false",
        "max_line_size": str(line),
        # The segment in one piece: where a second buffer began within a quoted field, DuckDB 2.0.1 gave up now and
        # then ("does not support a full read on this file"), one thread or not.
        "buffer_size": str(max(segment.size_bytes + 1024, 2 * line)),
    }
    settings = ", ".join(f"{name} = {value}" for name, value in options.items())
    return f"read_csv({quoted(str(segment.path))}, {settings})"
