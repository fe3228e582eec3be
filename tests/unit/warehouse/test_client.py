"""The Data API client: submitting, polling, transient failures, and what a refusal says."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from framework.errors import AtFault, Cause, OnRefusal, RefusedStatement, TransientWarehouseError, WarehouseError
from framework.log.run_log import RunLog
from framework.model.names import TableName
from framework.plan.steps import Statement, Transaction, select
from framework.spec.environment import RetrySettings, WarehouseSettings
from framework.warehouse.client import MOST_FETCHED_UNSEEN, Caller, Warehouse
from framework.warehouse.rate_limit import RateLimiter

LOCK = Transaction("merge", (Statement("lock_ledger", {"table": TableName("f", "l")}),) * 2)
ONE = Transaction("drop", (Statement("drop_tables", {"tables": ['"f"."s"']}),))
CALLER = Caller("customers", "r1")


class FakeDataApi:
    """Answers each call with the next prepared answer of its operation; an exception is raised.

    Its model is that of boto3, or of an older one that cannot wait.
    """

    def __init__(self, may_wait: bool = False, **answers: Sequence[Any]) -> None:
        members = {"Id", "WaitTimeSeconds"} if may_wait else {"Id"}
        operation = SimpleNamespace(input_shape=SimpleNamespace(members=members))
        self.meta = SimpleNamespace(service_model=SimpleNamespace(operation_model=lambda name: operation))
        self.answers = {name: list(values) for name, values in answers.items()}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.calls.append((operation, arguments))
            answer = self.answers[operation].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def arguments_of(self, operation: str) -> list[dict[str, Any]]:
        return [arguments for name, arguments in self.calls if name == operation]


def settings(**changes: Any) -> WarehouseSettings:
    values: dict[str, Any] = {
        "workgroup": "w",
        "cluster": None,
        "database": "dev",
        "db_user": None,
        "secret_arn": None,
        "copy_role": "default",
        "control_schema": "feedway",
        "region": None,
    }
    return WarehouseSettings(**(values | changes))


def warehouse(fake: FakeDataApi, pauses: list[float] | None = None, **changes: Any) -> Warehouse:
    naps: list[float] = [] if pauses is None else pauses
    limiter = RateLimiter({})
    return Warehouse(fake, settings(**changes), RetrySettings(3, 180, 2), limiter, sleep=naps.append)  # type: ignore[arg-type]


def log() -> RunLog:
    return RunLog("r1", "customers", None)


def throttled() -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "ExecuteStatement")


def failed(message: str) -> dict[str, Any]:
    parts = [{"Id": "s:1", "Status": "FINISHED"}, {"Id": "s:2", "Status": "FAILED"}]
    return {"Id": "s", "Status": "FAILED", "Error": message, "SubStatements": parts}


FINISHED = {"Id": "s", "Status": "FINISHED", "SubStatements": [{"Id": "s:1"}, {"Id": "s:2"}]}


def test_several_statements_go_as_one_batch_and_one_goes_alone() -> None:
    fake = FakeDataApi(
        batch_execute_statement=[{"Id": "s"}],
        execute_statement=[{"Id": "t"}],
        describe_statement=[FINISHED, {"Id": "t", "Status": "FINISHED"}],
    )
    target = warehouse(fake)

    target.run(LOCK, CALLER, log())
    target.run(ONE, CALLER, log())

    (batch,) = fake.arguments_of("batch_execute_statement")
    assert len(batch["Sqls"]) == 2
    assert batch["StatementName"] == "feedway/customers/r1/merge"
    assert fake.arguments_of("execute_statement")[0]["Sql"].endswith('drop table if exists "f"."s"')
    assert target.submissions == 2


def test_a_cluster_with_a_user_and_a_secret_is_named_as_such() -> None:
    fake = FakeDataApi(execute_statement=[{"Id": "t"}], describe_statement=[{"Id": "t", "Status": "FINISHED"}])

    warehouse(fake, workgroup=None, cluster="c", db_user="etl", secret_arn="arn:s").run(ONE, CALLER, log())

    (sent,) = fake.arguments_of("execute_statement")
    assert {"ClusterIdentifier": "c", "DbUser": "etl", "SecretArn": "arn:s", "Database": "dev"}.items() <= sent.items()
    assert "WorkgroupName" not in sent


def test_polling_starts_at_a_tenth_of_a_second_and_slows_down_to_a_second() -> None:
    waiting = [{"Id": "t", "Status": status} for status in ("SUBMITTED", "PICKED", *["STARTED"] * 28)]
    fake = FakeDataApi(
        execute_statement=[{"Id": "t"}], describe_statement=[*waiting, {"Id": "t", "Status": "FINISHED"}]
    )
    pauses: list[float] = []

    warehouse(fake, pauses).run(ONE, CALLER, log())

    pauses = [pause for pause in pauses if pause]
    assert pauses[:3] == pytest.approx([0.1, 0.11, 0.121])
    assert pauses[-1] == 1.0


def test_a_conflict_is_retried_as_a_whole_and_every_attempt_is_logged() -> None:
    fake = FakeDataApi(
        batch_execute_statement=[{"Id": "s"}, {"Id": "s2"}, {"Id": "s3"}],
        describe_statement=[failed("Query #2 failed with ERROR: 1023")] * 2 + [FINISHED],
    )
    pauses: list[float] = []
    shown = log()

    warehouse(fake, pauses).run(LOCK, CALLER, shown)

    tokens = [sent["ClientToken"] for sent in fake.arguments_of("batch_execute_statement")]
    assert [pause for pause in pauses if pause] == [180, 360]
    assert len(set(tokens)) == 3
    assert shown.text().count("retrying after a transient failure") == 2


def test_a_submission_without_an_answer_is_repeated_under_the_same_token() -> None:
    lost = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    fake = FakeDataApi(batch_execute_statement=[{"Id": "s"}, {"Id": "s"}], describe_statement=[lost, FINISHED])

    warehouse(fake).run(LOCK, CALLER, log())

    first, second = fake.arguments_of("batch_execute_statement")
    assert first["ClientToken"] == second["ClientToken"]


def test_the_last_error_is_raised_with_its_cause() -> None:
    fake = FakeDataApi(execute_statement=[throttled(), throttled(), throttled()])

    with pytest.raises(TransientWarehouseError, match="Rate exceeded") as caught:
        warehouse(fake).run(ONE, CALLER, log())

    assert isinstance(caught.value.__cause__, ClientError)
    assert len(fake.calls) == 3


def test_a_permanent_refusal_is_not_repeated_and_says_what_the_warehouse_said() -> None:
    fake = FakeDataApi(
        batch_execute_statement=[{"Id": "s"}],
        describe_statement=[failed('Query #2 failed with ERROR: relation "x" does not exist')],
    )

    with pytest.raises(WarehouseError, match=r'statement s FAILED: .*relation "x" does not exist') as caught:
        warehouse(fake).run(LOCK, CALLER, log())

    assert not isinstance(caught.value, TransientWarehouseError)
    assert (caught.value.statement_id, caught.value.refused.index) == ("s", 1)
    assert "lock table" in str(caught.value)
    assert len(fake.arguments_of("batch_execute_statement")) == 1


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ('Query #2 failed with ERROR: relation "feedway.job_sts" does not exist', Cause.MISSING_RELATION),
        ('ERROR: schema "feedway" does not exist', Cause.MISSING_RELATION),
        ('FATAL: database "dve" does not exist', Cause.MISSING_DATABASE),
        ('ERROR: user "etl" does not exist', Cause.MISSING_GRANTEE),
        ('ERROR: column "warnings" of relation "job_sts" already exists', Cause.COLUMN_EXISTS),
        ('ERROR: column "warnings" of relation "job_sts" does not exist', Cause.MISSING_COLUMN),
        ("ERROR: value too long for type character varying(3)", Cause.VALUE_TOO_LONG),
        ("ERROR: Cannot insert a NULL value into column id", Cause.NULL_NOT_ALLOWED),
        ("ERROR: permission denied for relation orders", Cause.NOT_PERMITTED),
        ('ERROR: syntax error at or near "FROM"', Cause.OTHER),
    ],
)
def test_a_refusal_has_a_cause_and_says_what_it_means(message: str, cause: Cause) -> None:
    fake = FakeDataApi(batch_execute_statement=[{"Id": "s"}], describe_statement=[failed(message)])
    guarded = Transaction("merge", (LOCK.statements[0], replace(LOCK.statements[1], if_refused=OnRefusal.REPLAN)))

    with pytest.raises(WarehouseError) as caught:
        warehouse(fake).run(guarded, CALLER, log())

    assert (caught.value.cause, caught.value.refused.meaning) == (cause, OnRefusal.REPLAN)


def cancelled(seconds: float, status: str = "FAILED") -> dict[str, Any]:
    duration = int(seconds * 1_000_000_000)
    return failed("ERROR: Query (168) cancelled on user's request") | {
        "Status": status,
        "SubStatements": [
            {"Id": "s:1", "Status": "FINISHED", "Duration": 1_000_000},
            {"Id": "s:2", "Status": status, "Duration": duration},
        ],
    }


TIMEOUT_OF_ONE_MINUTE = {"Records": [[{"stringValue": "60000"}]]}
NO_TIMEOUT = {"Records": [[{"stringValue": "0"}]]}


@pytest.mark.parametrize("status", ["FAILED", "ABORTED"])
@pytest.mark.parametrize(("seconds", "setting"), [(59.9, TIMEOUT_OF_ONE_MINUTE), (3600, NO_TIMEOUT)])
def test_a_statement_that_was_cancelled_early_is_retried(status: str, seconds: float, setting: Any) -> None:
    fake = FakeDataApi(
        batch_execute_statement=[{"Id": "s"}, {"Id": "s2"}],
        execute_statement=[{"Id": "t"}],
        describe_statement=[cancelled(seconds, status), {"Id": "t", "Status": "FINISHED"}, FINISHED],
        get_statement_result=[setting],
    )

    warehouse(fake).run(LOCK, CALLER, log())

    assert len(fake.arguments_of("batch_execute_statement")) == 2


@pytest.mark.parametrize("status", ["FAILED", "ABORTED"])
def test_a_statement_that_ran_into_its_timeout_is_not_retried(status: str) -> None:
    fake = FakeDataApi(
        batch_execute_statement=[{"Id": "s"}],
        execute_statement=[{"Id": "t"}],
        describe_statement=[cancelled(60, status), {"Id": "t", "Status": "FINISHED"}],
        get_statement_result=[TIMEOUT_OF_ONE_MINUTE],
    )

    with pytest.raises(WarehouseError, match="ran for 60000 ms, the statement_timeout of the user") as caught:
        warehouse(fake).run(LOCK, CALLER, log())

    assert not isinstance(caught.value, TransientWarehouseError)


def test_a_timeout_that_cannot_be_read_is_none() -> None:
    fake = FakeDataApi(
        batch_execute_statement=[{"Id": "s"}, {"Id": "s2"}],
        execute_statement=[throttled()],
        describe_statement=[cancelled(60), FINISHED],
    )

    warehouse(fake).run(LOCK, CALLER, log())


def test_a_batch_without_a_failed_statement_blames_none() -> None:
    refused = {"Id": "s", "Status": "FAILED", "Error": "FATAL: something", "SubStatements": [{"Status": "ABORTED"}] * 2}
    fake = FakeDataApi(batch_execute_statement=[{"Id": "s"}], describe_statement=[refused])

    with pytest.raises(WarehouseError, match="FATAL: something") as caught:
        warehouse(fake).run(LOCK, CALLER, log())

    assert caught.value.refused == RefusedStatement()
    assert LOCK.refused_by(caught.value) is None


def test_rows_are_fetched_page_by_page_and_only_of_selects() -> None:
    counts = select("select_staging_count", {"staging": TableName("f", "s")})
    fake = FakeDataApi(
        batch_execute_statement=[{"Id": "s"}],
        describe_statement=[
            {"Id": "s", "Status": "FINISHED", "SubStatements": [{"Id": "s:1"}, {"Id": "s:2", "HasResultSet": True}]}
        ],
        get_statement_result=[
            {"Records": [[{"longValue": 1}, {"isNull": True}]], "NextToken": "n"},
            {"Records": [[{"stringValue": "1.50"}, {"booleanValue": False}]]},
        ],
    )

    rows = warehouse(fake).run(Transaction("t", (LOCK.statements[0], counts)), CALLER, log())

    assert rows == [[], [(1, None), ("1.50", False)]]
    assert fake.arguments_of("get_statement_result") == [{"Id": "s:2"}, {"Id": "s:2", "NextToken": "n"}]


def test_what_is_done_on_the_way_out_is_tried_once() -> None:
    fake = FakeDataApi(execute_statement=[throttled()])

    with pytest.raises(TransientWarehouseError):
        warehouse(fake).run(ONE, CALLER, log(), attempts=1)

    assert len(fake.calls) == 1


REFUSED_SETTINGS = (
    ("Redshift endpoint doesn't exist in this region.", "warehouse.workgroup is 'w'"),
    ("Secrets Manager can't find the specified secret.", "warehouse.secret_arn is 'arn:aws:secret'"),
    ("username and password in secret cannot be empty", "warehouse.secret_arn is 'arn:aws:secret'"),
)


@pytest.mark.parametrize(("message", "shown"), REFUSED_SETTINGS)
def test_a_refusal_of_a_setting_names_the_field(message: str, shown: str) -> None:
    refusal = ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "ExecuteStatement")
    fake = FakeDataApi(execute_statement=[refusal])

    with pytest.raises(WarehouseError) as raised:
        warehouse(fake, secret_arn="arn:aws:secret").run(ONE, CALLER, RunLog("r1", "customers", None))

    assert str(raised.value) == f"environments.yml: {shown}, which AWS does not accept: {message}"
    assert raised.value.is_outage


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ('FATAL: database "dev" does not exist', "database"),
        ('FATAL: password authentication failed for user "etl"', "db_user"),
        ('ERROR: database "other" does not exist', None),
        ('ERROR: user "ann" does not exist', None),
        ('ERROR: column "secret" does not exist', None),
    ],
)
def test_a_statement_that_finds_no_database_names_the_field(message: str, field: str | None) -> None:
    ended = {"Id": "s1", "Status": "FAILED", "Error": message}
    fake = FakeDataApi(execute_statement=[{"Id": "s1"}], describe_statement=[ended])

    with pytest.raises(WarehouseError) as raised:
        warehouse(fake, cluster="c", workgroup=None, db_user="etl").run(ONE, CALLER, RunLog("r1", "customers", None))

    assert ("SQL:" in str(raised.value)) is (field is None)
    assert raised.value.is_outage is (field is not None)
    if field is not None:
        assert str(raised.value).startswith(f"environments.yml: warehouse.{field} is ")


WAITED = {"Id": "s", "Status": "FINISHED"}


def test_a_submission_that_the_service_waited_for_is_one_call() -> None:
    fake = FakeDataApi(may_wait=True, execute_statement=[WAITED], batch_execute_statement=[WAITED])
    target = warehouse(fake)

    target.run(ONE, CALLER, log())
    target.run(LOCK, CALLER, log())

    assert [name for name, _ in fake.calls] == ["execute_statement", "batch_execute_statement"]
    assert all(arguments["WaitTimeSeconds"] == 1 for _, arguments in fake.calls)


def test_the_only_rows_of_a_batch_are_fetched_without_a_description() -> None:
    counts = {"Records": [[{"longValue": 7}]]}
    fake = FakeDataApi(may_wait=True, batch_execute_statement=[WAITED], get_statement_result=[counts])
    merge = Transaction("merge", (*LOCK.statements, select("select_statement_timeout")))

    assert warehouse(fake).run(merge, CALLER, log()) == [[], [], [(7,)]]
    assert fake.arguments_of("get_statement_result") == [{"Id": "s:3"}]


@pytest.mark.parametrize("queries", [2, MOST_FETCHED_UNSEEN])
def test_results_are_fetched_without_a_description_where_the_service_has_waited(queries: int) -> None:
    rows = [{"Records": [[{"longValue": 7}]]}, *[{"Records": []}] * (queries - 1)]
    fake = FakeDataApi(may_wait=True, batch_execute_statement=[WAITED], get_statement_result=rows)
    observe = Transaction("observe", (select("select_statement_timeout"),) * queries)

    found = warehouse(fake).run(observe, CALLER, log())

    assert sorted(found, reverse=True) == [[(7,)], *[[]] * (queries - 1)]
    assert [name for name, _ in fake.calls] == ["batch_execute_statement", *["get_statement_result"] * queries]


def test_of_many_queries_only_results_with_rows_are_fetched() -> None:
    queries = MOST_FETCHED_UNSEEN + 1
    parts = [{"Id": f"s:{number}", "ResultRows": int(number == 2)} for number in range(1, queries + 1)]
    fake = FakeDataApi(
        may_wait=True,
        batch_execute_statement=[WAITED],
        describe_statement=[{"Id": "s", "Status": "FINISHED", "SubStatements": parts}],
        get_statement_result=[{"Records": [[{"longValue": 7}]]}],
    )
    observe = Transaction("observe", (select("select_statement_timeout"),) * queries)

    assert warehouse(fake).run(observe, CALLER, log()) == [[], [(7,)], *[[]] * (queries - 2)]
    assert fake.arguments_of("get_statement_result") == [{"Id": "s:2"}]


def test_a_statement_that_takes_longer_than_the_service_waits_is_described_until_it_ends() -> None:
    pauses: list[float] = []
    running = {"Id": "s", "Status": "STARTED"}
    fake = FakeDataApi(may_wait=True, execute_statement=[running], describe_statement=[running, running, WAITED])

    warehouse(fake, pauses).run(ONE, CALLER, log())

    assert fake.arguments_of("describe_statement") == [{"Id": "s", "WaitTimeSeconds": 1}] * 3
    # The service waits, but the command may be interrupted between two calls.
    assert pauses == [0, 0, 0]


def test_a_service_with_too_many_waiting_calls_is_polled() -> None:
    code = "ActiveWaitingRequestsExceededException"
    refused = ClientError({"Error": {"Code": code, "Message": "too many"}}, "ExecuteStatement")
    fake = FakeDataApi(may_wait=True, execute_statement=[refused, {"Id": "s"}], describe_statement=[WAITED])

    warehouse(fake).run(ONE, CALLER, log())

    first, second = fake.arguments_of("execute_statement")
    assert (first["WaitTimeSeconds"], "WaitTimeSeconds" in second) == (1, False)
    assert first["ClientToken"] == second["ClientToken"]
    assert fake.arguments_of("describe_statement") == [{"Id": "s"}]


LIMITED = Transaction("merge", (LOCK.statements[0], replace(LOCK.statements[1], max_seconds=60)))


def running_part(number: int) -> dict[str, Any]:
    statuses = ["FINISHED" if part < number else "STARTED" if part == number else "SUBMITTED" for part in (1, 2)]
    parts = [{"Id": f"s:{part}", "Status": status} for part, status in zip((1, 2), statuses, strict=True)]
    return {"Id": "s", "Status": "STARTED", "SubStatements": parts}


@pytest.mark.parametrize("ended", ["ABORTED", "FINISHED"])
def test_a_batch_whose_statement_exceeds_its_time_is_cancelled(ended: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(step=40)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    after = FINISHED if ended == "FINISHED" else cancelled(60, ended)
    fake = FakeDataApi(
        batch_execute_statement=[{"Id": "s"}],
        # The time in which the lock is waited for does not count.
        describe_statement=[*[running_part(1)] * 5, running_part(2), running_part(2), running_part(2), after, after],
        cancel_statement=[{}],
    )
    target = warehouse(fake)
    if ended == "FINISHED":
        target.run(LIMITED, CALLER, log())
    else:
        with pytest.raises(TransientWarehouseError, match="lock_ledger ran for more than 60 s"):
            target.run(LIMITED, CALLER, log(), attempts=1)

    assert fake.arguments_of("cancel_statement") == [{"Id": "s"}]
    assert len(fake.arguments_of("batch_execute_statement")) == 1


@pytest.mark.parametrize("refusal", [{}, ClientError({"Error": {"Code": "ValidationException"}}, "CancelStatement")])
def test_a_read_that_waits_for_its_turn_too_long_is_given_up(refusal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(step=2)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    fake = FakeDataApi(
        execute_statement=[{"Id": "s"}],
        describe_statement=[{"Id": "s", "Status": "PICKED"}] * 9,
        cancel_statement=[refusal],
    )
    read = Transaction("read", (select("select_statement_timeout"),), max_seconds=10)

    with pytest.raises(TransientWarehouseError, match="no answer within 10 s"):
        warehouse(fake).run(read, CALLER, log(), attempts=1)

    assert fake.arguments_of("cancel_statement") == [{"Id": "s"}]
    assert fake.answers["describe_statement"], "the end is not awaited"


def batch(*parts: tuple[str, int | None]) -> dict[str, Any]:
    """Return the description of a batch whose statements have these statuses and query ids."""
    return {"RedshiftQueryId": 0, "SubStatements": [{"Status": each, "RedshiftQueryId": of} for each, of in parts]}


@pytest.mark.parametrize(
    ("described", "query_id"),
    [
        (batch(("FINISHED", 7), ("FAILED", 8)), 8),
        (batch(("FINISHED", 7), ("FAILED", -1)), None),
        (batch(("FINISHED", 7), ("FAILED", None)), None),
        (batch(("ABORTED", 7), ("ABORTED", -1)), None),
        ({"RedshiftQueryId": 9}, 9),
        ({}, None),
    ],
)
def test_a_refusal_has_the_query_id_of_the_refused_statement(described: dict[str, Any], query_id: int | None) -> None:
    ended = {"Id": "s", "Status": "FAILED", "Error": "ERROR: Spectrum Scan Error", **described}
    fake = FakeDataApi(
        batch_execute_statement=[{"Id": "s"}], execute_statement=[{"Id": "s"}], describe_statement=[ended]
    )

    with pytest.raises(WarehouseError) as refused:
        warehouse(fake).run(LOCK if "SubStatements" in described else ONE, CALLER, log())

    assert refused.value.refused.query_id == query_id


def test_a_column_is_named_although_redaction_hides_it_in_the_message() -> None:
    text = "it has an incompatible Parquet schema for column 's3://l/x.parquet.a'. Column type: INT, Parquet schema:"
    fake = FakeDataApi(batch_execute_statement=[{"Id": "s"}], describe_statement=[failed(text)])

    with pytest.raises(WarehouseError) as refused:
        warehouse(fake).run(LOCK, CALLER, log())

    assert "parquet.a" not in str(refused.value)
    assert refused.value.refused.at_fault == AtFault("a", "x.parquet")
    explained = refused.value.explained(["one", "two"])
    # JOB_STS cuts off the end of a message: the statement.
    assert str(explained).splitlines()[1:3] == ["one", "two"]
    assert str(explained).splitlines()[3].startswith("SQL: ")
    assert (type(explained), explained.brief) == (WarehouseError, refused.value.brief)


def test_an_older_client_polls_from_when_such_statements_usually_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(step=0.3)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    pauses: list[float] = []
    fake = FakeDataApi(execute_statement=[{"Id": "s"}] * 2, describe_statement=[WAITED] * 2)
    target = warehouse(fake, pauses)

    target.run(ONE, CALLER, log())
    target.run(ONE, CALLER, log())

    assert pauses == pytest.approx([0, 0.3, 0])


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ('ERROR: invalid input syntax for integer: "marked"', "invalid input syntax"),
        ("ERROR: Overflow, value marked of column marked is out of range", "out of range, overflow"),
        ('ERROR: permission denied for relation "marked"', "permission denied"),
        ("ERROR: marked is not what it should be", "the log has the warehouse's message"),
    ],
)
def test_a_refusal_in_brief_has_only_words_of_the_warehouse(message: str, words: str) -> None:
    fake = FakeDataApi(batch_execute_statement=[{"Id": "s"}], describe_statement=[failed(message)])

    with pytest.raises(WarehouseError) as caught:
        warehouse(fake).run(LOCK, CALLER, log())

    assert caught.value.brief == f"statement s FAILED: {words}"
