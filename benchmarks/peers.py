"""Loads beside another tool: the same files into the same PostgreSQL, one tool right after the other."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from benchmarks import floor
from benchmarks.data import COLUMNS
from benchmarks.loads import FEEDS, LOADS, add_feeds, compare, load_feeds, source_files
from benchmarks.process import Measured, measured
from benchmarks.report import PeerSample
from framework.sandbox import SandboxAddress


def measure_peers(
    root: Path, address: SandboxAddress, sizes: Sequence[int], feeds: int, runs: int
) -> Iterator[PeerSample]:
    """Yield initial loads and upserts of one feed of each size, and of many feeds of 1,000 rows in one invocation.

    Raises:
        RuntimeError: a load failed, or a table of one of the tools does not hold what the floor's does.
    """
    kinds = [(1, rows) for rows in sizes] + ([(feeds, 1000)] if feeds else [])
    for number in range(runs):
        for count, rows in kinds:
            yield from _beside_dlt(root, address, f"peer_{number}_{count}_{rows}", count, rows)


def _beside_dlt(root: Path, address: SandboxAddress, stem: str, count: int, rows: int) -> Iterator[PeerSample]:
    # The other tool gets the types of all columns too.
    names = add_feeds(root, stem, count, [column.name for column in COLUMNS])
    with psycopg.connect(address.database_url) as connection:
        floor.create_target(connection, FEEDS)
        for load, file in zip(LOADS, source_files(root, rows), strict=True):
            cost = load_feeds(root, address, connection, names, file)
            dlt_cost = _load_by_dlt(root, address, stem, names, file)
            for name in names:
                compare(connection, f"{stem}.{name}", FEEDS)
            yield PeerSample(count, rows, load, cost.seconds, dlt_cost.seconds)
        connection.execute(f"drop schema {stem}, {stem}_staging cascade")
        connection.execute(f"drop table {', '.join(names)}")
    for name in names:
        (root / "pipelines" / f"{name}.yml").unlink()


def _load_by_dlt(root: Path, address: SandboxAddress, dataset: str, tables: Sequence[str], file: Path) -> Measured:
    command = [sys.executable, "-m", "benchmarks.by_dlt", dataset, *(f"{table}={file}" for table in tables)]
    environment = {
        "DESTINATION__POSTGRES__CREDENTIALS": address.database_url,
        "DLT_DATA_DIR": str(root / "dlt"),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    return measured(command, root / "last-run.log", environment)
