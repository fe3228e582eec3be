"""A load that another run supersedes puts no old row in the place of a new one, and loads what is left to load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from framework.errors import SpecError
from framework.load.request import Accepted, LoadRequest, OneFile
from framework.load.result import LoadResult
from tests.arrivals import land
from tests.call_hooks import CallHook, through
from tests.faults.scenarios import another_run
from tests.harness import PENDING, FeedHarness, MakeFeed, csv_text


def loading(load: str, source: str = "") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/{source}}}
target: {{table: "{{name}}"}}
load: {load}
metadata_columns: {{run_date: null, file_name: null}}
"""


def archived(feed: FeedHarness) -> int:
    """Return how many files the feed has in the archive."""
    found = feed.s3.list_objects_v2(Bucket="lake", Prefix="data/archive/").get("Contents", [])
    heads = [feed.s3.head_object(Bucket="lake", Key=item["Key"]) for item in found]
    return sum(feed.name in head["Metadata"].values() for head in heads)


UPSERT = loading("{keys: [id]}")
REPLACE = loading("{mode: replace}")


def superseded(
    feed: FeedHarness, other_s3: Any, meanwhile: Callable[[FeedHarness], object], request: LoadRequest = PENDING
) -> list[LoadResult]:
    """Run, and let something happen just before COPY: the rows are staged then, and nothing is merged."""
    moment = CallHook(
        other_s3, "before-call.s3.PutObject", 1, lambda context: "manifest.json" in context["params"]["url_path"]
    )
    slow = replace(feed, wrap_lake=through(other_s3), run_number_base=0x500)
    other = another_run(feed, feed.s3, feed.redshift_data, feed.frames, base=0x900)
    moment.action = lambda: meanwhile(other)
    results = slow.run(request)
    assert moment.action is None
    return results


def test_a_superseded_snapshot_does_not_replace_a_newer_one(make_feed: MakeFeed, other_s3: Any) -> None:
    feed = make_feed(REPLACE)
    key = land(feed, "1.csv", 1, csv_text("id,a", "1,old", "2,old"))

    def newer(other: FeedHarness) -> None:
        land(feed, "2.csv", 2, csv_text("id,a", "1,new"))
        assert [result.status for result in other.run()] == ["SUCCESS", "SKIPPED"]

    (result,) = superseded(feed, other_s3, newer)

    assert (result.source_file, result.status) == (key, "SKIPPED")
    assert feed.rows("id, a", "id") == [(1, "new")]
    assert feed.keys("data/in/") == feed.keys("staging/") == []
    assert archived(feed) == 2


def test_a_superseded_snapshot_that_nobody_has_put_away_is_put_away(make_feed: MakeFeed, other_s3: Any) -> None:
    """The newer file was asked for by name, so the run that loaded it passed over no other."""
    feed = make_feed(REPLACE)
    land(feed, "1.csv", 1)

    def newer(other: FeedHarness) -> None:
        (loaded,) = other.run(OneFile(land(feed, "2.csv", 2)))
        assert loaded.status == "SUCCESS"

    (result,) = superseded(feed, other_s3, newer)

    assert result.status == "SKIPPED", result.failure
    assert "another run has loaded" in str(result.reason)
    assert feed.rows("a", "a") == [("2.csv",)]
    assert feed.keys("data/in/") == []
    assert ("SKIPPED",) in feed.audit("status")


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("source", ["", ", order: name"])
@pytest.mark.parametrize("load", ["{mode: replace}", "{keys: [id]}"])
def test_a_file_that_was_asked_for_and_is_superseded_meanwhile_is_refused(
    make_feed: MakeFeed, other_s3: Any, load: str, source: str
) -> None:
    feed = make_feed(loading(load, source))
    key = land(feed, "1.csv", 1)

    def newer(other: FeedHarness) -> None:
        (loaded,) = other.run(OneFile(land(feed, "2.csv", 2)))
        assert loaded.status == "SUCCESS"

    (result,) = superseded(feed, other_s3, newer, OneFile(key))

    assert result.status == "REFUSED", result.failure
    assert "2.csv, which arrived 2026-01-01 00:00:02 and comes after it" in str(result.reason)
    assert feed.rows("a", "a") == [("2.csv",)]
    assert feed.keys("data/in/") == [key]
    assert feed.keys("staging/") == []
    assert feed.run(OneFile(key, accepted=Accepted(out_of_order=True)))[0].status == "SUCCESS"
    assert feed.rows("a", "a") == [("1.csv",)]


