"""Statements through the Redshift Data API: submit, poll, fetch, and retry after transient failures."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from os.path import commonpath
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.exceptions import BotoCoreError, ClientError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from framework.dataclass import dataclass
from framework.errors import NOTHING_REFUSED, SQL_MARK, RefusedStatement, TransientWarehouseError, WarehouseError
from framework.log.aws_errors import call_error, credentials_refused
from framework.log.redaction import without_values
from framework.model.names import statement_name
from framework.parallel import map_parallel
from framework.plan.render import condensed, render
from framework.plan.steps import Transaction
from framework.warehouse.rate_limit import ACCOUNT_QUOTAS, SHARE, RateLimiter
from framework.warehouse.refusals import (
    at_fault_in,
    cause_of,
    is_outage_text,
    is_transient_response,
    is_transient_text,
    known_words,
)
from framework.warehouse.timeout import time_used_up
from framework.warehouse.wrong_settings import wrong_setting

if TYPE_CHECKING:
    from mypy_boto3_redshift_data.client import RedshiftDataAPIServiceClient

    from framework.log.run_log import RunLog
    from framework.spec.environment import RetrySettings, WarehouseSettings

Value = str | int | float | bool | None
Row = tuple[Value, ...]

WAIT_SECONDS = 1
"""So long the service holds the answer of a call, at the most, until the statement has ended. An interruption of the
command is noticed between two calls."""
FIRST_POLL_SECONDS = 0.1
LONGEST_POLL_SECONDS = 1.0
POLL_GROWTH = 1.1
"""Where the client cannot make the service wait, a statement's end is noticed at most a tenth of its duration, or a
second, later; the service's quota for DescribeStatement allows for some 70 concurrent waits."""
MOST_FETCHED_UNSEEN = int(ACCOUNT_QUOTAS["get_statement_result"] * SHARE)
"""So many results, what a second may hold, are fetched side by side without a description of which have rows."""
_WAIT = "WaitTimeSeconds"
_TOO_MANY_WAIT = "ActiveWaitingRequestsExceededException"
_UNFINISHED = ("SUBMITTED", "PICKED", "STARTED")


