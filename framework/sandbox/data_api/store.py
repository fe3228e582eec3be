"""The statements the API remembers, in memory, shared by all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from framework.sandbox.data_api.api_error import query_not_found, too_many_active
from framework.sandbox.data_api.statement import Statement, Submission, submitted

KEPT_SECONDS = 24 * 3600
KEPT_STATEMENTS = 10_000
TOKEN_SECONDS = 8 * 3600
ACTIVE_STATEMENTS = 500
"""Source: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html (results 24 h, tokens 8 h)"""


class StatementStore:
    """Statements by id, oldest first. `clock` gives epoch seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._statements: dict[str, Statement] = {}
        self._by_token: dict[str, str] = {}
        self._active: set[str] = set()

    def add(self, submission: Submission) -> tuple[Statement, bool]:
        """Keep a new statement, or return the one that was submitted with the same token.

        The second value says whether the statement is new. A token is good for eight hours.

        Raises:
            ApiError: as many statements are active as may be.
        """
        with self._lock:
            self._forget_old()
            earlier = self._submitted_with(submission.client_token)
            if earlier is not None:
                return earlier, False
            if len(self._active) >= ACTIVE_STATEMENTS:
                raise too_many_active(ACTIVE_STATEMENTS)
            statement = submitted(submission)
            self._statements[statement.id] = statement
            self._active.add(statement.id)
            if submission.client_token is not None:
                self._by_token[submission.client_token] = statement.id
            return statement, True

    def get(self, statement_id: str) -> Statement:
        """Return the statement as it is now.

        Raises:
            ApiError: there is none with this id, or no longer.
        """
        with self._lock:
            return self._get(statement_id)

    def change(self, statement_id: str, change: Callable[[Statement], Statement]) -> Statement:
        """Apply a change to the statement and return it; one that has ended stays as it is."""
        with self._lock:
            statement = self._get(statement_id)
            if not statement.status.is_terminal:
                statement = change(statement)
                self._statements[statement_id] = statement
                if statement.status.is_terminal:
                    self._active.discard(statement_id)
                    self._ended.notify_all()
            return statement

    def wait_until_ended(self, statement_id: str, timeout_seconds: float) -> bool:
        """Wait for the statement to end and say whether it has."""
        with self._lock:
            return self._ended.wait_for(lambda: self._get(statement_id).status.is_terminal, timeout_seconds)

    def newest_first(self) -> Sequence[Statement]:
        """Return all statements, the latest submission first."""
        with self._lock:
            self._forget_old()
            return list(reversed(self._statements.values()))

    def _get(self, statement_id: str) -> Statement:
        if statement_id not in self._statements:
            raise query_not_found(statement_id)
        return self._statements[statement_id]

    def _submitted_with(self, token: str | None) -> Statement | None:
        statement = self._statements.get(self._by_token.get(token or "", ""))
        if statement is None or statement.submission.created_at < self._clock() - TOKEN_SECONDS:
            return None
        return statement

    def _forget_old(self) -> None:
        created_before = self._clock() - KEPT_SECONDS
        while self._statements:
            oldest = next(iter(self._statements.values()))
            is_old = oldest.submission.created_at < created_before or len(self._statements) >= KEPT_STATEMENTS
            if not is_old or not oldest.status.is_terminal:
                return
            self._forget(oldest)

    def _forget(self, statement: Statement) -> None:
        del self._statements[statement.id]
        token = statement.submission.client_token
        if token is not None and self._by_token.get(token) == statement.id:
            del self._by_token[token]
