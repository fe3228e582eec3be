"""Files: where they go when all is well, when they are at fault, and when something else is."""

import gzip
import json
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from framework.errors import SpecError, WarehouseError
from framework.lake.lake import Lake
from framework.load.request import OneFile
from tests.faults.fault_injector import refuse
from tests.harness import MakeFeed, csv_text
from tests.sandbox.test_precedence import loading

BROKEN_VIEW = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [id]}
views: [{schema: reporting, name: "v_{name}", definition: "select no_such_column from {{ target }}"}]
"""


class LakeWithout(Lake):
    """A lake that refuses to write below one folder."""

    folder = "logs/"

    def put(self, key: str, text: str) -> None:
        if key.startswith(self.folder):
            raise WarehouseError(f"S3 refused to write {key}: AccessDenied")
        super().put(key, text)


def without_logs(lake: Lake) -> Lake:
    lake.__class__ = LakeWithout
    return lake


def test_the_same_name_twice_in_a_month_overwrites_nothing(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.load(f"{feed.name}.csv.gz", gzip.compress(b"id,a\n1,x\n"))
    result = feed.load(f"{feed.name}.csv.gz", gzip.compress(b"id,a\n2,y\n"))

    archived = feed.keys("data/archive/")

    assert result.status == "SUCCESS", result.failure and result.failure.message
    bodies = {feed.s3.get_object(Bucket="lake", Key=key)["Body"].read() for key in archived}
    assert {gzip.decompress(body) for body in bodies} == {b"id,a\n1,x\n", b"id,a\n2,y\n"}
    assert all(key.endswith(".csv.gz") for key in archived)


def test_three_files_of_one_name_are_all_kept(make_feed: MakeFeed) -> None:
    feed = make_feed()
    contents = {csv_text("id,a", f"{number},x") for number in (1, 2, 3)}
    for folder, content in zip("abc", sorted(contents), strict=True):
        feed.land(f"{folder}/{feed.name}.csv", content)
    feed.spec_body = feed.spec_body.replace("prefix: data/in/{name}/", "prefix: data/in/{name}/, batch: all")

    results = feed.run()

    assert [result.status for result in results] == ["SUCCESS"] * 3
    archived = feed.keys("data/archive/")
    assert {feed.s3.get_object(Bucket="lake", Key=key)["Body"].read().decode() for key in archived} == contents
    assert feed.keys("data/in/") == []


def test_a_moved_file_carries_the_identity_it_arrived_with(make_feed: MakeFeed) -> None:
    feed = make_feed()
    key = feed.land(f"{feed.name} ü+%'#.csv", csv_text("id,a", "1,x"))
    before = feed.s3.head_object(Bucket="lake", Key=key)

    (result,) = feed.run()

    assert result.status == "SUCCESS", result.failure and result.failure.message
    (archived,) = feed.keys("data/archive/")
    moved = Lake(feed.s3, feed.environment.lake).describe(archived)
    assert moved is not None
    assert (moved.identity.key, moved.identity.etag) == (key, before["ETag"].strip('"'))
    assert moved.arrived_at == before["LastModified"]


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(
    "name", ["it's a\\path.csv", "a b&c=d?.csv", '"[x]{y}*".csv', "日本+𝄞.csv", "100%25#.csv", "semi;--colon.csv"]
)
def test_a_file_of_any_name_loads_and_is_recorded(make_feed: MakeFeed, name: str) -> None:
    feed = make_feed()
    key = feed.land(name, csv_text("id,a", "1,x"))

    (result,) = feed.run()

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert {row[0] for row in feed.audit("source_filename")} == {key}
    assert feed.rows("id, a", "id") == [(1, "x")]


def test_columns_and_values_of_any_text_load_as_they_are(make_feed: MakeFeed) -> None:
    feed = make_feed(
        """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [select]}
