"""Loads that copy and merge in one submission, and those that take two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import boto3
import psycopg
import pytest

from framework.model.files import FileIdentity
from framework.model.names import TableName, ledger_table
from framework.sandbox import SandboxAddress
from tests.call_hooks import CallHook
from tests.harness import FeedHarness, MakeFeed, csv_text
from tests.sandbox.conftest import DIVIDED, ENVIRONMENT
from tests.sandbox.staged import feed_with_hook, restage

REJECTING = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [id], duplicates: reject}
metadata_columns: {run_date: null, file_name: null}
"""


def before_merge(client: Any, action: Callable[[], object]) -> None:
    """Do something once, when a merge is about to be submitted."""
    event = "before-call.redshift-data.BatchExecuteStatement"
    hook = CallHook(client, event, 1, lambda context: '/merge"' in str(context["params"]["body"]))
    hook.action = action


def statements_of(feed: FeedHarness, client: Any, step: str) -> list[list[tuple[str, str]]]:
    """Return the (template, status) pairs of the submissions of the feed's last run that have this name."""
    run_id = feed.audit("run_id")[-1][0]
    found = client.list_statements(StatementName=f"feedway/{feed.name}/{run_id}/{step}", Status="ALL")["Statements"]
    described = [client.describe_statement(Id=each["Id"]) for each in reversed(found)]
    return [
        [(part["QueryString"].split("\n")[0].rpartition(" ")[2], part["Status"]) for part in each["SubStatements"]]
        for each in described
    ]


def stage_tables(feed: FeedHarness) -> list[Any]:
    query = "select table_name from svv_tables where table_name like 'stage_%' or table_name like 'feedway_%'"
    return feed.sql(query)


def test_a_small_load_copies_and_merges_in_one_submission_and_leaves_no_table(
    make_feed: MakeFeed, redshift_data: Any
) -> None:
    feed = make_feed()
    before = stage_tables(feed)
    feed.load("1.csv", csv_text("id,a", "1,x", "2,y"))
    feed.load("2.csv", csv_text("id,a", "2,z", "2,last", "3,w"))
    (merge,) = statements_of(feed, redshift_data, "merge")
    templates = [template for template, _ in merge]

    assert feed.rows("id, a", "id") == [(1, "x"), (2, "last"), (3, "w")]
    assert statements_of(feed, redshift_data, "copy") == []
    # Nothing that takes a snapshot comes before the lock, and a file that is loaded is refused before COPY.
    assert templates[:2] == ["lock_ledger", "guard_ledger"]
    assert templates.index("guard_ledger") < templates.index("create_staging_table") < templates.index("copy_staging")
    assert len(templates) <= 16
    assert stage_tables(feed) == before


def test_a_load_above_the_limit_takes_two(make_feed: MakeFeed, redshift_data: Any) -> None:
    feed = make_feed(environment=DIVIDED)
    result = feed.load("1.csv", csv_text("id,a", "1,x", "1,y"))
    (copy,), (merge,) = (statements_of(feed, redshift_data, step) for step in ("copy", "merge"))

    assert (result.counts.inserted, result.counts.deduplicated) == (1, 1)
    assert [template for template, _ in copy] == ["drop_tables", "create_staging_table", "copy_staging"]
    assert "copy_staging" not in [template for template, _ in merge]


