"""Bad rows: quarantine within the budget, the whole file refused beyond it, and what messages say."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pyarrow.parquet
import pytest
from botocore.exceptions import EndpointConnectionError

from framework.load.preview import plan_pipeline
from framework.load.request import Pending
from framework.load.result import LoadResult, RecordCounts
from tests.harness import FeedHarness, MakeFeed, csv_text
from tests.sandbox.conftest import DIVIDED


def spec(bad_rows: str, source: str = "", load: str = "keys: [id]") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/{source}}}
target: {{table: "{{name}}"}}
load: {{{load}}}
metadata_columns: {{run_date: null, file_name: null}}
types: {{columns: {{id: integer, n: integer}}}}
bad_rows: {{{bad_rows}}}
"""


def quarantined(feed: FeedHarness) -> list[tuple[Any, ...]]:
    """Return what the feed's quarantine holds, by file and row: file, row, column, reason, the record's fields."""
    found = []
    for key in feed.keys("data/quarantine/"):
        body = feed.s3.get_object(Bucket="lake", Key=key)["Body"].read()
        rows = pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()
        found += [(row["file"], row["row"], row["column"], row["reason"], json.loads(row["record"])) for row in rows]
    return sorted(found, key=lambda row: row[:2])


def message(result: LoadResult) -> str:
    assert result.failure is not None
    assert result.failure.type == "SourceFileError"
    return result.failure.message


def test_good_rows_load_and_bad_ones_go_to_quarantine(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("action: quarantine, max_rows: 3"))

    result = feed.load("1.csv", csv_text("id,n", "1,1", "2,x", '3,3,"a', '"', "3,3", "4,", ",5", "3,33"))

    assert result.status == "SUCCESS", result.failure
    assert result.counts == RecordCounts(read=7, inserted=3, updated=0, deleted=0, deduplicated=1, rejected=3)
    assert feed.rows("id, n", "id") == [(1, 1), (3, 33), (4, None)]
    assert quarantined(feed) == [
        ("1.csv", 2, "n", "is not a value of integer", ["2", "x"]),
        ("1.csv", 3, None, "the record has 3 fields, the header names 2", ["3", "3", "a\n"]),
        ("1.csv", 6, "id", "stands in an upsert key, which needs a value", [None, "5"]),
    ]


def test_everybody_learns_how_many_rows_are_where(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("action: quarantine, max_fraction: 0.5"))

    result = feed.load(f"{feed.name}.csv", csv_text("id,n", "1,1", "2,x"))

    (key,) = feed.keys("data/quarantine/")
    folder = f"s3://lake/{key.rpartition('/')[0]}/"
    ((started,),) = feed.sql(
        "select to_char(run_start_ts, 'YYYY/MM') from feedway.job_sts "
        f"where run_id = '{result.run_id}' and status = 'SUCCESS'"
    )
    assert folder == f"s3://lake/data/quarantine/{feed.name}/{started}/{result.run_id}/"
    assert (result.quarantine, result.as_dict()["quarantine"]) == (folder, folder)
    assert feed.audit("records_read, records_inserted, records_rejected, error_message")[1] == (
        2,
        1,
        1,
        f"bad rows: 1, in {folder}",
    )
    (shown,) = [entry for entry in feed.entries() if entry["msg"] == "bad rows are in quarantine"]
    assert (shown["level"], shown["rows"], shown["of"], shown["to"]) == ("warning", 1, 2, folder)
    assert len(feed.keys("data/archive/")) == 1


@pytest.mark.parametrize(
    ("budget", "bad", "shown"),
    [
        ("max_rows: 2", 2, None),
        ("max_rows: 2", 3, "3 of 10 rows cannot be loaded, and the budget is 2 (bad_rows.max_rows)"),
        ("max_fraction: 0.3", 4, "4 of 10 rows cannot be loaded, and the budget is 3 (bad_rows.max_fraction 0.3)"),
        ("max_fraction: 1", 10, None),
    ],
)
def test_a_file_over_its_budget_is_refused_as_a_whole(
    make_feed: MakeFeed, budget: str, bad: int, shown: str | None
) -> None:
    feed = make_feed(spec(f"action: quarantine, {budget}"))
    ten = [f"{number},{'x' if number < bad else number}" for number in range(10)]

    result = feed.load(f"{feed.name}.csv", csv_text("id,n", *ten))

    if shown is None:
        assert (result.status, result.counts.rejected, result.counts.inserted) == ("SUCCESS", bad, 10 - bad)
        assert len(quarantined(feed)) == bad
    else:
        assert shown in message(result)
        assert feed.sql(f"select count(*) from svv_tables where table_name = '{feed.name}'") == [(0,)]
        assert quarantined(feed) == []
        assert len(feed.keys("data/unprocessed/")) == 1


