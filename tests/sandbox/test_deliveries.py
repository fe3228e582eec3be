"""When the same bytes that arrive again under their name are a delivery of their own, and when somebody repeats one."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from framework.load.request import OneFile, Unprocessed
from tests.arrivals import MIDNIGHT, drop, land
from tests.harness import MakeFeed, csv_text
from tests.sandbox.test_precedence import archived, loading, superseded
from tests.sandbox.test_quarantine_replay import corrected, quarantine_rows, replay

APPEND, REPLACE, UPSERT = (loading(load) for load in ("{mode: append}", "{mode: replace}", "{keys: [id]}"))
QUARANTINE = "bad_rows: {action: quarantine, max_fraction: 1}\ntypes: {columns: {id: integer}}\n"


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize("load", ["{mode: replace}", "{keys: [id]}", "{mode: append}"])
def test_a_file_that_goes_back_to_what_it_was_is_a_delivery_of_its_own(make_feed: MakeFeed, load: str) -> None:
    """`rates.csv`, written anew each day: today it is again what it was the day before yesterday."""
    feed = make_feed(loading(load))
    for second, value in ((1, "on"), (2, "off"), (3, "on")):
        land(feed, "state.csv", second, csv_text("id,a", f"1,{value}"))
        (result,) = feed.run()
        assert result.status == "SUCCESS", result.reason

    assert feed.rows("a", "a") == ([("off",), ("on",), ("on",)] if "append" in load else [("on",)])
    generations = [row for row in feed.audit("status, source_generation") if row[0] == "SUCCESS"]
    assert generations == [("SUCCESS", 1), ("SUCCESS", 1), ("SUCCESS", 2)]
    assert archived(feed) == 3


def test_a_file_that_is_sent_once_more_is_not_loaded_once_more(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("{mode: append}"))
    for second in (1, 2):
        land(feed, "1.csv", second)
        land(feed, f"other-{second}.csv", second)
        feed.run()

    assert feed.rows("a", "a") == [("1.csv",), ("other-1.csv",), ("other-2.csv",)]


@pytest.mark.parametrize("load", ["{mode: replace}", "{keys: [id]}"])
def test_a_file_that_goes_back_after_one_that_failed_is_loaded_and_the_failed_one_comes_too_late(
    make_feed: MakeFeed, load: str
) -> None:
    feed = make_feed(loading(load))
    land(feed, "s.csv", 1, csv_text("id,a", "1,A"))
    feed.run()
    land(feed, "s.csv", 2, csv_text("id,a", "1,BB", "2"))
    (failed,) = feed.run()
    land(feed, "s.csv", 3, csv_text("id,a", "1,A"))
    (again,) = feed.run()
    feed.spec_body += "bad_rows: {action: quarantine, max_rows: 1}\n"

    (late,) = feed.run(Unprocessed())

    assert [result.status for result in (failed, again, late)] == ["FAILED", "SUCCESS", "REFUSED"]
    assert feed.rows("a", "a") == [("A",)]


def test_a_snapshot_that_is_sent_again_after_another_replaces_it_again(make_feed: MakeFeed) -> None:
    """The other has another name, and of the file between them no load was ever made."""
    feed = make_feed(loading("{mode: replace}"))
    land(feed, "s.csv", 1, csv_text("id,a", "1,A"))
    feed.run()
    land(feed, "s.csv", 2, csv_text("id,a", "1,BB"))
    land(feed, "z.csv", 3, csv_text("id,a", "1,Z"))
    feed.run()
    land(feed, "s.csv", 4, csv_text("id,a", "1,A"))

    (result,) = feed.run()

    assert result.status == "SUCCESS", result.reason
    assert feed.rows("a", "a") == [("A",)]


def test_a_file_is_loaded_again_whenever_it_was_loaded_before(make_feed: MakeFeed) -> None:
    feed = make_feed(UPSERT)
    land(feed, "f.csv", 1, csv_text("id,a", "1,one"))
    feed.run()
    land(feed, "g.csv", 2, csv_text("id,a", "1,two"))
    feed.run()

    (sent,) = feed.run(OneFile(land(feed, "f.csv", 3, csv_text("id,a", "1,one")), again=True))

    assert sent.status == "SUCCESS", sent.reason
    assert feed.rows("a", "a") == [("one",)]
    generations = sorted(
        row[1] for row in feed.audit("source_filename, source_generation, status") if row[2] == "SUCCESS"
    )
    assert generations == [1, 1, 2]


def test_a_snapshot_is_a_delivery_whenever_it_arrives(make_feed: MakeFeed) -> None:
    """Arrivals do not say what the table holds: an old file may be loaded out of order, two may come in one second."""
    feed = make_feed(REPLACE)
    land(feed, "a.csv", 1, csv_text("id,a", "1,A"))
    feed.run()
    land(feed, "z.csv", 1, csv_text("id,a", "1,Z"))
    feed.run()
    land(feed, "a.csv", 9, csv_text("id,a", "1,A"))

    (result,) = feed.run()

    assert result.status == "SUCCESS", result.reason
    assert feed.rows("a", "a") == [("A",)]


def test_a_snapshot_that_was_confirmed_is_not_replaced_by_an_older_one(make_feed: MakeFeed) -> None:
    feed = make_feed(REPLACE)
    land(feed, "a.csv", 1, csv_text("id,a", "1,A"))
    feed.run()
    land(feed, "z.csv", 2, csv_text("id,a", "1,Z", "2"))
    (failed,) = feed.run()
    land(feed, "a.csv", 3, csv_text("id,a", "1,A"))
    feed.run()
    feed.spec_body += "bad_rows: {action: quarantine, max_rows: 1}\n"

    (late,) = feed.run(Unprocessed())

    assert (failed.status, late.status) == ("FAILED", "REFUSED")
    assert feed.rows("a", "a") == [("A",)]


def test_a_new_snapshot_under_an_older_ones_name_is_not_put_away_unread(make_feed: MakeFeed, other_s3: Any) -> None:
    """It arrives while a newer one than the older one is loaded."""
    feed = make_feed(REPLACE)
    land(feed, "x.csv", 1, csv_text("id,a", "1,old"))
    land(feed, "s.csv", 2, csv_text("id,a", "1,s"))

    first = superseded(feed, other_s3, lambda other: land(feed, "x.csv", 30, csv_text("id,a", "1,newest")))
    second = feed.run()

    assert [[result.status for result in results] for results in (first, second)] == [["SUCCESS"], ["SUCCESS"]]
    assert feed.rows("a", "a") == [("newest",)]
    assert archived(feed) == 2


def test_corrections_make_no_repeated_file_a_delivery(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(APPEND + QUARANTINE)
    text = csv_text("id,a", "1,good", "x,bad")
    land(feed, "1.csv", 1, text)
    feed.run()
    replay(feed, corrected(quarantine_rows(feed), {2: ["2", "fixed"]}, tmp_path / "fixed.parquet"))
    # Corrections are entered with the time of their replay.
    drop(feed.s3_folder, f"data/in/{feed.name}/1.csv", text, int(time.time()) + 3 - MIDNIGHT)

    (result,) = feed.run()

    assert result.status == "SKIPPED"
    assert feed.rows("id", "id") == [(1,), (2,)]


def test_a_delivery_that_was_set_aside_is_none_of_the_later_ones(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    text = csv_text("id,a", "1,A", "2")
    land(feed, "1.csv", 1, text)
    feed.run()
    land(feed, "1.csv", 2, csv_text("id,a", "5,B"))
    feed.run()
    feed.spec_body += "bad_rows: {action: quarantine, max_rows: 1}\n"
    land(feed, "1.csv", 3, text)
    feed.run()

    (replayed,) = feed.run(Unprocessed())

    assert replayed.status == "SUCCESS", replayed.reason
    assert feed.rows("a", "a") == [("A",), ("A",), ("B",)]


@pytest.mark.parametrize("spec", [REPLACE, UPSERT])
def test_deliveries_are_known_whatever_the_pipeline_is_called(make_feed: MakeFeed, spec: str) -> None:
    feed = make_feed(spec)
    for second, value in ((1, "A"), (2, "BB")):
        land(feed, "s.csv", second, csv_text("id,a", f"1,{value}"))
        feed.run()
    body = feed.spec_body.replace("{name}", feed.name)
    renamed = replace(feed, name=f"{feed.name}_v2", spec_body=body, run_number_base=0x300)
    land(feed, "s.csv", 3, csv_text("id,a", "1,A"))

    (result,) = renamed.run()

    assert result.status == "SUCCESS", result.reason
    assert feed.rows("a", "a") == [("A",)]


def test_deliveries_within_a_second_are_not_distinguished(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    for second, value in ((1, "BB"), (1, "A"), (9, "A")):
        land(feed, "s.csv", second, csv_text("id,a", f"1,{value}"))
        feed.run()

    assert feed.rows("a", "a") == [("A",), ("BB",)]


def test_bad_rows_of_a_file_that_another_run_has_loaded_are_not_kept_twice(make_feed: MakeFeed, other_s3: Any) -> None:
    feed = make_feed(loading("{mode: append}", ", batch: all") + QUARANTINE)
    first = land(feed, "1.csv", 1, csv_text("id,a", "1,a", "x,bad"))
    land(feed, "2.csv", 2, csv_text("id,a", "2,b"))

    results = superseded(feed, other_s3, lambda other: other.run(OneFile(first)))

    assert sorted(result.status for result in results) == ["SKIPPED", "SUCCESS"]
    assert len(feed.keys(f"data/quarantine/{feed.name}/")) == 1
    assert feed.rows("id", "id") == [(1,), (2,)]