def test_a_file_that_another_run_loads_before_the_lock_is_not_copied(
    make_feed: MakeFeed, sandbox: SandboxAddress, redshift_data: Any
) -> None:
    feed = make_feed("source: {prefix: data/in/{name}/}\ntarget: {table: '{name}'}\nload: {mode: append}\n")
    feed.load("1.csv", csv_text("id,a", "1,x"))
    key = feed.land("2.csv", csv_text("id,a", "2,y"))
    ledger = ledger_table("feedway", TableName("public", feed.name))
    head = feed.s3.head_object(Bucket="lake", Key=key)
    identity = FileIdentity("lake", key, head["ETag"].strip('"'), head["ContentLength"]).sha256
    entry = f"insert into {ledger.sql} values (%s, 1, %s, %s, now(), 'other', now())"
    with ThreadPoolExecutor(1) as pool, psycopg.connect(sandbox.database_url) as other:
        other.execute(f"lock table {ledger.sql}".encode())
        waiting = pool.submit(feed.run)
        while not _waits_for(sandbox, ledger):
            assert not waiting.done()
        other.execute(entry.encode(), (identity, feed.name, key))
        other.commit()
        (result,) = waiting.result(timeout=60)
    (merge,) = statements_of(feed, redshift_data, "merge")

    assert (result.status, feed.rows("id", "id")) == ("SKIPPED", [(1,)])
    assert dict(merge)["guard_ledger"] == "FAILED"
    assert dict(merge)["copy_staging"] == "ABORTED"


@pytest.mark.exhaustive(every=2)
@pytest.mark.parametrize("environment", [ENVIRONMENT, DIVIDED], ids=["single", "divided"])
def test_rows_that_get_lost_on_the_way_stop_the_merge(make_feed: MakeFeed, environment: Any) -> None:
    feed, before_copy = feed_with_hook(make_feed, environment=environment)
    feed.load("1.csv", csv_text("id,a", "1,x", "2,y"))
    key = feed.land("2.csv", csv_text("id,a", "2,new", "3,z"))
    before_copy.action = lambda: restage(feed, lambda rows: rows.slice(0, rows.num_rows - 1))
    (result,) = feed.run()

    assert result.failure is not None
    assert "row count mismatch: 2 rows staged, 1 in" in result.failure.message
    assert feed.rows("id, a", "id") == [(1, "x"), (2, "y")]
    assert feed.keys("data/in/") == [key]
    assert feed.audit("status")[-2:] == [("STARTED",), ("FAILED",)]
    (again,) = feed.run()
    assert (again.counts.inserted, again.counts.updated) == (1, 1)


def test_duplicates_are_explained_though_the_first_submission_has_rolled_them_back(
    make_feed: MakeFeed, redshift_data: Any
) -> None:
    feed = make_feed(REJECTING)
    feed.load("1.csv", csv_text("id,a", "1,x"))
    result = feed.load("2.csv", csv_text("id,a", "7,y", "7,z"))
    first, second = statements_of(feed, redshift_data, "merge")

    assert result.failure is not None
    assert result.failure.type == "SourceFileError"
    assert "7" in result.failure.message
    assert ("check_no_duplicates", "FAILED") in first
    assert ("check_no_duplicates", "FAILED") in second
    assert stage_tables(feed) == []


@pytest.mark.parametrize("altered", ["numeric(8,2)", "integer"])
def test_a_type_that_has_changed_meanwhile_rounds_no_value(make_feed: MakeFeed, altered: str) -> None:
    client = boto3.session.Session().client("redshift-data")
    feed = make_feed(redshift_data=client)
    feed.load("1.csv", csv_text("id,a", "1,1.1250"))
    feed.sql(f"update {feed.table} set a = 1")
    feed.land("2.csv", csv_text("id,a", "1,1.1250", "2,2.5000"))
    before_merge(client, lambda: feed.sql(*changed_type(feed, altered)))
    (result,) = feed.run()

    assert result.status == "SUCCESS", result.failure
    assert [Decimal(value) for (value,) in feed.rows("a", "id")] == [Decimal("1.125"), Decimal("2.5")]


def changed_type(feed: FeedHarness, wanted: str) -> Iterator[str]:
    yield f"alter table {feed.table} add column a2 {wanted}"
    yield f"update {feed.table} set a2 = a"
    yield f"alter table {feed.table} drop column a"
    yield f"alter table {feed.table} rename column a2 to a"


def _waits_for(sandbox: SandboxAddress, table: TableName) -> bool:
    query = "select count(*) from pg_locks where not granted and relation = %s::regclass"
    with psycopg.connect(sandbox.database_url) as connection:
        row = connection.execute(query, (table.sql,)).fetchone()
    return row is not None and bool(row[0])
