"""What a session asks of the catalog beside its statements."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from psycopg.pq import TransactionStatus

from framework.sandbox.data_api.sessions import Connection
from framework.sandbox.data_api.transaction import Session


class RecordingConnection:
    """Runs nothing; knows whether it is in a transaction, and what it was given."""

    def __init__(self) -> None:
        self.info = SimpleNamespace(transaction_status=TransactionStatus.IDLE)
        self.executed: list[str] = []

    def execute(self, statement: str | bytes) -> Any:
        text = statement if isinstance(statement, str) else statement.decode()
        status = {"begin": TransactionStatus.INTRANS, "commit": TransactionStatus.IDLE}
        self.info.transaction_status = status.get(text, self.info.transaction_status)
        self.executed.append(text)
        return SimpleNamespace(pgresult=None, description=None, rowcount=0)


def test_a_late_binding_view_is_looked_up_once_in_a_transaction() -> None:
    asked: list[str] = []
    connection = RecordingConnection()
    session = Session(
        cast(Connection, connection),
        True,
        lambda schema, name: asked.append(f"{schema}.{name}"),
        lambda connection, copy: 0,
        lambda hashes: {},
    )

    session.execute("delete from s.t using s.u where s.t.a = s.u.a")
    session.execute("insert into s.t select a from s.u")
    assert asked == ["s.u"]

    session.execute("commit")
    session.execute("select a from s.u")
    assert asked == ["s.u", "s.u"]
    assert [text for text in connection.executed if text in ("begin", "commit")] == ["begin", "commit", "begin"]