def test_in_a_batch_only_the_file_over_its_budget_moves(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("action: quarantine, max_rows: 1", ", batch: all"))
    feed.land(f"{feed.name}_1.csv", csv_text("id,n", "1,x", "2,2"))
    feed.land(f"{feed.name}_2.csv", csv_text("id,n", "3,x", "4,x", "5,5"))

    first = feed.run()

    assert f"{feed.name}_2.csv: 2 of 3 rows cannot be loaded" in message(first[0])
    assert f"{feed.name}_1.csv row" not in message(first[0])
    assert [key.rpartition("/")[2] for key in feed.keys("data/unprocessed/")] == [f"{feed.name}_2.csv"]
    assert quarantined(feed) == []

    (second,) = feed.run()

    assert (second.counts.read, second.counts.inserted, second.counts.rejected) == (2, 1, 1)
    assert [row[:2] for row in quarantined(feed)] == [(f"{feed.name}_1.csv", 1)]


def test_a_batch_keeps_the_bad_rows_of_each_file_in_one_folder(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("action: quarantine, max_rows: 2", ", batch: all"))
    for number in (1, 2, 3):
        feed.land(f"{number}.csv", csv_text("id,n", f"{number},{number}", *(["x,1"] * (number - 1))))

    results = feed.run()

    assert [(result.counts.read, result.counts.inserted, result.counts.rejected) for result in results] == [
        (1, 1, 0),
        (2, 1, 1),
        (3, 1, 2),
    ]
    assert [result.quarantine is None for result in results] == [True, False, False]
    assert [row[:2] for row in quarantined(feed)] == [("2.csv", 2), ("3.csv", 2), ("3.csv", 3)]


def test_a_replacement_without_a_good_row_is_refused(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("action: quarantine, max_fraction: 1", load="mode: replace"))
    feed.load("1.csv", csv_text("id,n", "1,1"))

    result = feed.load("2.csv", csv_text("id,n", "x,1"))

    assert "the load has 0 good rows" in message(result)
    assert feed.rows("id", "id") == [(1,)]
    assert quarantined(feed) == []


def test_a_plan_says_what_would_go_to_quarantine_and_writes_nothing(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("action: quarantine, max_rows: 1"))
    feed.land("1.csv", csv_text("id,n", "1,1", "2,x"))

    (planned,) = plan_pipeline(feed.spec(), feed.services(), Pending())

    assert planned.rows == 1
    assert planned.notes == (f"bad rows that would go to data/quarantine/{feed.name}/: 1",)
    assert feed.keys("data/quarantine/") == []


def test_a_load_that_fails_later_leaves_nothing_in_quarantine(make_feed: MakeFeed) -> None:
    """The file still has all its rows, and the next attempt puts the bad ones aside again."""
    feed = make_feed(spec("action: quarantine, max_rows: 1", load="keys: [id], duplicates: reject"))

    result = feed.load(f"{feed.name}.csv", csv_text("id,n", "1,1", "1,2", "3,x"))

    assert "load.duplicates is reject" in message(result)
    assert quarantined(feed) == []
    assert len(feed.keys("data/unprocessed/")) == 1


@contextmanager
def killed(feed: FeedHarness, is_last: Callable[[str, dict[str, Any]], bool]) -> Iterator[None]:
    """Let every call fail from the one on that `is_last` names, as of a process that is gone."""
    died = False

    def hook(model: Any, params: dict[str, Any], **_: Any) -> None:
        nonlocal died
        died = died or is_last(model.name, params)
        if died:
            raise EndpointConnectionError(endpoint_url="http://gone")

    clients = [feed.s3, feed.redshift_data]
    for client in clients:
        client.meta.events.register("before-call", hook)
    try:
        yield
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", hook)
    assert died


def runs_in_quarantine(feed: FeedHarness) -> set[str]:
    return {key.split("/")[5] for key in feed.keys("data/quarantine/")}


def test_what_a_killed_run_put_aside_is_not_there_twice(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("action: quarantine, max_rows: 1"))
    feed.load("0.csv", csv_text("id,n", "9,9"))
    feed.land("1.csv", csv_text("id,n", "1,1", "2,x"))
    with killed(feed, lambda name, params: b"/merge" in params["body"] if name.startswith("Batch") else False):
        feed.run()
    (dead,) = runs_in_quarantine(feed)

    feed.environment = replace(feed.environment, dead_after_seconds=-1)
    (result,) = feed.run()

    assert (result.status, result.counts.rejected) == ("SUCCESS", 1)
    assert runs_in_quarantine(feed) == {result.run_id} != {dead}
    assert [row[:2] for row in quarantined(feed)] == [("1.csv", 2)]


def test_what_a_run_put_aside_stays_when_it_dies_after_its_merge(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("action: quarantine, max_rows: 1"))
    feed.land("1.csv", csv_text("id,n", "1,1", "2,x"))
    with killed(feed, lambda name, params: name == "CopyObject"):
        (loaded,) = feed.run()

    feed.environment = replace(feed.environment, dead_after_seconds=-1)
    (result,) = feed.run()

    assert (result.status, str(result.reason)[:17]) == ("SKIPPED", "already loaded on")
    assert runs_in_quarantine(feed) == {loaded.run_id}
    assert [row[:2] for row in quarantined(feed)] == [("1.csv", 2)]


