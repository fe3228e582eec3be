"""The Data API of the sandbox answers as the service does: submitting, waiting, reading, cancelling."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.data_api_caller import ENDLESS, Caller, new_table

NO_RESULT = "Query does not have result. Please check query status with DescribeStatement."


def refusal(call: Any, **members: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_query_gives_its_rows_and_says_how_many(caller: Caller) -> None:
    described = caller.run("select 1 as a union all select 2 order by 1")
    assert described["ResultRows"] == 2
    assert described["HasResultSet"]
    assert described["Duration"] > 0
    assert described["QueryString"] == "select 1 as a union all select 2 order by 1"
    assert caller.rows_of(described["Id"]) == [(1,), (2,)]


def test_a_submission_returns_before_the_statement_has_run(caller: Caller) -> None:
    began = time.monotonic()
    statement_id = caller.submit(ENDLESS)
    assert time.monotonic() - began < 0.5
    assert caller.data.describe_statement(Id=statement_id)["Status"] in ("SUBMITTED", "PICKED", "STARTED")
    assert refusal(caller.data.get_statement_result, Id=statement_id) == ("ResourceNotFoundException", NO_RESULT)
    caller.data.cancel_statement(Id=statement_id)


def test_what_addressed_the_warehouse_is_echoed(caller: Caller) -> None:
    submitted = caller.data.execute_statement(
        Sql="select 1", WorkgroupName="sandbox", Database="dev", DbUser="etl", WithEvent=True
    )
    described = caller.wait(submitted["Id"])
    for answer in (submitted, described):
        assert (answer["WorkgroupName"], answer["Database"], answer["DbUser"]) == ("sandbox", "dev", "etl")


def test_values_come_as_the_service_types_them(caller: Caller) -> None:
    sql = """
        select cast(7 as smallint) as a, cast(1.50 as decimal(10,2)) as b, cast('x' as varchar(5)) as c,
               cast(null as integer) as d, cast('2022-02-22' as timestamp) as e, true as f,
               cast(1.5 as double precision) as g, cast('1969-12-31' as date) as h,
               cast('2020-08-21 17:33:51.887120' as timestamp) as i, cast('' as varchar(1)) as j
    """
    described = caller.run(sql)
    assert described["Status"] == "FINISHED", described["Error"]
    result = caller.data.get_statement_result(Id=described["Id"])
    assert result["Records"] == [
        [
            {"longValue": 7},
            {"stringValue": "1.50"},
            {"stringValue": "x"},
            {"isNull": True},
            {"stringValue": "2022-02-22 00:00:00.0"},
            {"booleanValue": True},
            {"doubleValue": 1.5},
            {"stringValue": "1969-12-31"},
            {"stringValue": "2020-08-21 17:33:51.88712"},
            {"stringValue": ""},
        ]
    ]
    types = [column["typeName"] for column in result["ColumnMetadata"]]
    assert types == [
        "int2",
        "numeric",
        "varchar",
        "int4",
        "timestamp",
        "bool",
        "float8",
        "date",
        "timestamp",
        "varchar",
    ]
    assert [column["name"] for column in result["ColumnMetadata"]] == list("abcdefghij")
    decimal = result["ColumnMetadata"][1]
    assert (decimal["precision"], decimal["scale"], decimal["isSigned"]) == (10, 2, True)


def test_columns_say_which_table_they_are_read_from(caller: Caller) -> None:
    table = new_table()
    caller.do(f"create table {table} (id bigint not null, name varchar(20))")
    described = caller.run(f"select id, name from {table}")
    columns = caller.data.get_statement_result(Id=described["Id"])["ColumnMetadata"]
    assert [(c["schemaName"], c["tableName"], c["nullable"]) for c in columns] == [
        ("public", table, 0),
        ("public", table, 1),
    ]
    assert columns[1]["precision"] == 20


def test_columns_say_which_table_they_are_read_from_each_time(caller: Caller) -> None:
    def tables_of(sql: str) -> list[str]:
        result = caller.data.get_statement_result(Id=caller.run(sql)["Id"])
        return [column["tableName"] for column in result["ColumnMetadata"]]

    before, after = new_table(), new_table()
    caller.do(f"create table {before} (id bigint)")
    assert tables_of(f"select id from {before}") == [before]
    caller.do(f"alter table {before} rename to {after}")
    assert tables_of(f"select id from {after}") == [after]
    for _ in range(2):
        assert tables_of("select nspname, oid from pg_namespace") == ["pg_namespace", "pg_namespace"]


def test_a_late_binding_view_is_read_as_the_table_is_now(caller: Caller) -> None:
    table, view = new_table(), new_table()
    caller.do(
        f"create table {table} (id bigint)",
        f"create view public.{view} as select * from public.{table} with no schema binding",
        f"drop table {table}",
        f"create table {table} (id bigint, name varchar(5))",
        f"insert into {table} values (1, 'x')",
    )
    assert caller.rows(f"select * from public.{view}") == [(1, "x")]


def test_an_empty_result_is_a_result(caller: Caller) -> None:
    table = new_table()
    caller.do(f"create table {table} (id bigint)")
    described = caller.run(f"select id from {table}")
    assert (described["HasResultSet"], described["ResultRows"]) == (True, 0)
    assert caller.rows_of(described["Id"]) == []


def test_a_large_result_comes_in_pages(caller: Caller) -> None:
    table = new_table()
    caller.do(f"create table {table} (id bigint)", f"insert into {table} values (0)")
    for power in range(12):
        caller.do(f"insert into {table} select id + {2**power} from {table}")
    described = caller.run(f"select id from {table} order by id")
    first = caller.data.get_statement_result(Id=described["Id"])
    assert (len(first["Records"]), first["TotalNumRows"]) == (1000, 4096)
    assert caller.rows_of(described["Id"]) == [(number,) for number in range(4096)]


def test_changes_say_how_many_rows_they_changed(caller: Caller) -> None:
    table = new_table()
    created = caller.run(f"create table {table} (id integer)")
    inserted = caller.run(f"insert into {table} values (1), (2), (3)")
    deleted = caller.run(f"delete from {table} where id > 1")
    assert [step["ResultRows"] for step in (created, inserted, deleted)] == [-1, 3, 2]
    assert not inserted["HasResultSet"]
    assert refusal(caller.data.get_statement_result, Id=inserted["Id"]) == ("ResourceNotFoundException", NO_RESULT)


def test_parameters_are_put_in_as_values(caller: Caller) -> None:
    table = new_table()
    caller.do(f"create table {table} (id integer, name varchar(50))")
    name = "it's a \\ :id"
    values = [{"name": "id", "value": "7"}, {"name": "name", "value": name}]
    described = caller.run(f"insert into {table} values (:id, :name) -- :other", Parameters=values)
    assert described["Status"] == "FINISHED", described["Error"]
    assert described["QueryParameters"] == values
    assert ":id" in described["QueryString"]
    assert caller.rows(f"select id, name from {table}") == [(7, name)]


def test_a_failed_statement_says_why(caller: Caller) -> None:
    described = caller.run("select * from no_such_table")
    assert described["Status"] == "FAILED"
    assert described["Error"].startswith('ERROR: relation "no_such_table" does not exist')
    assert refusal(caller.data.get_statement_result, Id=described["Id"]) == ("ResourceNotFoundException", NO_RESULT)


def test_another_database_does_not_exist(caller: Caller) -> None:
    assert caller.run("select 1", Database="prod")["Error"] == 'FATAL: database "prod" does not exist'
    batch = caller.run_batch("select 1", "select 2", Database="prod")
    assert (batch["Status"], batch["Error"]) == ("FAILED", 'FATAL: database "prod" does not exist')
    assert {part["Error"] for part in batch["SubStatements"]} == {"Connection or an prior query failed."}


def test_one_token_is_one_statement(caller: Caller) -> None:
    token = uuid.uuid4().hex
    assert caller.submit("select 1", ClientToken=token) == caller.submit("select 1", ClientToken=token)
    assert caller.submit("select 1") != caller.submit("select 1")


def test_a_statement_does_not_wait_for_those_of_other_callers(caller: Caller) -> None:
    ids = [caller.submit(ENDLESS) for _ in range(5)]
    assert caller.rows("select 1") == [(1,)]
    for statement_id in ids:
        assert caller.data.cancel_statement(Id=statement_id)["Status"]


def test_a_running_statement_can_be_cancelled(caller: Caller) -> None:
    statement_id = caller.submit(ENDLESS)
    caller.wait_for(statement_id, ("STARTED",))
    assert caller.data.cancel_statement(Id=statement_id)["Status"]
    described = caller.wait(statement_id, timeout_seconds=5)
    text = f"ERROR: Query ({described['RedshiftQueryId']}) cancelled on user's request"
    assert (described["Status"], described["Error"]) == ("ABORTED", text)


def test_a_finished_statement_cannot_be_cancelled(caller: Caller) -> None:
    statement_id = caller.run("select 1")["Id"]
    text = f"Could not cancel a query that is already in FINISHED state with ID: {statement_id}"
    assert refusal(caller.data.cancel_statement, Id=statement_id) == ("ValidationException", text)


def test_statements_are_listed_by_the_beginning_of_their_name(caller: Caller) -> None:
    name = f"feedway/{uuid.uuid4().hex}/"
    ids = [caller.run("select 1", StatementName=f"{name}{step}")["Id"] for step in ("a", "b", "c")]
    failed = caller.run("select * from no_such_table", StatementName=f"{name}d")["Id"]
    pages = list(caller.data.get_paginator("list_statements").paginate(StatementName=name, MaxResults=2))
    assert [[s["Id"] for s in page["Statements"]] for page in pages] == [[ids[2], ids[1]], [ids[0]]]
    listed = caller.data.list_statements(StatementName=name, Status="FAILED")["Statements"]
    assert [(s["Id"], s["IsBatchStatement"]) for s in listed] == [(failed, False)]
    assert len(caller.data.list_statements(StatementName=name, Status="ALL")["Statements"]) == 4


@pytest.mark.parametrize(
    "members",
    [
        {"Sql": " "},
        {"Sql": "select '" + "x" * 100_000 + "'"},
        {"WorkgroupName": None},
        {"Database": None},
        {"ClusterIdentifier": "also"},
        {"SessionId": str(uuid.uuid4())},
        {"SessionKeepAliveSeconds": 60},
        {"ResultFormat": "CSV"},
        {"Parameters": [{"name": "unused", "value": "1"}]},
    ],
    ids=lambda members: next(iter(members)),
)
def test_a_submission_the_sandbox_cannot_serve_is_refused(caller: Caller, members: dict[str, Any]) -> None:
    request = {"Sql": "select 1", "WorkgroupName": "sandbox", "Database": "dev"} | members
    given = {name: value for name, value in request.items() if value is not None}
    assert refusal(caller.data.execute_statement, **given)[0] == "ValidationException"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"WorkgroupName": "analytics"}, "Redshift endpoint doesn't exist in this region."),
        ({"WorkgroupName": None, "ClusterIdentifier": "sandbox"}, "Redshift endpoint doesn't exist in this region."),
        ({"WorkgroupName": None}, "Either ClusterIdentifier or WorkgroupName needs to be specified."),
        ({"SecretArn": "arn:aws:secretsmanager:::secret:s"}, "Secrets Manager can't find the specified secret."),
    ],
)
def test_a_warehouse_that_is_not_there_is_refused_in_the_words_of_aws(
    caller: Caller, members: dict[str, Any], words: str
) -> None:
    request = {"WorkgroupName": "sandbox", "Database": "dev"} | members
    given = {name: value for name, value in request.items() if value is not None}
    assert refusal(caller.data.execute_statement, Sql="select 1", **given) == ("ValidationException", words)
    assert refusal(caller.data.batch_execute_statement, Sqls=["select 1"], **given) == ("ValidationException", words)


def test_an_operation_the_sandbox_lacks_is_refused_by_name(caller: Caller) -> None:
    answer = refusal(caller.data.list_schemas, WorkgroupName="sandbox", Database="dev")
    assert answer == ("ValidationException", "ListSchemas is not supported by the sandbox.")


def test_an_unknown_statement_is_not_found(caller: Caller) -> None:
    missing = str(uuid.uuid4())
    for call in (caller.data.describe_statement, caller.data.get_statement_result, caller.data.cancel_statement):
        assert refusal(call, Id=missing) == ("ResourceNotFoundException", "Query does not exist.")
    code, message = refusal(caller.data.describe_statement, Id="nonsense")
    assert code == "ValidationException"
    assert message.startswith("id must satisfy regex pattern: ")
