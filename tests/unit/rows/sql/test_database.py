"""What DuckDB's failures mean."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from framework.errors import MachineError, PipelineError
from framework.rows.sql.database import connect, database_failures

MANY = "select range as a, md5(range::varchar) as b from range(3000000)"


def test_a_disk_that_is_full_is_an_outage(tmp_path: Path) -> None:
    database = connect(tmp_path, 64 * 1024**2)
    (tmp_path / "part.parquet").symlink_to("/dev/full")
    with pytest.raises(MachineError, match=r"embedded\.directory: .*No space left on device"), database_failures():
        database.execute(f"copy ({MANY}) to '{tmp_path}/part.parquet' (format parquet)")


def test_a_disk_without_room_for_what_memory_does_not_hold_is_an_outage(tmp_path: Path) -> None:
    database = connect(tmp_path, 64 * 1024**2)
    database.execute("set max_temp_directory_size = '1MB'")
    with pytest.raises(MachineError, match=r"no room on the disk to spill; .*embedded\.directory"), database_failures():
        database.execute(f"create table t as {MANY}")


def test_too_little_memory_is_no_outage(tmp_path: Path) -> None:
    database = connect(tmp_path, 64 * 1024**2)
    with pytest.raises(PipelineError, match=r"give it more in embedded\.memory") as error, database_failures():
        database.execute(f"select list(b) from ({MANY})")
    assert not error.value.is_outage
    assert isinstance(error.value.__cause__, duckdb.OutOfMemoryException)
