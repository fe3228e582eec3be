"""The operations of the Data API: a request's document in, a response's document out."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from framework.sandbox.data_api import responses
from framework.sandbox.data_api import statement as states
from framework.sandbox.data_api.api_error import (
    ApiError,
    query_not_found,
    result_not_found,
    validation_error,
)
from framework.sandbox.data_api.cancellation import Cancellation, Cancelled
from framework.sandbox.data_api.error_text import error_text
from framework.sandbox.data_api.parameters import substitute
from framework.sandbox.data_api.requests import (
    ListRequest,
    StatementRequest,
    SubmitRequest,
    read_batch,
    read_cancel,
    read_describe,
    read_execute,
    read_list,
    read_result,
)
from framework.sandbox.data_api.runner import Runner
from framework.sandbox.data_api.statement import Ending, Part, Statement, Status, Submission

WORKERS = 30
CANCEL_PATIENCE_SECONDS = 10.0
CANCEL_INTERVAL_SECONDS = 0.05
UNSUPPORTED_OPERATIONS = frozenset(
    {
        "DescribeTable",
        "GetStatementResultV2",
        "ListDatabases",
        "ListSchemas",
        "ListSessions",
        "ListTables",
    }
)

Document = dict[str, Any]

HOLD_SECONDS = 0.1
"""So long the answer to a submission that asks for no wait is held until the statement has ended. Most end within;
who then asks for the first time need not come again, and a stand-in's speed is not that of its callers' pauses."""


class DataApi:
    """Answers requests from any number of threads; statements run in threads of its own."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._store = runner.store
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="statement")
        self._lock = threading.Lock()
        self._running: dict[str, Cancellation] = {}
        self._operations: Mapping[str, Callable[[Document], Document]] = {
            "ExecuteStatement": lambda document: self._submit(read_execute(document), is_batch=False),
            "BatchExecuteStatement": lambda document: self._submit(read_batch(document), is_batch=True),
            "DescribeStatement": lambda document: self._describe(read_describe(document)),
            "GetStatementResult": lambda document: self._result(read_result(document)),
            "CancelStatement": lambda document: self._cancel(read_cancel(document)),
            "ListStatements": lambda document: self._list(read_list(document)),
        }

    def answer(self, operation: str, document: Document) -> Document:
        """Return the response to a request.

        Raises:
            ApiError: the request cannot be served.
        """
        if operation in UNSUPPORTED_OPERATIONS:
            raise validation_error(f"{operation} is not supported by the sandbox.")
        if operation not in self._operations:
            raise ApiError("UnknownOperationException", f"There is no operation {operation!r}.")
        return self._operations[operation](document)

    def stop(self) -> None:
        """End the statements under way, and with them the threads."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            running = list(self._running.items())
        for statement_id, cancellation in running:
            self._interrupt(statement_id, cancellation)
        self._workers.shutdown(wait=True)

    def _submit(self, request: SubmitRequest, is_batch: bool) -> Document:
        for sql in request.sqls:
            substitute(sql, dict(request.parameters))
        statement, is_new = self._store.add(_submission(request, is_batch))
        if is_new:
            cancellation = Cancellation()
            with self._lock:
                self._running[statement.id] = cancellation
            self._workers.submit(self._run, statement, cancellation)
        self._store.wait_until_ended(statement.id, request.wait_seconds or HOLD_SECONDS)
        if request.wait_seconds is None:
            return responses.submitted(statement)
        return responses.submitted_and_awaited(self._store.get(statement.id))

    def _run(self, statement: Statement, cancellation: Cancellation) -> None:
        try:
            self._runner.run(statement, cancellation)
        finally:
            with self._lock:
                self._running.pop(statement.id, None)

    def _describe(self, request: StatementRequest) -> Document:
        statement = self._awaited(request)
        if request.part is None:
            return responses.described(statement)
        return responses.described_part(statement, _part(statement, request), request.text)

    def _result(self, request: StatementRequest) -> Document:
        statement = self._awaited(request)
        if request.part is not None:
            part = _part(statement, request)
        elif statement.submission.is_batch:
            raise result_not_found(request.text)
        else:
            part = statement.parts[0]
        if part.status is not Status.FINISHED or part.outcome.result is None:
            raise result_not_found(request.text)
        first_row = responses.read_next_token(request.next_token)
        return responses.result_page(part.outcome.result, first_row)

    def _awaited(self, request: StatementRequest) -> Statement:
        self._store.wait_until_ended(request.id, request.wait_seconds)
        return self._store.get(request.id)

    def _cancel(self, request: StatementRequest) -> Document:
        statement = self._store.get(request.id)
        if request.part is not None:
            raise validation_error("A part of a batch cannot be cancelled alone; give the id of the batch.")
        if statement.status.is_terminal:
            raise _already_ended(statement)
        with self._lock:
            cancellation = self._running.get(statement.id)
        if cancellation is not None:
            self._interrupt(statement.id, cancellation)
        statement = self._store.get(statement.id)
        if statement.status is not Status.ABORTED:
            raise _already_ended(statement)
        return {"Status": True}

    def _interrupt(self, statement_id: str, cancellation: Cancellation) -> None:
        if self._store.get(statement_id).status is Status.SUBMITTED:
            now = self._runner.clock()
            ending = Ending(Status.ABORTED, error_text(Cancelled()))
            self._store.change(statement_id, lambda s: states.ended(s, ending, now))
        patient_until = time.monotonic() + CANCEL_PATIENCE_SECONDS
        while time.monotonic() < patient_until:
            if self._store.wait_until_ended(statement_id, 0):
                return
            cancellation.request()
            self._store.wait_until_ended(statement_id, CANCEL_INTERVAL_SECONDS)

    def _list(self, request: ListRequest) -> Document:
        first = responses.read_next_token(request.next_token)
        wanted = [s for s in self._store.newest_first() if _is_wanted(s, request)]
        return responses.listed(wanted, first, request.max_results)


def _submission(request: SubmitRequest, is_batch: bool) -> Submission:
    target = request.target
    return Submission(
        id=str(uuid.uuid4()),
        sqls=request.sqls,
        is_batch=is_batch,
        warehouse=target.warehouse,
        database=target.database,
        created_at=time.time(),
        db_user=target.db_user,
        name=request.name,
        client_token=request.client_token,
        parameters=request.parameters,
    )


def _part(statement: Statement, request: StatementRequest) -> Part:
    number = request.part or 0
    if not statement.submission.is_batch or not 1 <= number <= len(statement.parts):
        raise query_not_found(request.text)
    return statement.parts[number - 1]


def _is_wanted(statement: Statement, request: ListRequest) -> bool:
    submission = statement.submission
    return (
        (submission.name or "").startswith(request.name)
        and request.status in (None, statement.status)
        and request.warehouse in (None, submission.warehouse)
        and request.database in (None, submission.database)
    )


def _already_ended(statement: Statement) -> ApiError:
    return validation_error(
        f"Could not cancel a query that is already in {statement.status.value} state with ID: {statement.id}"
    )