def test_rows_with_an_order_of_their_own_may_be_superseded(make_feed: MakeFeed, other_s3: Any) -> None:
    feed = make_feed(loading("{keys: [id], order_by: [a desc]}"))
    key = land(feed, "1.csv", 1)

    (result,) = superseded(feed, other_s3, lambda other: other.run(OneFile(land(feed, "2.csv", 2))), OneFile(key))

    assert result.status == "SUCCESS"
    assert result.counts.deduplicated == 1
    assert feed.rows("a", "a") == [("2.csv",)]


def test_names_that_come_again_every_day_are_no_old_files(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("{keys: [id]}", ", order: name"))
    for day in (1, 2):
        land(feed, "at.csv", day * 100, csv_text("id,a", f"1,{day}"))
        land(feed, "de.csv", day * 100, csv_text("id,a", f"2,{day}"))
        assert [result.status for result in feed.run()] == ["SUCCESS", "SUCCESS"]

    assert feed.rows("id, a", "id") == [(1, 2), (2, 2)]


def test_two_feeds_of_one_table_do_not_supersede_each_other(make_feed: MakeFeed) -> None:
    first = make_feed(UPSERT)
    second = make_feed(UPSERT.replace('"{name}"', first.name))
    land(second, "2.csv", 2, csv_text("id,a", "2,x"))
    second.run()
    land(first, "1.csv", 1, csv_text("id,a", "1,x"))

    (result,) = first.run()

    assert result.status == "SUCCESS", result.reason
    assert first.rows("id", "id") == [(1,), (2,)]


def test_a_batch_of_which_another_run_has_loaded_a_part_loads_the_rest(make_feed: MakeFeed, other_s3: Any) -> None:
    feed = make_feed(loading("{mode: append}", ", batch: all"))
    keys = [land(feed, f"{number}.csv", number) for number in (1, 2, 3)]

    results = superseded(feed, other_s3, lambda other: other.run(OneFile(keys[1])))

    assert sorted((result.source_file, result.status) for result in results) == [
        (keys[0], "SUCCESS"),
        (keys[1], "SKIPPED"),
        (keys[2], "SUCCESS"),
    ]
    assert feed.rows("a", "a") == [("1.csv",), ("2.csv",), ("3.csv",)]
    assert feed.keys("data/in/") == feed.keys("staging/") == []
    assert archived(feed) == 3


def test_of_a_batch_by_name_only_the_files_that_come_too_late_are_refused(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("{keys: [id]}", ", order: name, batch: all"))
    old = land(feed, "a.csv", 1, csv_text("id,a", "1,old"))
    other = land(feed, "c.csv", 1, csv_text("id,a", "3,c"))
    feed.run(OneFile(land(feed, "b.csv", 2, csv_text("id,a", "1,new"))))

    results = feed.run()

    assert {result.source_file: result.status for result in results} == {old: "REFUSED", other: "SUCCESS"}
    assert feed.rows("id, a", "id") == [(1, "new"), (3, "c")]
    assert feed.keys("data/in/") == [old]


@pytest.mark.parametrize("path", ["data/quarantine/{name}/part.parquet", "data/in/{name}_other/1.csv", "logs/x.jsonl"])
def test_an_object_that_is_no_file_of_the_feed_stays_where_it_is(make_feed: MakeFeed, path: str) -> None:
    feed = make_feed(UPSERT)
    key = path.format(name=feed.name)
    feed.s3.put_object(Bucket="lake", Key=key, Body=b"id,a\n1,x\n")

    with pytest.raises(SpecError, match=f"does not match source.prefix .* of {feed.name}"):
        feed.run(OneFile(key))

    assert feed.s3.head_object(Bucket="lake", Key=key)
    feed.s3.delete_object(Bucket="lake", Key=key)
