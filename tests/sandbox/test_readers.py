"""What readers of a target see while a load replaces its rows: the old ones or the new ones, and no waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from framework.sandbox import SandboxAddress
from tests.harness import MakeFeed, csv_text

REPLACE = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {mode: replace}
metadata_columns: {run_date: null, file_name: null}
"""
ROWS = 500


class Reader(threading.Thread):
    """Asks again and again which versions of the rows a table holds, and how many rows, over a view."""

    def __init__(self, database_url: str, view: str) -> None:
        super().__init__(daemon=True)
        self.seen: set[tuple[str, ...]] = set()
        self.questions = 0
        self.error: BaseException | None = None
        self._database_url = database_url
        self._query = f"select version, count(*) from {view} group by version order by version"
        self._ended = threading.Event()

    def run(self) -> None:
        try:
            with psycopg.connect(self._database_url, autocommit=True) as connection:
                connection.execute("set lock_timeout = '5s'")
                while not self._ended.is_set():
                    rows = connection.execute(self._query.encode()).fetchall()
                    self.seen.add(tuple(f"{version}: {count}" for version, count in rows))
                    self.questions += 1
        except BaseException as error:
            self.error = error

    def finish(self) -> None:
        self._ended.set()
        self.join()


@contextmanager
def reading(database_url: str, view: str) -> Iterator[Reader]:
    reader = Reader(database_url, view)
    reader.start()
    try:
        yield reader
    finally:
        reader.finish()


def version(name: str) -> str:
    return csv_text("id,version", *(f"{number},{name}" for number in range(ROWS)))


def test_readers_of_a_replaced_table_see_old_or_new_rows_and_never_none(
    make_feed: MakeFeed, sandbox: SandboxAddress
) -> None:
    feed = make_feed(REPLACE)
    feed.load("0.csv", version("v0"))
    view = f"reporting.readers_{feed.name}"
    feed.sql(
        "create schema if not exists reporting",
        f"create view {view} as select * from {feed.table}",
        f"grant select on {view} to public",
    )
    with reading(sandbox.database_url, view) as reader:
        for number in range(1, 5):
            result = feed.load(f"{number}.csv", version(f"v{number}"))
            assert (result.status, result.counts.deleted, result.counts.inserted) == ("SUCCESS", ROWS, ROWS)

    assert reader.error is None
    assert reader.questions > 20
    assert reader.seen <= {(f"v{number}: {ROWS}",) for number in range(5)}
    assert len(reader.seen) > 1
    assert feed.sql(
        "select identity_name, privilege_type from svv_relation_privileges "
        f"where namespace_name = 'reporting' and relation_name = 'readers_{feed.name}' and identity_type = 'public'"
    ) == [("public", "SELECT")]