@dataclass(frozen=True)
class Caller:
    """The run that statements belong to: names every statement in the query history and in StatementName."""

    pipeline: str
    run_id: str


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result; of a text column, `precision` is its length in bytes."""

    name: str
    type_name: str
    precision: int
    scale: int


class Warehouse:
    """One warehouse behind the Data API. Threads may share it.

    `submissions` counts ExecuteStatement and BatchExecuteStatement calls that were answered.
    """

    def __init__(
        self,
        client: RedshiftDataAPIServiceClient,
        settings: WarehouseSettings,
        retry: RetrySettings,
        limiter: RateLimiter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._retry = retry
        self._limiter = limiter
        self._sleep = sleep
        self.settings = settings
        self.submissions = 0
        self._counting = threading.Lock()
        self._usual_seconds: dict[str, float] = {}
        operations = client.meta.service_model
        shapes = (operations.operation_model(name).input_shape for name in ("ExecuteStatement", "DescribeStatement"))
        self._may_wait = all(shape is not None and _WAIT in shape.members for shape in shapes)
        self._connection: dict[str, Any] = {"Database": settings.database}
        optional = {
            "WorkgroupName": settings.workgroup,
            "ClusterIdentifier": settings.cluster,
            "DbUser": settings.db_user,
            "SecretArn": settings.secret_arn,
        }
        self._connection |= {name: value for name, value in optional.items() if value is not None}

    @property
    def region(self) -> str:
        """The region in which the client calls the Data API."""
        return self._client.meta.region_name

    def run(
        self, transaction: Transaction, caller: Caller, log: RunLog, attempts: int | None = None
    ) -> list[list[Row]]:
        """Run the statements as one transaction and return each one's rows.

        A transaction of one statement runs outside any transaction block. Rows are fetched for statements that
        fetch, and are empty for all others. `attempts` overrides the environment's, for cleanup that must not wait.

        Raises:
            TransientWarehouseError: every attempt failed transiently.
            WarehouseError: a permanent failure; `refused` is the failed statement, if one failed.
        """
        described = self._run(transaction, caller, log, attempts)
        # Most queries of a load return no rows, and fetching them all would make a third of its calls.
        with_rows = [
            part["Id"]
            for part, statement in zip(described, transaction.statements, strict=True)
            if statement.fetches and part.get("ResultRows") != 0
        ]
        rows = dict(zip(with_rows, map_parallel(self.fetch, with_rows), strict=True))
        return [rows.get(part["Id"], []) for part in described]

    def columns_of(self, transaction: Transaction, caller: Caller, log: RunLog) -> list[list[ResultColumn]]:
        """Run queries as one transaction and return the columns of each result.

        Raises:
            WarehouseError: as in `run`.
        """
        return [
            [
                ResultColumn(column["name"], column["typeName"], column.get("precision", 0), column.get("scale", 0))
                for column in self.call("get_statement_result", Id=part["Id"])["ColumnMetadata"]
            ]
            for part in self._run(transaction, caller, log)
        ]

    def _run(
        self, transaction: Transaction, caller: Caller, log: RunLog, attempts: int | None = None
    ) -> list[dict[str, Any]]:
        """Run the statements as one transaction and return each one's description."""
        texts = [render(statement, caller.pipeline, caller.run_id) for statement in transaction.statements]
        attempt = _Attempt(self, texts, transaction, caller)

        def log_retry(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            pause = state.next_action.sleep if state.next_action else 0
            log.warning(
                "retrying after a transient failure",
                step=transaction.name,
                attempt=state.attempt_number,
                pause_seconds=pause,
                error=str(error),
            )

        retrying = Retrying(
            stop=stop_after_attempt(attempts or self._retry.attempts),
            wait=wait_exponential(multiplier=self._retry.delay_seconds, exp_base=self._retry.backoff),
            retry=retry_if_exception_type(TransientWarehouseError),
            sleep=self._sleep,
            before_sleep=log_retry,
            reraise=True,
        )
        return retrying(attempt.run)

    def await_statements(self, name_prefixes: Sequence[str]) -> int:
        """Wait until no statement whose name starts with one of the prefixes is running; return how many there were.

        Few calls, however many prefixes: what they have in common is listed.
        """
        waited = 0
        # In the order in which a statement passes through them, so that none moves on between two listings unseen.
        for status in _UNFINISHED:
            page: dict[str, Any] = {"StatementName": commonpath(name_prefixes), "Status": status, "MaxResults": 100}
            while True:
                answer = self.call("list_statements", **page)
                for statement in answer["Statements"]:
                    if statement["StatementName"].startswith(tuple(name_prefixes)):
                        waited += 1
                        self.poll(statement["Id"])
                if not answer.get("NextToken"):
                    break
                page["NextToken"] = answer["NextToken"]
        return waited

    def submit(self, texts: Sequence[str], name: str, token: str) -> dict[str, Any]:
        """Submit one statement, or several as one transaction; return its Id and, if the service waited, its Status."""
        arguments = {"StatementName": name, "ClientToken": token, **self._connection}
        if len(texts) == 1:
            answer = self._call_waiting("execute_statement", Sql=texts[0], **arguments)
        else:
            answer = self._call_waiting("batch_execute_statement", Sqls=list(texts), **arguments)
        with self._counting:
            self.submissions += 1
        return answer

    def poll(
        self, statement_id: str, kind: str | None = None, check: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]:
        """Return the statement's description once it has ended, in whatever status.

        `kind` names statements that usually take as long. `check` receives the description of a statement that has not
        ended; an exception that it raises ends the polling.
        """
        began, pause = time.monotonic(), FIRST_POLL_SECONDS
        usual = self._usual_seconds.get(kind or "", 0.0)
        if not self._may_wait and usual >= FIRST_POLL_SECONDS:
            self._sleep(usual)
        while True:
            # Without a pause too: the command may have been interrupted.
            self._sleep(0)
            description = self._call_waiting("describe_statement", Id=statement_id)
            if description["Status"] not in _UNFINISHED:
                break
            if check is not None:
                check(description)
            if not self._may_wait:
                self._sleep(pause)
                pause = min(pause * POLL_GROWTH, LONGEST_POLL_SECONDS)
        if kind is not None:
            took = time.monotonic() - began
            self._usual_seconds[kind] = min(took, self._usual_seconds.get(kind, took))
        return description

    def _call_waiting(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Make a call whose answer the service holds until the statement has ended, for WAIT_SECONDS at the most."""
        if self._may_wait:
            try:
                return self.call(operation, **arguments, **{_WAIT: WAIT_SECONDS})
            except WarehouseError as error:
                cause = error.__cause__
                if not (isinstance(cause, ClientError) and cause.response["Error"].get("Code") == _TOO_MANY_WAIT):
                    raise
                self._may_wait = False
        return self.call(operation, **arguments)

    def pause(self, seconds: float) -> None:
        """Sleep; an interruption of the command ends the sleep."""
        self._sleep(seconds)

    def cancel(self, statement_id: str) -> None:
        """Cancel a statement and wait for its end; does nothing where it has ended or the service does not answer."""
        with suppress(WarehouseError):
            self.call("cancel_statement", Id=statement_id)
            self.poll(statement_id)

    def fetch(self, statement_id: str) -> list[Row]:
        """Return all rows of a finished statement that has a result."""
        rows: list[Row] = []
        page: dict[str, Any] = {"Id": statement_id}
        while True:
            answer = self.call("get_statement_result", **page)
            rows.extend(tuple(_value(field) for field in record) for record in answer["Records"])
            if not answer.get("NextToken"):
                return rows
            page["NextToken"] = answer["NextToken"]

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Make one API call; botocore's errors become Feedway's."""
        self._limiter.wait(operation)
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**arguments)
        except ClientError as error:
            _raise_refused(operation, error, self.settings)
        except BotoCoreError as error:
            raise call_error(error, "the Data API", operation, "warehouse.region") from error
        return answer


class _Attempt:
    """One transaction, submitted until there is an answer.

    Until there is an answer the ClientToken stays the same, so that a submission whose reply was
    lost is not repeated. A statement that has ended is retried with a new token.
    """

    def __init__(self, warehouse: Warehouse, texts: Sequence[str], transaction: Transaction, caller: Caller) -> None:
        self._warehouse = warehouse
        self._caller = caller
        self._texts = texts
        self._transaction = transaction
        self._name = statement_name(caller.pipeline, caller.run_id, transaction.name)
        self._token = uuid.uuid4().hex

    def run(self) -> list[dict[str, Any]]:
        submitted = self._warehouse.submit(self._texts, self._name, self._token)
        statement_id = str(submitted["Id"])
        fetched = sum(statement.fetches for statement in self._transaction.statements)
        if submitted.get("Status") == "FINISHED" and fetched <= MOST_FETCHED_UNSEEN:
            # A description would save the calls that fetch no rows, but the others would wait for it.
            return [{"Id": part} for part in self._part_ids(statement_id)]
        description = self._await(statement_id)
        if description["Status"] != "FINISHED":
            self._token = uuid.uuid4().hex
            _refuse_wrong_setting(description, self._warehouse.settings)
            timeout_ms = time_used_up(self._warehouse, description, self._caller)
            _raise_failed(description, self._texts, self._transaction, timeout_ms)
        return description.get("SubStatements") or [description]

    def _part_ids(self, statement_id: str) -> list[str]:
        if len(self._texts) == 1:
            return [statement_id]
        return [f"{statement_id}:{number}" for number in range(1, len(self._texts) + 1)]

    def _await(self, statement_id: str) -> dict[str, Any]:
        try:
            return self._warehouse.poll(statement_id, self._transaction.name, _TimeLimits(self._transaction).check)
        except KeyboardInterrupt:
            # Otherwise the cleanup would wait for its locks, and nothing else awaits it.
            self._warehouse.cancel(statement_id)
            raise
        except _GivenUp as reason:
            with suppress(WarehouseError):
                self._warehouse.call("cancel_statement", Id=statement_id)
            raise TransientWarehouseError(str(reason), statement_id=statement_id) from None
        except _TakesTooLong as reason:
            self._warehouse.cancel(statement_id)
            description = self._warehouse.poll(statement_id)
            if description["Status"] == "FINISHED":
                return description
            raise TransientWarehouseError(
                f"statement {statement_id} was cancelled: {reason}", statement_id=statement_id
            ) from None


class _TakesTooLong(Exception):
    """A statement has run for longer than it may."""


class _GivenUp(Exception):
    """A transaction has not ended for longer than it may, whether it runs or waits for its turn."""


class _TimeLimits:
    """How long a transaction has taken, and those of its statements have run, that have a limited time."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._submitted_at = time.monotonic()
        self._seen_at: dict[int, float] = {}

    def check(self, description: Mapping[str, Any]) -> None:
        """Raise _GivenUp or _TakesTooLong if the transaction, or the statement that runs, exceeds its `max_seconds`."""
        most = self._transaction.max_seconds
        if most is not None and time.monotonic() - self._submitted_at > most:
            raise _GivenUp(f"no answer within {most} s")
        parts = description.get("SubStatements") or [description]
        for index, (statement, part) in enumerate(zip(self._transaction.statements, parts, strict=False)):
            if statement.max_seconds is None or part["Status"] != "STARTED":
                continue
            seconds = time.monotonic() - self._seen_at.setdefault(index, time.monotonic())
            if seconds > statement.max_seconds:
                raise _TakesTooLong(f"{statement.template} ran for more than {statement.max_seconds} s")


def _value(field: dict[str, Any]) -> Value:
    if field.get("isNull"):
        return None
    (value,) = (value for name, value in field.items() if name != "isNull" and value is not None)
    return value  # type: ignore[no-any-return]


def _raise_refused(operation: str, error: ClientError, settings: WarehouseSettings) -> NoReturn:
    details = error.response.get("Error", {})
    code, message = details.get("Code", ""), details.get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    refusal = f"the Data API refused {operation}: {code}: {message}"
    if is_transient_response(code, status, message):
        raise TransientWarehouseError(refusal, warehouse_message=message, is_outage=True) from error
    if (fault := wrong_setting(message, settings)) is not None:
        raise WarehouseError(fault, warehouse_message=message, is_outage=True) from error
    if (advice := credentials_refused(code)) is not None:
        raise WarehouseError(f"{refusal.rstrip('.')}. {advice}", warehouse_message=message, is_outage=True) from error
    raise WarehouseError(refusal, warehouse_message=message) from error


def _refuse_wrong_setting(description: dict[str, Any], settings: WarehouseSettings) -> None:
    """Raise where a statement could not start because a setting of the environment is wrong."""
    message = without_values(description.get("Error") or "")
    if (fault := wrong_setting(message, settings)) is not None:
        raise WarehouseError(fault, statement_id=description["Id"], warehouse_message=message, is_outage=True)


def _raise_failed(
    description: dict[str, Any], texts: Sequence[str], transaction: Transaction, timeout_ms: int | None
) -> NoReturn:
    """Raise for a statement that ended FAILED or ABORTED, with its id, its SQL and the warehouse's message.

    `timeout_ms` is the statement_timeout that it reached, None where it did not.
    """
    # Redacted before it is classified: a row's values must not influence the classification.
    message = without_values(description.get("Error") or f"the statement ended {description['Status']} with no message")
    refused = _refused_statement(description, transaction)
    passes = timeout_ms is None and (description["Status"] == "ABORTED" or is_transient_text(message))
    kind = TransientWarehouseError if passes else WarehouseError
    lines = [f"statement {description['Id']} {description['Status']}: {message.strip()}"]
    if timeout_ms is not None:
        lines.append(f"It ran for {timeout_ms} ms, the statement_timeout of the user Feedway connects as; raise that.")
    statement = "" if refused.index is None else f"{SQL_MARK}{condensed(texts[refused.index])[:2000]}"
    raise kind(
        "\n".join(lines) + statement,
        statement_id=description["Id"],
        refused=refused,
        cause=cause_of(message),
        warehouse_message=message,
        is_outage=passes and is_outage_text(message),
        # Redaction hides what stands in quotes, and the warehouse may put a value elsewhere.
        brief=f"statement {description['Id']} {description['Status']}: {known_words(message)}",
    )


def _refused_statement(description: dict[str, Any], transaction: Transaction) -> RefusedStatement:
    parts = description.get("SubStatements")
    failed = next((index for index, part in enumerate(parts) if part.get("Status") == "FAILED"), None) if parts else 0
    if failed is None:
        return NOTHING_REFUSED
    query_id = (parts[failed] if parts else description).get("RedshiftQueryId") or 0
    return RefusedStatement(
        failed,
        transaction.refusal_of(failed),
        # One that did not reach the compute nodes has -1.
        query_id if query_id > 0 else None,
        at_fault_in(description.get("Error") or ""),
    )
