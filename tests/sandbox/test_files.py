"""Files: where they go when all is well, when they are at fault, and when something else is."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from framework.errors import SpecError, WarehouseError
from framework.lake.lake import Lake
from framework.load.request import OneFile
from tests.faults.weather import refuse
from tests.sandbox.test_precedence import loading
from tests.workshop import Workshop, csv_text

Feed = Callable[..., Workshop]

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


def test_the_same_name_twice_in_a_month_overwrites_nothing(feed: Feed) -> None:
    shop = feed()
    shop.load(f"{shop.name}.csv.gz", gzip.compress(b"id,a\n1,x\n"))
    result = shop.load(f"{shop.name}.csv.gz", gzip.compress(b"id,a\n2,y\n"))

    archived = shop.keys("data/archive/")

    assert result.status == "SUCCESS", result.failure and result.failure.message
    bodies = {shop.s3.get_object(Bucket="lake", Key=key)["Body"].read() for key in archived}
    assert {gzip.decompress(body) for body in bodies} == {b"id,a\n1,x\n", b"id,a\n2,y\n"}
    assert all(key.endswith(".csv.gz") for key in archived)


def test_three_files_of_one_name_are_all_kept(feed: Feed) -> None:
    shop = feed()
    contents = {csv_text("id,a", f"{number},x") for number in (1, 2, 3)}
    for folder, content in zip("abc", sorted(contents), strict=True):
        shop.land(f"{folder}/{shop.name}.csv", content)
    shop.spec_body = shop.spec_body.replace("prefix: data/in/{name}/", "prefix: data/in/{name}/, batch: all")

    results = shop.run()

    assert [result.status for result in results] == ["SUCCESS"] * 3
    archived = shop.keys("data/archive/")
    assert {shop.s3.get_object(Bucket="lake", Key=key)["Body"].read().decode() for key in archived} == contents
    assert shop.keys("data/in/") == []


def test_a_moved_file_carries_the_identity_it_arrived_with(feed: Feed) -> None:
    shop = feed()
    key = shop.land(f"{shop.name} ü+%'#.csv", csv_text("id,a", "1,x"))
    before = shop.s3.head_object(Bucket="lake", Key=key)

    (result,) = shop.run()

    assert result.status == "SUCCESS", result.failure and result.failure.message
    (archived,) = shop.keys("data/archive/")
    moved = Lake(shop.s3, shop.environment.lake).describe(archived)
    assert moved is not None
    assert (moved.identity.key, moved.identity.etag) == (key, before["ETag"].strip('"'))
    assert moved.arrived_at == before["LastModified"]


@pytest.mark.parametrize(
    "name", ["it's a\\path.csv", "a b&c=d?.csv", '"[x]{y}*".csv', "日本+𝄞.csv", "100%25#.csv", "semi;--colon.csv"]
)
def test_a_file_of_any_name_loads_and_is_recorded(feed: Feed, name: str) -> None:
    shop = feed()
    key = shop.land(name, csv_text("id,a", "1,x"))

    (result,) = shop.run()

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert {row[0] for row in shop.audit("source_filename")} == {key}
    assert shop.rows("id, a", "id") == [(1, "x")]


def test_columns_and_values_of_any_text_load_as_they_are(feed: Feed) -> None:
    shop = feed(
        """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [select]}
