"""Loads whose COPY or merge the warehouse refuses: what is looked up, and what the message has of column and rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import psycopg
import pyarrow as pa
import pytest

from framework.sandbox import SandboxAddress
from tests.harness import FeedHarness, MakeFeed, csv_text
from tests.sandbox.conftest import DIVIDED, ENVIRONMENT
from tests.sandbox.data_api_caller import Caller, parquet
from tests.sandbox.staged import feed_with_hook, restage
from tests.sandbox.test_single_submission import before_merge, stage_tables

SPEC = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [id]}
metadata_columns: {run_date: null, file_name: null}
types:
  rules:
  - {name: "on_*", type: date}
  columns:
    a: varchar(3)
    at: time
"""
FILE = csv_text("id,a,at,on_day", "2,new,10:00,2024-05-01", "3,z,11:30,2024-05-02")


def with_column(name: str, values: Any) -> Callable[[pa.Table], pa.Table]:
    """Return what gives a staging file other values in a column."""
    return lambda rows: rows.set_column(rows.column_names.index(name), name, pa.array(values))


def refused(make_feed: MakeFeed, spec: str, change: Callable[[pa.Table], pa.Table], **more: Any) -> tuple[Any, str]:
    """Load a file whose staging file is changed before COPY; return the feed and the message without the statement."""
    feed, before_copy = feed_with_hook(make_feed, spec, **more)
    before_copy.action = lambda: restage(feed, change)
    result = feed.load("2.csv", FILE)
    assert result.failure is not None
    assert (result.failure.type, result.failure.step) == ("WarehouseError", "copy")
    return feed, result.failure.message.partition("\nSQL: ")[0]


@pytest.mark.parametrize("environment", [ENVIRONMENT, DIVIDED], ids=["single", "divided"])
def test_a_refused_copy_names_column_type_place_in_the_spec_and_rows(make_feed: MakeFeed, environment: Any) -> None:
    before = stage_tables(make_feed())
    feed, message = refused(make_feed, SPEC, with_column("a", ["toolong", "z"]), environment=environment)

    # Seven bytes for three; the row outlives the transaction, and its texts are not padded.
    assert "\n  column 'a', varchar(3): The length of the data column a is longer" in message
    assert "Table: 3, Data: 7" in message
    assert (
        f"\nColumn 'a' is varchar(3): declared in the spec (types.columns.a, pipelines/{feed.name}.yml:11:5)."
        in message
    )
    assert f".parquet was made of rows 1 to 2 of s3://lake/data/in/{feed.name}/2.csv." in message
    assert message.endswith("\nA Serverless workgroup shows its users no stl_load_errors, which has the values.")
    assert [message.startswith(text.partition("\nSQL: ")[0]) for (text,) in feed.audit("error_message") if text] == [
        True
    ]
    assert stage_tables(feed) == before


def test_a_column_of_a_rule_is_explained_by_the_rule(make_feed: MakeFeed) -> None:
    feed, message = refused(make_feed, SPEC, with_column("on_day", [1, 2]))

    assert "Column 'on_day' is date: rule for the name on_* (pipelines/" in message
    assert f"{feed.name}.yml:9:5)." in message


def test_a_column_that_copy_fills_in_place_of_another_is_named_as_the_target_has_it(make_feed: MakeFeed) -> None:
    _, message = refused(make_feed, SPEC, with_column("at", [1, 2]))

    assert "\nColumn 'at' is time: declared in the spec (types.columns.at, " in message


def test_without_samples_no_load_error_shows_what_stands_in_quotes(make_feed: MakeFeed) -> None:
    _, message = refused(make_feed, f"{SPEC}bad_rows: {{log_samples: false}}\n", with_column("on_day", ["x", "y"]))

    assert "\n  column 'on_day', date: File '…'" in message
    assert "s3.us-east-1" not in message


def test_a_copy_of_which_nothing_is_logged_has_the_reason(make_feed: MakeFeed) -> None:
    feed, before_copy = feed_with_hook(make_feed, SPEC)
    before_copy.action = lambda: remove_staging_files(feed)
    result = feed.load("2.csv", FILE)

    assert result.failure is not None
    message = result.failure.message
    assert "File not found" in message
    assert "The warehouse has logged no load error for query " in message
    assert "Load errors of query" not in message


def remove_staging_files(feed: FeedHarness) -> None:
    for key in feed.keys("staging/"):
        if key.endswith(".parquet"):
            feed.s3.delete_object(Bucket="lake", Key=key)


def test_a_refused_merge_names_the_column_that_its_message_names(
    make_feed: MakeFeed, sandbox: SandboxAddress, redshift_data: Any
) -> None:
    client = boto3.session.Session().client("redshift-data")
    feed = make_feed(SPEC, redshift_data=client)
    feed.load("1.csv", csv_text("id,a,at,on_day", "1,x,10:00,2024-05-01"))
    feed.land("2.csv", csv_text("id,a,at,on_day", "2,,10:00,2024-05-01"))

    def require_a() -> None:
        # No statement of Redshift does it to a column that exists; another table of the name would.
        with psycopg.connect(sandbox.database_url) as other:
            other.execute(f"alter table {feed.table} alter column a set not null".encode())

    before_merge(client, require_a)
    (result,) = feed.run()

    assert result.failure is not None
    assert "Cannot insert a NULL value into column a\nColumn 'a' is varchar(3): " in result.failure.message
    assert f"(types.columns.a, pipelines/{feed.name}.yml:11:5)." in result.failure.message
    submitted = client.list_statements(StatementName=f"feedway/{feed.name}/{result.run_id}/load_errors", Status="ALL")
    assert submitted["Statements"] == [], "a merge logs no load errors"


def test_only_a_refused_copy_is_looked_up(make_feed: MakeFeed, redshift_data: Any) -> None:
    feed = make_feed(SPEC)
    result = feed.load("1.csv", FILE)
    name = f"feedway/{feed.name}/{result.run_id}/load_errors"

    assert result.status == "SUCCESS"
    assert redshift_data.list_statements(StatementName=name, Status="ALL")["Statements"] == []


def test_the_sandbox_logs_what_a_copy_refuses_of_a_column_and_keeps_it_after_the_rollback(
    redshift_data: Any, s3: Any
) -> None:
    caller = Caller(redshift_data, s3)
    url, size_bytes = caller.put(parquet(pa.table({"a": ["toolong"]})))
    manifest = caller.put_manifest({"url": url, "mandatory": True, "meta": {"content_length": size_bytes}})
    copy = f"copy logged from '{manifest}' iam_role default format as parquet manifest"
    described = caller.run_batch("create temp table logged (a varchar(3))", copy)
    query_id = described["SubStatements"][1]["RedshiftQueryId"]
    columns = "column_name, column_type, column_length, error_code"
    rows = caller.rows(f"select {columns} from sys_load_error_detail where query_id = {query_id}")

    assert described["Status"] == "FAILED"
    assert rows == [("a", "varchar", "3", 15007)]
    denied = caller.run("select * from stl_load_errors")
    assert denied["Error"] == "ERROR: permission denied for relation stl_load_errors"
