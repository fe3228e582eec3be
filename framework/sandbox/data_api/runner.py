"""Runs a submitted statement to its end and writes down on the way how far it got."""

from __future__ import annotations

import itertools
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from framework.sandbox import redshift_sql
from framework.sandbox.data_api import statement as states
from framework.sandbox.data_api.cancellation import Cancellation, Cancelled
from framework.sandbox.data_api.error_text import STATEMENT_ERRORS, error_text
from framework.sandbox.data_api.load_errors import log_load_error
from framework.sandbox.data_api.parameters import substitute
from framework.sandbox.data_api.sessions import Connection, ConnectionFailed, Sessions
from framework.sandbox.data_api.spectrum_error import ScanError
from framework.sandbox.data_api.statement import Ending, Statement, Status
from framework.sandbox.data_api.store import StatementStore
from framework.sandbox.data_api.transaction import Origins, Session

LoadParquet = Callable[[Connection, redshift_sql.CopyParquet, Callable[[], None]], int]
"""Runs a COPY and returns the rows loaded; the third argument is to be called between pieces of work."""

FIRST_QUERY_ID = 1000


@dataclass(frozen=True)
class Runner:
    """What running statements takes."""

    store: StatementStore
    sessions: Sessions
    load_parquet: LoadParquet
    clock: Callable[[], float] = time.time
    query_ids: itertools.count[int] = field(default_factory=lambda: itertools.count(FIRST_QUERY_ID))
    system_origins: dict[int, Origins] = field(default_factory=dict)

    def run(self, statement: Statement, cancellation: Cancellation) -> None:
        """Run a submitted statement; one that was cancelled meanwhile is left alone."""
        picked = self.store.change(statement.id, lambda s: states.picked(s, self.clock()))
        if picked.status.is_terminal:
            return
        try:
            with self.sessions.session(statement.submission.database) as connection:
                self._run_on(connection, statement, cancellation)
        except ConnectionFailed as error:
            self._end(statement, Ending(Status.FAILED, str(error)))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            self._end(statement, Ending(Status.FAILED, f"ERROR: the sandbox itself failed: {error!r}"))

    def _run_on(self, connection: Connection, statement: Statement, cancellation: Cancellation) -> None:
        pid = connection.info.backend_pid
        self.store.change(statement.id, lambda s: states.started(s, pid, self.clock()))
        session = Session(
            connection,
            statement.submission.is_batch,
            self.sessions.find_late_binding_view,
            lambda on, copy: self.load_parquet(on, copy, cancellation.check),
            self.sessions.find_long_names,
            system_origins=self.system_origins,
        )
        with cancellation.watching(connection):
            for index in range(len(statement.parts)):
                if not self._run_part(session, statement, index, cancellation):
                    return
            self._commit(session, statement, cancellation)

    def _run_part(self, session: Session, statement: Statement, index: int, cancellation: Cancellation) -> bool:
        query_id = next(self.query_ids)
        self.store.change(statement.id, lambda s: states.part_started(s, index, query_id, self.clock()))
        sql = substitute(statement.parts[index].sql, dict(statement.submission.parameters))
        began_ns = time.perf_counter_ns()
        try:
            cancellation.check()
            outcome = session.execute(sql)
        except STATEMENT_ERRORS as error:
            spent_ns = time.perf_counter_ns() - began_ns
            _roll_back(session)
            if isinstance(error, ScanError) and error.logged is not None:
                log_load_error(session.connection, query_id, error.logged)
            ending = _ending(session, error, cancellation, query_id)
            self.store.change(statement.id, lambda s: states.part_ended(s, index, ending, spent_ns, self.clock()))
            return False
        spent_ns = time.perf_counter_ns() - began_ns
        self.store.change(statement.id, lambda s: states.part_finished(s, index, outcome, spent_ns, self.clock()))
        return True

    def _commit(self, session: Session, statement: Statement, cancellation: Cancellation) -> None:
        try:
            if session.is_batch:
                cancellation.check()
            session.commit()
        except STATEMENT_ERRORS as error:
            _roll_back(session)
            self._end(statement, _ending(session, error, cancellation))
        else:
            self.store.change(statement.id, lambda s: states.finished(s, self.clock()))

    def _end(self, statement: Statement, ending: Ending) -> None:
        self.store.change(statement.id, lambda s: states.ended(s, ending, self.clock()))


def _roll_back(session: Session) -> None:
    # Where this fails, the connection is broken and PostgreSQL rolls back by itself.
    with suppress(psycopg.Error):
        session.rollback()


def _ending(session: Session, error: Exception, cancellation: Cancellation, query_id: int | None = None) -> Ending:
    if cancellation.is_requested:
        return Ending(Status.ABORTED, error_text(Cancelled(), query_id))
    return Ending(Status.FAILED, session.shown(error_text(error, query_id)))
