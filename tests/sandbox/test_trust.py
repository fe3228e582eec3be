"""What others write is not believed: metadata of files in the inbox, and of objects that somebody has replaced."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from framework.errors import SpecError
from framework.load.request import OneFile, Unprocessed
from tests.arrivals import land
from tests.harness import FeedHarness, MakeFeed, csv_text
from tests.sandbox.test_precedence import loading

FAR_AHEAD = "2999-01-01T00:00:00+00:00"


def put(feed: FeedHarness, key: str, content: str, metadata: dict[str, str]) -> str:
    feed.s3.put_object(Bucket="lake", Key=key, Body=content.encode(), Metadata=metadata)
    return key


def metadata_of(feed: FeedHarness, key: str) -> dict[str, str]:
    found: dict[str, str] = feed.s3.head_object(Bucket="lake", Key=key)["Metadata"]
    return found


def forged(key: str, arrived_at: str = FAR_AHEAD, **more: str) -> dict[str, str]:
    fields = ["lake", key, "0" * 32, "9", arrived_at]
    return {"feedway-identity": json.dumps(fields), "feedway-run-id": "0" * 32} | more


def status(results: list[Any]) -> list[str]:
    return [result.status for result in results]


@pytest.mark.parametrize("load", ["{mode: replace}", "{keys: [id]}", "{mode: append}"])
def test_a_forged_arrival_in_the_inbox_delays_no_later_file(make_feed: MakeFeed, load: str) -> None:
    feed = make_feed(loading(load))
    inbox = f"data/in/{feed.name}"
    metadata = forged(f"{inbox}/zzz.csv", **{"feedway-pipeline": "another"})
    put(feed, f"{inbox}/1.csv", csv_text("id,a", "1,forged"), metadata)
    first = feed.run()
    feed.land("2.csv", csv_text("id,a", "1,later"))

    second = feed.run()

    assert status(first) == status(second) == ["SUCCESS"]
    assert ("later",) in feed.rows("a", "a")
    assert [row[0] for row in feed.audit("source_filename, status")] == [f"{inbox}/{name}.csv" for name in (1, 1, 2, 2)]


def test_a_changed_file_that_has_kept_its_metadata_is_read(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("{keys: [id]}"))
    key = f"data/in/{feed.name}/{feed.name}.csv"
    feed.load(f"{feed.name}.csv", csv_text("id,a", "1,x"))
    (archived,) = feed.keys("data/archive/")
    put(feed, key, csv_text("id,a", "1,y"), metadata_of(feed, archived))

    (result,) = feed.run()

    assert result.status == "SUCCESS", result.reason
    assert feed.rows("a", "a") == [("y",)]


def test_a_copy_from_the_archive_under_a_new_name_is_a_delivery_of_its_own(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("{mode: append}"))
    first = feed.load(f"{feed.name}.csv", csv_text("id,a", "1,x"))
    (archived,) = feed.keys("data/archive/")
    source = {"Bucket": "lake", "Key": archived}
    feed.s3.copy_object(Bucket="lake", Key=f"data/in/{feed.name}/again.csv", CopySource=source)

    (result,) = feed.run()

    assert (result.status, result.source_file) == ("SUCCESS", f"data/in/{feed.name}/again.csv")
    assert [warning.rule for warning in result.warnings] == ["same-content"]
    assert f"{first.source_file}, loaded on 2" in result.warnings[0].message
    assert f"by run {first.run_id}" in result.warnings[0].message
    assert feed.rows("a", "a") == [("x",), ("x",)]


def test_an_archived_object_with_other_content_is_not_taken_for_what_was_loaded(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("{keys: [id]}"))
    feed.load(f"{feed.name}.csv", csv_text("id,a", "1,x"))
    (archived,) = feed.keys("data/archive/")
    put(feed, archived, csv_text("id,a", "1,y"), metadata_of(feed, archived))

    with pytest.raises(SpecError, match=r"does not say where it arrived: .* written for other content"):
        feed.run(OneFile(archived))
    (result,) = feed.run(OneFile(archived, again=True))

    assert result.status == "SUCCESS"
    assert feed.rows("a", "a") == [("y",)]


@pytest.mark.parametrize("content", ["id,a\n1,longer\n", "id,a\n1,yy\n"])
def test_an_unprocessed_object_that_somebody_has_replaced_is_reported_and_left_alone(
    make_feed: MakeFeed, content: str
) -> None:
    feed = make_feed(loading("{keys: [id]}") + "types: {columns: {id: integer, a: integer}}\n")
    feed.load(f"{feed.name}.csv", "id,a\n1,xx\n")
    (unprocessed,) = feed.keys("data/unprocessed/")
    put(feed, unprocessed, content, metadata_of(feed, unprocessed))

    (result,) = feed.run(Unprocessed())
    # Of an object that does not say whose it is, every other pipeline reports it too.
    feed.s3.delete_object(Bucket="lake", Key=unprocessed)

    assert (result.status, result.source_file) == ("REFUSED", unprocessed)
    assert "written for other content" in str(result.reason)


def test_a_forged_arrival_below_unprocessed_delays_no_later_file(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("{mode: replace}"))
    content = csv_text("id,a", "1,forged")
    fields = ["lake", f"data/in/{feed.name}/f.csv", "not-an-md5", str(len(content)), FAR_AHEAD]
    metadata = {"feedway-identity": json.dumps(fields), "feedway-pipeline": feed.name}
    put(feed, f"data/unprocessed/2026/01/{feed.name}.csv", content, metadata)
    first = feed.run(Unprocessed())
    feed.land("2.csv", csv_text("id,a", "1,later"))

    second = feed.run()

    assert status(first) == status(second) == ["SUCCESS"]
    assert feed.rows("a", "a") == [("later",)]


def test_a_file_that_is_sent_once_more_is_not_even_staged(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("{mode: append}"))
    land(feed, "1.csv", 1)
    (loaded,) = feed.run()
    land(feed, "1.csv", 5)
    before = len(feed.entries())

    (result,) = feed.run()

    assert result.status == "SKIPPED"
    assert str(result.reason).startswith("already loaded on 2")
    assert str(result.reason).endswith(f"Z by run {loaded.run_id}")
    steps = [entry.get("step") for entry in feed.entries()[before:]]
    assert set(steps) <= {"discover", "observe", "recover", "settle", None}
    assert [row[0] for row in feed.audit("status")] == ["STARTED", "SUCCESS", "SKIPPED"]


def test_of_a_batch_only_what_is_new_is_staged(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("{mode: append}", ", batch: all"))
    land(feed, "1.csv", 1)
    (loaded,) = feed.run()
    land(feed, "1.csv", 5)
    land(feed, "2.csv", 6)
    land(feed, "3.csv", 7)

    results = feed.run()

    assert sorted(status(results)) == ["SKIPPED", "SUCCESS", "SUCCESS"]
    assert {result.reason for result in results if result.status == "SKIPPED"} == {
        f"already loaded on {at:%Y-%m-%dT%H:%M:%SZ} by run {loaded.run_id}" for at in started(feed, str(loaded.run_id))
    }
    assert feed.rows("a", "a") == [("1.csv",), ("2.csv",), ("3.csv",)]


def started(feed: FeedHarness, run_id: str) -> list[datetime]:
    rows = feed.sql(f"select distinct run_start_ts from feedway.job_sts where run_id = '{run_id}'")
    return [datetime.fromisoformat(str(at)) for (at,) in rows]


@pytest.mark.parametrize("batch", ["file", "all"])
def test_the_same_bytes_under_a_new_name_are_reported(make_feed: MakeFeed, batch: str) -> None:
    feed = make_feed(loading("{mode: append}", f", batch: {batch}"))
    for name in ("1.csv", "2.csv"):
        feed.land(name, csv_text("id,a", "1,x"))
    together = feed.run()
    feed.land("3.csv", csv_text("id,a", "1,x"))
    later = feed.run()

    shown = {str(result.source_file)[-5:]: [each.message for each in result.warnings] for result in together + later}
    assert shown["1.csv"] == []
    assert f"2.csv has the same bytes as data/in/{feed.name}/1.csv, " in shown["2.csv"][0]
    assert f"3.csv has the same bytes as data/in/{feed.name}/1.csv, loaded on 2" in shown["3.csv"][0]
    assert [entry["rule"] for entry in feed.entries() if "rule" in entry] == ["same-content"] * 2
    kept = feed.audit("source_filename, status, warnings")
    assert ["same-content" in str(warnings) for _, state, warnings in kept if state == "SUCCESS"] == [False, True, True]


@pytest.mark.parametrize("batch", ["file", "all"])
def test_files_without_rows_are_all_alike_and_no_warning(make_feed: MakeFeed, batch: str) -> None:
    feed = make_feed(loading("{mode: append}", f", batch: {batch}"))
    feed.load("0.csv", csv_text("id,a", "1,x"))
    results = []
    for names in (("1.csv", "2.csv"), ("3.csv",)):
        for name in names:
            feed.land(name, csv_text("id,a"))
        results += feed.run()

    assert status(results) == ["SUCCESS"] * 3
    assert [result.warnings for result in results] == [()] * 3


def test_files_that_are_sent_once_more_share_one_query_of_the_warehouse(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("{mode: append}"))
    for second in (1, 5):
        for name in ("1.csv", "2.csv", "3.csv"):
            land(feed, name, second)
        before = feed.warehouse.submissions
        results = feed.run()

    assert status(results) == ["SKIPPED"] * 3
    # The look, then for each file the ledger, what else arrived under its name, and its SKIPPED row.
    assert feed.warehouse.submissions - before == 1 + 3 * 3