columns: {rename: {odd: 'we"ird; -- {{ x }}'}}
"""
    )
    text = "'; drop table x; --\\' {{ 7*7 }} {% raw %} \\ \"\" $1 :p %s é 𝄞"
    quoted = '"' + text.replace('"', '""') + '"'

    result = feed.load("1.csv", f"select,odd\n{quoted},{quoted}\n")

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert feed.rows('"select", "we""ird; -- {{ x }}"', "1") == [(text, text)]
    again = feed.load("2.csv", f"odd,select\nnew,{quoted}\n")
    assert again.counts.updated == 1, again.failure


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        ('id,a\n1,"open\n', ""),
        ("id,a\n1,x,too many\n", "row 1"),
        ("id,a\n,x\n", "1 of 1 row has no id"),
        ("a\nx\n", "'id'"),
        (b"id,a\n1,\xff\xfe\n", ""),
        ("id,a,A\n1,x,y\n", ""),
    ],
)
def test_a_file_at_fault_goes_to_unprocessed_and_says_why(
    make_feed: MakeFeed, content: str | bytes, words: str
) -> None:
    feed = make_feed()
    file_name = f"{feed.name}.csv"
    feed.land(file_name, content)

    (result,) = feed.run()

    if content == "id,a,A\n1,x,y\n":
        assert result.status == "SUCCESS", "two headers that clean to one name are distinguished"
        return
    assert result.failure is not None
    assert result.failure.type == "SourceFileError"
    assert file_name in result.failure.message
    assert words in result.failure.message
    assert feed.keys("data/in/") == []
    assert len(feed.keys("data/unprocessed/")) == 1
    ((status, message),) = feed.audit("status, error_message")[-1:]
    assert (status, message) == ("FAILED", result.failure.message[: len(message)])


def test_a_header_without_rows_succeeds_and_changes_nothing(make_feed: MakeFeed) -> None:
    feed = make_feed()

    result = feed.load(f"{feed.name}.csv", "id,a\n")

    assert (result.status, result.counts.read) == ("SUCCESS", 0), result.failure
    assert feed.types() == {}
    assert len(feed.keys("data/archive/")) == 1
    assert feed.load("2.csv", csv_text("id,a", "1,5")).status == "SUCCESS"
    assert feed.types()["a"] == "integer"


def test_a_view_that_the_warehouse_refuses_leaves_the_file_and_the_table_as_they_are(make_feed: MakeFeed) -> None:
    feed = make_feed(BROKEN_VIEW)

    result = feed.load(f"{feed.name}.csv", csv_text("id,a", "1,x"))

    assert result.failure is not None
    assert "no_such_column" in result.failure.message
    assert (result.failure.type, result.failure.step) == ("SpecError", "evolve")
    assert f"the view reporting.v_{feed.name} cannot be created" in result.failure.message
    assert len(feed.keys("data/in/")) == 1
    assert feed.types() == {}, "the table and its view come together or not at all"
    assert feed.keys("staging/") == []


def test_a_failed_file_stops_the_later_ones_of_an_unordered_upsert(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.land("1.csv", csv_text("id,a", "1,5"))
    feed.land("2.csv", csv_text("id,a", "1,6,7"))
    feed.land("3.csv", csv_text("id,a", "1,8"))

    results = feed.run()

    assert [result.status for result in results] == ["SUCCESS", "FAILED"]
    assert len(feed.keys("data/in/")) == 1
    assert feed.rows("a", "id") == [(5,)]


def test_the_log_is_exported_after_a_failure_too(make_feed: MakeFeed) -> None:
    feed = make_feed()

    result = feed.load("1.csv", b"")

    (exported,) = feed.keys("logs/")
    assert exported.endswith(f"/{result.run_id}.jsonl")
    lines = feed.s3.get_object(Bucket="lake", Key=exported)["Body"].read().decode().splitlines()
    assert json.loads(lines[-1])["level"] in ("error", "info")
    assert any(json.loads(line)["msg"] == "load failed" for line in lines)


def test_a_log_that_cannot_be_exported_hides_no_error(make_feed: MakeFeed) -> None:
    feed = make_feed(wrap_lake=without_logs)

    result = feed.load("1.csv", b"")

    assert result.failure is not None
    assert result.failure.type == "SourceFileError"
    assert [entry["msg"] for entry in feed.entries()][-1] == "the log could not be exported"


def test_a_crashed_runs_remains_are_cleared_away(make_feed: MakeFeed) -> None:
    feed = make_feed()
    dead = "dead" + "0" * 28
    feed.load("1.csv", csv_text("id,a", "1,x"))
    feed.sql(f"create table feedway.stage_{dead} (a integer)")
    for name in ("manifest.json", "rows-0/part.parquet"):
        feed.s3.put_object(Bucket="lake", Key=f"staging/{feed.name}/{'e' * 32}/{dead}/{name}", Body=b"")
    living = feed.load("2.csv", csv_text("id,a", "2,x"))
    untouched = len(feed.keys(f"staging/{feed.name}/"))

    # A limit below zero makes every heartbeat but the own one expire.
    feed.environment = replace(feed.environment, dead_after_seconds=-1)
    result = feed.load("3.csv", csv_text("id,a", "3,x"))

    assert (living.status, result.status) == ("SUCCESS", "SUCCESS")
    assert untouched == 2
    assert feed.keys(f"staging/{feed.name}/") == []
    assert feed.sql(f"select count(*) from svv_tables where table_name = 'stage_{dead}'") == [(0,)]


def test_subfolders_count_and_hidden_names_do_not(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.land("deep/er/1.csv", csv_text("id,a", "1,x"))
    feed.land("_SUCCESS", "")
    feed.land(".hidden.csv", "")

    results = feed.run()

    assert [result.source_file for result in results] == [f"data/in/{feed.name}/deep/er/1.csv"]


def test_a_pattern_is_matched_in_any_case(make_feed: MakeFeed) -> None:
    feed = make_feed(
        """