def test_a_run_whose_bad_rows_were_cleared_away_loads_nothing(make_feed: MakeFeed) -> None:
    """It was taken for dead: even a file without a good row, for which nothing is copied, stays where it is."""
    feed = make_feed(spec("action: quarantine, max_fraction: 1"), environment=DIVIDED)
    feed.load("0.csv", csv_text("id,n", "9,9"))
    key = feed.land("1.csv", csv_text("id,n", "2,x"))

    def clear_away(model: Any, params: dict[str, Any], **_: Any) -> None:
        if b"/copy" in params["body"]:
            feed.s3.delete_objects(
                Bucket="lake", Delete={"Objects": [{"Key": kept} for kept in feed.keys("data/quarantine/")]}
            )

    feed.redshift_data.meta.events.register("before-call", clear_away)
    try:
        (result,) = feed.run()
    finally:
        feed.redshift_data.meta.events.unregister("before-call", clear_away)

    assert result.failure is not None
    assert "the quarantined rows were deleted" in result.failure.message
    assert feed.keys("data/in/") == [key]
    (again,) = feed.run()
    assert (again.status, len(quarantined(feed))) == ("SUCCESS", 1)


def test_a_run_that_another_has_forestalled_takes_its_bad_rows_back(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("action: quarantine, max_rows: 1"))
    key = feed.land(f"{feed.name}.csv", csv_text("id,n", "1,1", "2,x"))
    body = feed.s3.get_object(Bucket="lake", Key=key)["Body"].read()
    (loaded,) = feed.run()
    feed.sql(f"delete from feedway.job_sts where pipeline = '{feed.name}'")
    feed.s3.put_object(Bucket="lake", Key=key, Body=body)

    (result,) = feed.run()

    assert (result.status, str(result.reason)[:17]) == ("SKIPPED", "already loaded on")
    assert runs_in_quarantine(feed) == {loaded.run_id}


def test_a_refused_file_is_reported_with_row_line_and_reason(make_feed: MakeFeed) -> None:
    """A packed UTF-16 file with blank lines and fields over several lines: no row number is its line."""
    feed = make_feed(spec("action: reject_file", ", options: {encoding: utf-16}"))
    text = '\r\nid,"n"\r\n1,1\r\n\r\n"2\r\n\r\n",2\r\n3,drei\r\n4,4,4\r\n' + "5,x\r\n" * 30

    result = feed.load(f"{feed.name}.csv", gzip.compress(text.encode("utf-16")))

    first, *lines = message(result).splitlines()
    assert first.endswith(f"{feed.name}.csv: 33 of 34 rows cannot be loaded")
    count = "in row 4, line 9: 3 instead of 2 (a ',' in a text without quotes?)"
    assert lines[:3] == [
        f"  1 of 34 records has another number of fields than the header, {count}",
        "  1 of 33 values of id is not an integer: '2\\r\\n\\r\\n' (blanks around it), in row 2, line 5",
        "  31 of 33 values of n are not integers, e.g. 'drei', first in row 3, line 8",
    ]
    assert len(feed.keys("data/unprocessed/")) == 1


@pytest.mark.parametrize("action", ["action: reject_file", "action: quarantine, max_rows: 0"])
def test_without_samples_no_value_is_reported_anywhere(make_feed: MakeFeed, action: str) -> None:
    feed = make_feed(spec(f"{action}, log_samples: false"))
    feed.load("0.csv", csv_text("id,n,s", "9,9,9"))

    result = feed.load("1.csv", csv_text("id,n,s", "1,secret,1", ",secret,1", "3,4,secret"))

    shown = message(result)
    assert "2 of 3 values of n are not integers, first in row 1, line 2" in shown
    assert "1 of 3 rows has no id, which load.keys names, in row 2, line 3" in shown
    exported = [feed.s3.get_object(Bucket="lake", Key=key)["Body"].read().decode() for key in feed.keys("logs/")]
    audited = [row[0] for row in feed.audit("error_message")]
    assert audited[-1] == shown
    assert "secret" not in "".join([shown, feed.log.getvalue(), *exported, str(result.as_dict())])


def test_without_samples_a_widening_gives_no_value_as_its_reason(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("log_samples: false").replace(", n: integer", ""))
    feed.load("1.csv", csv_text("id,n", "1,1"))

    result = feed.load("2.csv", csv_text("id,n", "2,7777777777"))

    assert result.schema_changes[0]["reason"] == "1 value out of range"
    assert "7777777777" not in feed.log.getvalue()


def test_a_change_that_loads_some_rows_of_a_file_without_a_good_one_is_named(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("action: reject_file"))

    result = feed.load("1.csv", csv_text("id,n", "1,zwei", ",3"))

    change = "types.columns.n: varchar(256) and bad_rows.action: quarantine and bad_rows.max_rows: 2"
    assert f"or change the spec:\n  {change} (rows without another fault load)" in message(result)
    feed.spec_body = spec("action: quarantine, max_rows: 2").replace("n: integer", "n: varchar(256)")
    assert feed.load("2.csv", csv_text("id,n", "1,zwei", ",3")).counts.inserted == 1
