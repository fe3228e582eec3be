"""Concurrent runs of one pipeline load every row once, and nobody who reads the table is disturbed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from framework.load.result import LoadResult
from framework.model.names import TableName, ledger_table
from framework.sandbox import SandboxAddress
from tests.arrivals import land
from tests.faults.crashing_process import CrashingProcess
from tests.faults.scenarios import another_run
from tests.harness import FeedHarness, MakeFeed, csv_text

ROWS = 10
NEW_COLUMNS = (3, 6, 9, 12, 15, 18)

SPEC = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: %s
metadata_columns: {run_date: null, file_name: null}
"""
UPSERT = SPEC % "{keys: [id]}"
APPEND = SPEC % "{mode: append}"
REPLACE = SPEC % "{mode: replace}"
WITH_VIEW = UPSERT + 'views: [{schema: reporting, name: "v_{name}", definition: "select * from {{ target }}"}]\n'


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let few runs share few files, or many many."""
    if "runs" in metafunc.fixturenames:
        crowds = [(2, 20), (8, 20)] if metafunc.config.getoption("--exhaustive") else [(3, 5)]
        metafunc.parametrize(("runs", "files"), crowds)


def run_concurrently(feed: FeedHarness, runs: int, wave: int = 0) -> list[LoadResult]:
    """Run the pipeline as so many processes would, each with services of its own; no two waves share a run_id."""
    with ExitStack() as stack, ThreadPoolExecutor(runs) as pool:
        others = []
        for number in range(runs):
            process = CrashingProcess()
            frames = stack.enter_context(process.frames())
            others.append(
                another_run(feed, process.s3, process.redshift_data, frames, base=0x100 * (16 * (number + 1) + wave))
            )
        results = [result for of_run in pool.map(lambda other: other.run(), others) for result in of_run]
    failures = [
        f"{result.source_file}: {result.failure.step}: {result.failure.message}" for result in results if result.failure
    ]
    assert failures == []
    return results


@dataclass
class Reader:
    """Reads a table again and again, as somebody with a dashboard does."""

    url: str
    query: str
    seen: list[tuple[Any, ...]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read until the block ends."""
        stop = threading.Event()
        thread = threading.Thread(target=self._read, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _read(self, stop: threading.Event) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not stop.wait(0.01):
                try:
                    self.seen += connection.execute(self.query.encode()).fetchall()
                except psycopg.Error as error:
                    self.errors.append(str(error))


def assert_each_loaded_once(feed: FeedHarness, results: Sequence[LoadResult], files: int) -> None:
    loaded = [str(result.source_file) for result in results if result.status == "SUCCESS"]
    assert len(loaded) == len(set(loaded)) == files
    assert feed.keys(f"data/in/{feed.name}/") == []
    assert len(feed.keys("data/archive/")) == files
    assert feed.keys(f"staging/{feed.name}/") == []
    audited = feed.audit("source_filename, status")
    assert sorted(name for name, status in audited if status == "SUCCESS") == sorted(loaded)


def test_concurrent_upserts_load_every_file_once_and_readers_see_whole_files(
    make_feed: MakeFeed, sandbox: SandboxAddress, runs: int, files: int
) -> None:
    feed = make_feed(UPSERT)
    feed.load(f"{feed.name}_00.csv", csv_text("id,a", *(f"{row},0" for row in range(ROWS))))
    for number in range(1, files):
        feed.land(f"{feed.name}_{number:02}.csv", csv_text("id,a", *(f"{row},{number}" for row in range(ROWS))))
    reader = Reader(sandbox.database_url, f"select count(*), min(a), max(a) from {feed.table}")

    with reader.reading():
        results = run_concurrently(feed, runs)

    assert feed.rows("id, a", "id") == [(row, files - 1) for row in range(ROWS)]
    assert reader.errors == []
    assert {count for count, _, _ in reader.seen} == {ROWS}
    assert [(least, most) for _, least, most in reader.seen if least != most] == []
    assert [least for _, least, _ in reader.seen] == sorted(least for _, least, _ in reader.seen)
    first = LoadResult(feed.name, f"data/in/{feed.name}/{feed.name}_00.csv", "", "SUCCESS", None, 0)
    assert_each_loaded_once(feed, [first, *results], files)


def test_concurrent_appends_load_every_row_once_from_the_first_load_on(
    make_feed: MakeFeed, sandbox: SandboxAddress, runs: int, files: int
) -> None:
    feed = make_feed(APPEND)
    for number in range(files):
        feed.land(f"{feed.name}_{number:02}.csv", csv_text("id,a", *(f"{row},{number}" for row in range(ROWS))))

    results = run_concurrently(feed, runs)

    assert feed.rows("a, id", "a, id") == [(number, row) for number in range(files) for row in range(ROWS)]
    assert_each_loaded_once(feed, results, files)


def test_concurrent_replacements_leave_the_newest_file_and_readers_see_whole_files(
    make_feed: MakeFeed, sandbox: SandboxAddress, runs: int, files: int
) -> None:
    """Files go on arriving while the runs are under way, so that each run may take another one for the newest."""
    feed = make_feed(REPLACE)
    land(feed, f"{feed.name}_00.csv", 0, csv_text("id,a", *(f"{row},0" for row in range(ROWS))))
    feed.run()
    reader = Reader(sandbox.database_url, f"select count(*), min(a), max(a) from {feed.table}")

    def arrive() -> None:
        for number in range(1, files):
            rows = csv_text("id,a", *(f"{row},{number}" for row in range(ROWS)))
            land(feed, f"{feed.name}_{number:02}.csv", number, rows)

    with reader.reading(), ThreadPoolExecutor(1) as pool:
        arriving = pool.submit(arrive)
        for wave in range(15):
            run_concurrently(feed, runs, wave)
            if arriving.done():
                break
        arriving.result()
        run_concurrently(feed, runs, 15)

    assert feed.rows("id, a", "id") == [(row, files - 1) for row in range(ROWS)]
    assert reader.errors == []
    assert {count for count, _, _ in reader.seen} == {ROWS}
    assert [(least, most) for _, least, most in reader.seen if least != most] == []
    # Each file's rows are newer than those before: the table never goes back.
    assert [least for _, least, _ in reader.seen] == sorted(least for _, least, _ in reader.seen)
    assert feed.keys(f"data/in/{feed.name}/") == feed.keys(f"staging/{feed.name}/") == []
    assert len(feed.keys("data/archive/")) == files


def test_concurrent_runs_evolve_the_table_and_lose_nothing(
    make_feed: MakeFeed, sandbox: SandboxAddress, runs: int, files: int
) -> None:
    """Every file brings a longer text, each third a new column, and two of them numbers that outgrow their type."""
    feed = make_feed(WITH_VIEW)
    feed.load(f"{feed.name}_00.csv", csv_text("id,a,t", "0,0,x"))
    expected: dict[int, tuple[str, str]] = {0: ("0", "x")}
    for number in range(1, files):
        a = {2: "5000000000", 4: "123456789012345678901"}.get(number, str(number))
        text = "é" * (120 + 10 * number)
        expected[number] = (a, text)
        added = f",c{number}" if number in NEW_COLUMNS else ""
        feed.land(f"{feed.name}_{number:02}.csv", csv_text(f"id,a,t{added}", f"{number},{a},{text}{added and ',9'}"))
    reader = Reader(sandbox.database_url, f"select count(*) from reporting.v_{feed.name}")

    with reader.reading():
        results = run_concurrently(feed, runs)

    rows = feed.rows("id, a, t", "id")
    assert {number: (str(a), text) for number, a, text in rows} == expected
    assert feed.types()["a"] == "numeric(38,0)"
    new = [number for number in NEW_COLUMNS if number < files]
    assert [name for name in feed.types() if name.startswith("c")] == [f"c{number}" for number in new]
    for number in new:
        assert feed.rows(f"c{number}", "id")[number] == (9,)
    assert len(feed.sql(f"select * from reporting.v_{feed.name}")) == files
    assert reader.errors == []
    first = LoadResult(feed.name, f"data/in/{feed.name}/{feed.name}_00.csv", "", "SUCCESS", None, 0)
    assert_each_loaded_once(feed, [first, *results], files)


def test_a_column_that_comes_while_a_load_waits_keeps_its_values(make_feed: MakeFeed, sandbox: SandboxAddress) -> None:
    feed = make_feed(UPSERT)
    feed.load(f"{feed.name}_00.csv", csv_text("id,a", "1,1", "2,1"))
    feed.land(f"{feed.name}_1.csv", csv_text("id,a", "1,2", "3,2"))
    gate = ledger_table("feedway", TableName("public", feed.name))
    with ThreadPoolExecutor(1) as pool, psycopg.connect(sandbox.database_url) as holder:
        holder.execute(f"lock table {gate.sql}".encode())
        waiting = pool.submit(feed.run)
        while not _waits_for(sandbox, gate):
            assert not waiting.done()
        feed.sql(f"alter table {feed.table} add column c integer", f"update {feed.table} set c = 9")
        holder.rollback()
        (result,) = waiting.result(timeout=60)

    assert result.status == "SUCCESS", result.failure
    assert feed.rows("id, a, c", "id") == [(1, 2, 9), (2, 1, 9), (3, 2, 0)]
    assert result.counts.updated == 1
    assert feed.keys("staging/") == []


def test_pipelines_do_not_wait_for_each_other(make_feed: MakeFeed, sandbox: SandboxAddress) -> None:
    held, free = make_feed(UPSERT), make_feed(UPSERT, run_number_base=0x100)
    for feed in (held, free):
        feed.load(f"{feed.name}_00.csv", csv_text("id,a", "1,1"))
        feed.land(f"{feed.name}_1.csv", csv_text("id,a", "1,2"))
    gate = ledger_table("feedway", TableName("public", held.name))
    with ThreadPoolExecutor(1) as pool, psycopg.connect(sandbox.database_url) as holder:
        holder.execute(f"lock table {gate.sql}".encode())
        waiting = pool.submit(held.run)
        while not _waits_for(sandbox, gate):
            assert not waiting.done()

        (loaded,) = free.run()

        assert loaded.status == "SUCCESS", loaded.failure
        assert not waiting.done()
        holder.rollback()
        (late,) = waiting.result(timeout=60)
    assert late.status == "SUCCESS", late.failure
    assert held.rows("a", "id") == free.rows("a", "id") == [(2,)]


def _waits_for(sandbox: SandboxAddress, table: TableName) -> bool:
    query = "select count(*) from pg_locks where not granted and relation = %s::regclass"
    with psycopg.connect(sandbox.database_url) as connection:
        return connection.execute(query, (table.sql,)).fetchone() != (0,)
