"""Two concurrent sessions: what PostgreSQL says of a conflict is said in Redshift's words."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from tests.sandbox.redshift_sql_session import Session, new_session, server


@pytest.fixture
def committed() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection whose statements stay, and what it made is removed."""
    with psycopg.connect(server(), autocommit=True) as connection:
        yield connection
        connection.execute("drop table if exists public.contested")


def test_a_row_changed_since_the_snapshot_is_a_serializable_violation(
    committed: psycopg.Connection[tuple[object, ...]],
) -> None:
    committed.execute("create table public.contested as select 1 as a")
    with new_session(psycopg.IsolationLevel.REPEATABLE_READ) as session:
        assert session.run("select a from contested") == [(1,)]
        committed.execute("update public.contested set a = 2")

        assert session.error("update contested set a = 3").splitlines() == [
            "1023",
            "  Detail: Serializable isolation violation on table - 0, transactions forming the cycle are: 0, 0 (pid:0)",
        ]


def test_a_table_created_since_it_was_looked_for_is_a_conflict(
    committed: psycopg.Connection[tuple[object, ...]],
) -> None:
    """PostgreSQL then finds the type that comes with each table; a domain of the name is found at the same place."""
    committed.execute("create domain public.contested as integer")
    try:
        with new_session() as session:
            message = session.error("create table if not exists public.contested (a int)")
    finally:
        committed.execute("drop domain public.contested")

    assert message == "could not complete because of conflict with concurrent transaction"


def test_the_second_to_create_a_name_waits_and_hears_of_the_conflict(
    committed: psycopg.Connection[tuple[object, ...]],
) -> None:
    messages: list[str] = []
    with psycopg.connect(server()) as first, new_session() as second:
        first.execute("select")
        Session(first).run("create table public.contested (a int)")
        create = "create table if not exists public.contested (a int)"
        waiting = threading.Thread(target=lambda: messages.append(second.error(create)))
        waiting.start()
        while not _waits(committed, second):
            assert waiting.is_alive()
        first.commit()
        waiting.join()

    assert messages == ["could not complete because of conflict with concurrent transaction"]


def _waits(connection: psycopg.Connection[tuple[object, ...]], session: Session) -> bool:
    process = session.connection.info.backend_pid
    row = connection.execute("select wait_event_type from pg_stat_activity where pid = %s", (process,)).fetchone()
    return row == ("Lock",)