columns: {rename: {odd: 'we"ird; -- {{ x }}'}}
"""
    )
    text = "'; drop table x; --\\' {{ 7*7 }} {% raw %} \\ \"\" $1 :p %s é 𝄞"
    quoted = '"' + text.replace('"', '""') + '"'

    result = shop.load("1.csv", f"select,odd\n{quoted},{quoted}\n")

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert shop.rows('"select", "we""ird; -- {{ x }}"', "1") == [(text, text)]
    again = shop.load("2.csv", f"odd,select\nnew,{quoted}\n")
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
def test_a_file_at_fault_goes_to_unprocessed_and_says_why(feed: Feed, content: str | bytes, words: str) -> None:
    shop = feed()
    file_name = f"{shop.name}.csv"
    shop.land(file_name, content)

    (result,) = shop.run()

    if content == "id,a,A\n1,x,y\n":
        assert result.status == "SUCCESS", "two headers that clean to one name are told apart"
        return
    assert result.failure is not None
    assert result.failure.type == "SourceFileError"
    assert file_name in result.failure.message
    assert words in result.failure.message
    assert shop.keys("data/in/") == []
    assert len(shop.keys("data/unprocessed/")) == 1
    ((status, message),) = shop.audit("status, error_message")[-1:]
    assert (status, message) == ("FAILED", result.failure.message[: len(message)])


def test_a_header_without_rows_succeeds_and_changes_nothing(feed: Feed) -> None:
    shop = feed()

    result = shop.load(f"{shop.name}.csv", "id,a\n")

    assert (result.status, result.counts.read) == ("SUCCESS", 0), result.failure
    assert shop.types() == {}
    assert len(shop.keys("data/archive/")) == 1
    assert shop.load("2.csv", csv_text("id,a", "1,5")).status == "SUCCESS"
    assert shop.types()["a"] == "integer"


def test_a_view_that_the_warehouse_refuses_leaves_the_file_and_the_table_as_they_are(feed: Feed) -> None:
    shop = feed(BROKEN_VIEW)

    result = shop.load(f"{shop.name}.csv", csv_text("id,a", "1,x"))

    assert result.failure is not None
    assert "no_such_column" in result.failure.message
    assert (result.failure.type, result.failure.step) == ("SpecError", "evolve")
    assert f"the view reporting.v_{shop.name} cannot be created" in result.failure.message
    assert len(shop.keys("data/in/")) == 1
    assert shop.types() == {}, "the table and its view come together or not at all"
    assert shop.keys("staging/") == []


def test_a_failed_file_stops_the_later_ones_of_an_unordered_upsert(feed: Feed) -> None:
    shop = feed()
    shop.land("1.csv", csv_text("id,a", "1,5"))
    shop.land("2.csv", csv_text("id,a", "1,6,7"))
    shop.land("3.csv", csv_text("id,a", "1,8"))

    results = shop.run()

    assert [result.status for result in results] == ["SUCCESS", "FAILED"]
    assert len(shop.keys("data/in/")) == 1
    assert shop.rows("a", "id") == [(5,)]


def test_the_log_is_exported_after_a_failure_too(feed: Feed) -> None:
    shop = feed()

    result = shop.load("1.csv", b"")

    (exported,) = shop.keys("logs/")
    assert exported.endswith(f"/{result.run_id}.jsonl")
    lines = shop.s3.get_object(Bucket="lake", Key=exported)["Body"].read().decode().splitlines()
    assert json.loads(lines[-1])["level"] in ("error", "info")
    assert any(json.loads(line)["msg"] == "load failed" for line in lines)


def test_a_log_that_cannot_be_exported_hides_no_error(feed: Feed) -> None:
    shop = feed(wrap_lake=without_logs)

    result = shop.load("1.csv", b"")

    assert result.failure is not None
    assert result.failure.type == "SourceFileError"
    assert [entry["msg"] for entry in shop.entries()][-1] == "the log could not be exported"


def test_a_dead_runs_remains_are_cleared_away(feed: Feed) -> None:
    shop = feed()
    dead = "dead" + "0" * 28
    shop.load("1.csv", csv_text("id,a", "1,x"))
    shop.sql(f"create table feedway.stage_{dead} (a integer)")
    shop.s3.put_object(Bucket="lake", Key=f"staging/{shop.name}/{dead}/alive", Body=b"")
    shop.s3.put_object(Bucket="lake", Key=f"staging/{shop.name}/{dead}/rows-0/part.parquet", Body=b"x")
    living = shop.load("2.csv", csv_text("id,a", "2,x"))
    untouched = len(shop.keys(f"staging/{shop.name}/"))

    # A limit below zero makes any sign of life but the own one too old.
    shop.environment = replace(shop.environment, dead_after_seconds=-1)
    result = shop.load("3.csv", csv_text("id,a", "3,x"))

    assert (living.status, result.status) == ("SUCCESS", "SUCCESS")
    assert untouched == 2
    assert shop.keys(f"staging/{shop.name}/") == []
    assert shop.sql(f"select count(*) from svv_tables where table_name = 'stage_{dead}'") == [(0,)]


def test_subfolders_count_and_hidden_names_do_not(feed: Feed) -> None:
    shop = feed()
    shop.land("deep/er/1.csv", csv_text("id,a", "1,x"))
    shop.land("_SUCCESS", "")
    shop.land(".hidden.csv", "")

    results = shop.run()

    assert [result.source_file for result in results] == [f"data/in/{shop.name}/deep/er/1.csv"]


def test_a_pattern_is_matched_in_any_case(feed: Feed) -> None:
    shop = feed(
        """
