"""A batch of the sandbox's Data API is one transaction, as the service's is."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.data_api_caller import ENDLESS, SLOW, Caller, new_table


@pytest.fixture
def table(caller: Caller) -> str:
    name = new_table()
    caller.do(f"create table {name} (id integer)")
    return name


def ids(caller: Caller, table: str) -> list[int]:
    return [row[0] for row in caller.rows(f"select id from {table} order by id")]


def wait_for_part(caller: Caller, statement_id: str, number: int) -> None:
    caller.wait_for(f"{statement_id}:{number}", ("STARTED", "FINISHED"))


def test_a_batch_has_results_under_the_ids_of_its_parts(caller: Caller, table: str) -> None:
    batch = caller.run_batch(f"insert into {table} values (1), (2)", f"select id from {table} order by id", "select 3")
    assert (batch["Status"], batch["HasResultSet"], batch["ResultRows"]) == ("FINISHED", True, 5)
    assert [part["Id"] for part in batch["SubStatements"]] == [f"{batch['Id']}:{n}" for n in (1, 2, 3)]
    assert [part["HasResultSet"] for part in batch["SubStatements"]] == [False, True, True]
    assert caller.rows_of(f"{batch['Id']}:2") == [(1,), (2,)]
    assert caller.rows_of(f"{batch['Id']}:3") == [(3,)]
    assert caller.data.describe_statement(Id=f"{batch['Id']}:1")["ResultRows"] == 2
    with pytest.raises(ClientError, match="Query does not have result"):
        caller.rows_of(batch["Id"])


def test_a_failure_rolls_the_whole_batch_back(caller: Caller, table: str) -> None:
    batch = caller.run_batch(f"insert into {table} values (1)", "select cast('x' as integer)", "select 1")
    assert batch["Status"] == "FAILED"
    assert batch["Error"].startswith("Query #2 failed with ERROR: invalid input syntax for")
    statuses = [(part["Status"], part.get("Error", "")[:12]) for part in batch["SubStatements"]]
    assert statuses == [("FINISHED", ""), ("FAILED", "ERROR: inval"), ("ABORTED", "Connection o")]
    assert batch["SubStatements"][2]["Error"] == "Connection or an prior query failed."
    assert ids(caller, table) == []


def test_an_explicit_commit_commits_midway(caller: Caller, table: str) -> None:
    batch = caller.run_batch(
        f"insert into {table} values (1)", "commit", f"insert into {table} values (2)", "select cast('x' as integer)"
    )
    assert batch["Status"] == "FAILED"
    assert ids(caller, table) == [1]


def test_truncate_commits_what_precedes_it(caller: Caller, table: str) -> None:
    other = new_table()
    caller.do(f"create table {other} (id integer)", f"insert into {other} values (1)")
    batch = caller.run_batch(f"insert into {table} values (1)", f"truncate {other}", "select cast('x' as integer)")
    assert batch["Status"] == "FAILED"
    assert ids(caller, table) == [1]
    assert ids(caller, other) == []


def test_a_statement_barred_from_transactions_fails_in_a_batch_only(caller: Caller) -> None:
    table = new_table()
    caller.do(f"create table {table} (name varchar(10))")
    widen = f"alter table {table} alter column name type varchar(20)"
    barred = "ALTER TABLE ALTER COLUMN cannot run inside a transaction block"
    assert caller.run_batch(widen)["Error"] == f"Query #1 failed with ERROR: {barred}"
    assert caller.run(widen)["Status"] == "FINISHED"


def test_lock_runs_in_a_transaction_only(caller: Caller, table: str) -> None:
    assert caller.run(f"lock table {table}")["Error"].startswith("ERROR: LOCK TABLE can only be used in")
    assert caller.run_batch(f"lock table {table}", "select 1")["Status"] == "FINISHED"


def test_lock_waits_and_the_snapshot_is_taken_after_it(caller: Caller, table: str) -> None:
    holder = caller.submit_batch(f"lock table {table}", SLOW, f"insert into {table} values (1)")
    wait_for_part(caller, holder, 2)
    follower = caller.run_batch(f"lock table {table}", f"select count(*) from {table}")
    assert caller.rows_of(f"{follower['Id']}:2") == [(1,)]
    assert caller.wait(holder)["Status"] == "FINISHED"


def test_a_batch_that_waits_for_a_lock_can_be_cancelled(caller: Caller, table: str) -> None:
    holder = caller.submit_batch(f"lock table {table}", ENDLESS)
    wait_for_part(caller, holder, 2)
    waiting = caller.submit_batch("select 1", f"lock table {table}", "select 2")
    wait_for_part(caller, waiting, 2)
    for statement_id in (waiting, holder):
        caller.data.cancel_statement(Id=statement_id)
        assert caller.wait(statement_id, timeout_seconds=5)["Status"] == "ABORTED"
    assert caller.run(f"insert into {table} values (1)")["Status"] == "FINISHED"


def test_a_row_changed_since_the_snapshot_is_a_serializable_violation(caller: Caller, table: str) -> None:
    caller.do(f"insert into {table} values (1)")
    slow = caller.submit_batch(f"select count(*) from {table}", SLOW, f"update {table} set id = 2 where id = 1")
    wait_for_part(caller, slow, 2)
    caller.do(f"update {table} set id = 3 where id = 1")
    error = caller.wait(slow)["Error"]
    assert error.startswith("Query #3 failed with ERROR: 1023")
    assert "Serializable isolation violation on table" in error


def test_two_batches_that_wait_for_each_other_are_a_deadlock_and_one_goes_on(caller: Caller, table: str) -> None:
    other = new_table()
    caller.do(f"create table {other} (id integer)")
    first = caller.submit_batch(f"lock table {table}", SLOW, f"lock table {other}")
    wait_for_part(caller, first, 2)
    second = caller.submit_batch(f"lock table {other}", f"lock table {table}")
    ends = [caller.wait(statement_id) for statement_id in (first, second)]
    assert sorted(end["Status"] for end in ends) == ["FAILED", "FINISHED"]
    assert "ERROR: deadlock detected" in next(end["Error"] for end in ends if end["Status"] == "FAILED")


def test_temporary_tables_live_through_the_batch_and_no_longer(caller: Caller) -> None:
    name = new_table()
    batch = caller.run_batch(f"create temp table {name} as select 1 as id", f"select id from {name}")
    assert batch["Status"] == "FINISHED"
    assert caller.rows_of(f"{batch['Id']}:2") == [(1,)]
    assert caller.run(f"select id from {name}")["Error"].startswith(f'ERROR: relation "{name}" does not exist')


@pytest.mark.parametrize("count", [0, 41])
def test_a_batch_has_one_to_forty_statements(caller: Caller, count: int) -> None:
    with pytest.raises(Exception, match=r"Sqls"):
        caller.submit_batch(*["select 1"] * count)


def test_a_batch_takes_no_parameters(caller: Caller) -> None:
    with pytest.raises(ClientError, match="Parameters is not supported by the sandbox"):
        caller.submit_batch("select :a", Parameters=[{"name": "a", "value": "1"}])


def test_a_statement_ends_at_its_timeout_as_if_it_were_cancelled(caller: Caller) -> None:
    described = caller.run_batch("set statement_timeout to 50", "select current_setting('statement_timeout')", ENDLESS)

    query_id = described["SubStatements"][2]["RedshiftQueryId"]
    assert described["Error"] == f"Query #3 failed with ERROR: Query ({query_id}) cancelled on user's request"
    assert described["SubStatements"][2]["Duration"] >= 50_000_000
    assert caller.rows("select current_setting('statement_timeout')") == [("0",)]
    assert caller.rows_of(f"{described['Id']}:2") == [("50",)]