source: {prefix: data/in/{name}/, pattern: "orders_*.csv*", order: name}
target: {table: "{name}"}
load: {mode: append}
"""
    )
    for name in ("ORDERS_2.CSV", "orders_1.csv.gz", "orders_3.txt"):
        body = csv_text("id", name[7])
        feed.land(name, gzip.compress(body.encode()) if name.endswith(".gz") else body)

    results = feed.run()

    assert [str(result.source_file).rpartition("/")[2] for result in results] == ["ORDERS_2.CSV", "orders_1.csv.gz"]
    assert [result.status for result in results] == ["SUCCESS", "SUCCESS"], results


def test_a_warehouse_out_of_reach_for_ten_loads_empties_no_inbox(make_feed: MakeFeed, redshift_data: Any) -> None:
    far = boto3.client(
        "redshift-data",
        endpoint_url="http://127.0.0.1:9",
        region_name="eu-west-1",
        config=Config(retries={"max_attempts": 0}),
    )
    feed = make_feed(redshift_data=far)
    for number in (1, 2):
        feed.land(f"{number}.csv", csv_text("id,a", f"{number},x"))

    runs = [feed.run() for _ in range(10)]

    assert [[result.status for result in results] for results in runs] == [["FAILED"]] * 10
    assert {results[0].failure and results[0].failure.type for results in runs} == {"TransientWarehouseError"}
    assert len(feed.keys(f"data/in/{feed.name}/")) == 2
    assert feed.keys("data/unprocessed/") == []
    in_reach = replace(feed, redshift_data=redshift_data)
    assert [result.status for result in in_reach.run()] == ["SUCCESS"] * 2


def test_a_moved_file_without_its_identity_is_not_loaded_as_a_new_one(make_feed: MakeFeed) -> None:
    """The sandbox's S3 forgets object metadata when it is started anew; a copy by hand may leave it out too."""
    feed = make_feed()
    key = f"data/archive/2026/01/{feed.name}.csv"
    feed.s3.put_object(Bucket="lake", Key=key, Body=csv_text("id,a", "1,x").encode())

    with pytest.raises(SpecError, match="does not say where it arrived"):
        feed.run(OneFile(key))
    (result,) = feed.run(OneFile(key, again=True))

    assert result.status == "SUCCESS", result.failure
    assert feed.rows("id, a", "id") == [(1, "x")]


def test_a_crashed_runs_remains_are_cleared_away_where_nothing_is_pending(make_feed: MakeFeed) -> None:
    feed = make_feed()
    dead = "dead" + "1" * 28
    feed.load("1.csv", csv_text("id,a", "1,x"))
    feed.s3.put_object(Bucket="lake", Key=f"staging/{feed.name}/{'e' * 32}/{dead}/without-rows", Body=b"")
    feed.environment = replace(feed.environment, dead_after_seconds=-1)

    assert feed.run() == []
    assert feed.keys(f"staging/{feed.name}/") == []


@pytest.mark.parametrize("load", ["{mode: append}", "{mode: replace}"])
def test_an_archive_that_is_not_writable_is_a_warning_and_the_next_run_archives(
    make_feed: MakeFeed, other_s3: Any, load: str
) -> None:
    feed = make_feed(loading(load))
    denied = refuse(other_s3, "CopyObject", 403, "AccessDenied")
    for name in ("1.csv", "2.csv"):
        feed.land(name, csv_text("id,a", f"1,{name}"))

    results = replace(feed, s3=other_s3).run()
    again = feed.run()

    loaded = [result for result in results if result.status == "SUCCESS"]
    assert len(loaded) == (1 if "replace" in load else 2)
    assert denied
    for result in results:
        (warning,) = result.warnings
        assert warning.rule == "not-archived"
        assert str(result.source_file) in warning.message
        assert result.failure is None
    assert any("AccessDenied" in result.warnings[0].message for result in results)
    assert [result.status for result in again] == ["SKIPPED"] * 2
    assert [result.warnings for result in again] == [()] * 2
    assert feed.keys(f"data/in/{feed.name}/") == []
    assert len(feed.rows("a", "a")) == len(loaded)