source: {prefix: data/in/{name}/, pattern: "orders_*.csv*", order: name}
target: {table: "{name}"}
load: {mode: append}
"""
    )
    for name in ("ORDERS_2.CSV", "orders_1.csv.gz", "orders_3.txt"):
        body = csv_text("id", name[7])
        shop.land(name, gzip.compress(body.encode()) if name.endswith(".gz") else body)

    results = shop.run()

    assert [str(result.source_file).rpartition("/")[2] for result in results] == ["ORDERS_2.CSV", "orders_1.csv.gz"]
    assert [result.status for result in results] == ["SUCCESS", "SUCCESS"], results


def test_a_warehouse_out_of_reach_for_ten_loads_empties_no_inbox(feed: Feed, redshift_data: Any) -> None:
    far = boto3.client(
        "redshift-data",
        endpoint_url="http://127.0.0.1:9",
        region_name="eu-west-1",
        config=Config(retries={"max_attempts": 0}),
    )
    shop = feed(redshift_data=far)
    for number in (1, 2):
        shop.land(f"{number}.csv", csv_text("id,a", f"{number},x"))

    runs = [shop.run() for _ in range(10)]

    assert [[result.status for result in results] for results in runs] == [["FAILED"]] * 10
    assert {results[0].failure and results[0].failure.type for results in runs} == {"TransientWarehouseError"}
    assert len(shop.keys(f"data/in/{shop.name}/")) == 2
    assert shop.keys("data/unprocessed/") == []
    in_reach = replace(shop, redshift_data=redshift_data)
    assert [result.status for result in in_reach.run()] == ["SUCCESS"] * 2


def test_a_moved_file_without_its_identity_is_not_loaded_as_a_new_one(feed: Feed) -> None:
    """The sandbox's S3 forgets object metadata when it is started anew; a copy by hand may leave it out too."""
    shop = feed()
    key = f"data/archive/2026/01/{shop.name}.csv"
    shop.s3.put_object(Bucket="lake", Key=key, Body=csv_text("id,a", "1,x").encode())

    with pytest.raises(SpecError, match="does not say where it arrived"):
        shop.run(OneFile(key))
    (result,) = shop.run(OneFile(key, again=True))

    assert result.status == "SUCCESS", result.failure
    assert shop.rows("id, a", "id") == [(1, "x")]


def test_a_dead_runs_remains_are_cleared_away_where_nothing_is_pending(feed: Feed) -> None:
    shop = feed()
    dead = "dead" + "1" * 28
    shop.load("1.csv", csv_text("id,a", "1,x"))
    shop.s3.put_object(Bucket="lake", Key=f"staging/{shop.name}/{dead}/alive", Body=b"")
    shop.environment = replace(shop.environment, dead_after_seconds=-1)

    assert shop.run() == []
    assert shop.keys(f"staging/{shop.name}/") == []


@pytest.mark.parametrize("load", ["{mode: append}", "{mode: replace}"])
def test_an_archive_that_is_not_writable_is_a_warning_and_the_next_run_archives(
    feed: Feed, other_s3: Any, load: str
) -> None:
    shop = feed(loading(load))
    denied = refuse(other_s3, "CopyObject", 403, "AccessDenied")
    for name in ("1.csv", "2.csv"):
        shop.land(name, csv_text("id,a", f"1,{name}"))

    results = replace(shop, s3=other_s3).run()
    again = shop.run()

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
    assert shop.keys(f"data/in/{shop.name}/") == []
    assert len(shop.rows("a", "a")) == len(loaded)
