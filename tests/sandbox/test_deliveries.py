"""When the same bytes that arrive again under their name are a delivery of their own, and when somebody repeats one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from framework.load.request import OneFile, Unprocessed
from tests.arrivals import MIDNIGHT, drop, land
from tests.sandbox.test_precedence import archived, loading, overtaken
from tests.sandbox.test_quarantine_replay import corrected, quarantine_rows, replay
from tests.workshop import Workshop, csv_text

Feed = Callable[..., Workshop]

APPEND, REPLACE, UPSERT = (loading(load) for load in ("{mode: append}", "{mode: replace}", "{keys: [id]}"))
QUARANTINE = "bad_rows: {action: quarantine, max_fraction: 1}\ntypes: {columns: {id: integer}}\n"


@pytest.mark.parametrize("load", ["{mode: replace}", "{keys: [id]}", "{mode: append}"])
def test_a_file_that_goes_back_to_what_it_was_is_a_delivery_of_its_own(feed: Feed, load: str) -> None:
    """`rates.csv`, written anew each day: today it is again what it was the day before yesterday."""
    shop = feed(loading(load))
    for second, value in ((1, "on"), (2, "off"), (3, "on")):
        land(shop, "state.csv", second, csv_text("id,a", f"1,{value}"))
        (result,) = shop.run()
        assert result.status == "SUCCESS", result.reason

    assert shop.rows("a", "a") == ([("off",), ("on",), ("on",)] if "append" in load else [("on",)])
    generations = [row for row in shop.audit("status, source_generation") if row[0] == "SUCCESS"]
    assert generations == [("SUCCESS", 1), ("SUCCESS", 1), ("SUCCESS", 2)]
    assert archived(shop) == 3


def test_a_file_that_is_sent_once_more_is_not_loaded_once_more(feed: Feed) -> None:
    shop = feed(loading("{mode: append}"))
    for second in (1, 2):
        land(shop, "1.csv", second)
        land(shop, f"other-{second}.csv", second)
        shop.run()

    assert shop.rows("a", "a") == [("1.csv",), ("other-1.csv",), ("other-2.csv",)]


@pytest.mark.parametrize("load", ["{mode: replace}", "{keys: [id]}"])
def test_a_file_that_goes_back_after_one_that_failed_is_loaded_and_the_failed_one_comes_too_late(
    feed: Feed, load: str
) -> None:
    shop = feed(loading(load))
    land(shop, "s.csv", 1, csv_text("id,a", "1,A"))
    shop.run()
    land(shop, "s.csv", 2, csv_text("id,a", "1,BB", "2"))
    (failed,) = shop.run()
    land(shop, "s.csv", 3, csv_text("id,a", "1,A"))
    (again,) = shop.run()
    shop.spec_body += "bad_rows: {action: quarantine, max_rows: 1}\n"

    (late,) = shop.run(Unprocessed())

    assert [result.status for result in (failed, again, late)] == ["FAILED", "SUCCESS", "REFUSED"]
    assert shop.rows("a", "a") == [("A",)]


def test_a_snapshot_that_is_sent_again_after_another_replaces_it_again(feed: Feed) -> None:
    """The other has another name, and of the file between them no load was ever made."""
    shop = feed(loading("{mode: replace}"))
    land(shop, "s.csv", 1, csv_text("id,a", "1,A"))
    shop.run()
    land(shop, "s.csv", 2, csv_text("id,a", "1,BB"))
    land(shop, "z.csv", 3, csv_text("id,a", "1,Z"))
    shop.run()
    land(shop, "s.csv", 4, csv_text("id,a", "1,A"))

    (result,) = shop.run()

    assert result.status == "SUCCESS", result.reason
    assert shop.rows("a", "a") == [("A",)]


def test_a_file_is_loaded_again_whenever_it_was_loaded_before(feed: Feed) -> None:
    shop = feed(UPSERT)
    land(shop, "f.csv", 1, csv_text("id,a", "1,one"))
    shop.run()
    land(shop, "g.csv", 2, csv_text("id,a", "1,two"))
    shop.run()

    (sent,) = shop.run(OneFile(land(shop, "f.csv", 3, csv_text("id,a", "1,one")), again=True))

    assert sent.status == "SUCCESS", sent.reason
    assert shop.rows("a", "a") == [("one",)]
    generations = sorted(
        row[1] for row in shop.audit("source_filename, source_generation, status") if row[2] == "SUCCESS"
    )
    assert generations == [1, 1, 2]


def test_a_snapshot_is_a_delivery_whenever_it_arrives(feed: Feed) -> None:
    """Arrivals do not tell what the table holds: an old file may be loaded out of order, two may come in one second."""
    shop = feed(REPLACE)
    land(shop, "a.csv", 1, csv_text("id,a", "1,A"))
    shop.run()
    land(shop, "z.csv", 1, csv_text("id,a", "1,Z"))
    shop.run()
    land(shop, "a.csv", 9, csv_text("id,a", "1,A"))

    (result,) = shop.run()

    assert result.status == "SUCCESS", result.reason
    assert shop.rows("a", "a") == [("A",)]


def test_a_snapshot_that_was_confirmed_is_not_replaced_by_an_older_one(feed: Feed) -> None:
    shop = feed(REPLACE)
    land(shop, "a.csv", 1, csv_text("id,a", "1,A"))
    shop.run()
    land(shop, "z.csv", 2, csv_text("id,a", "1,Z", "2"))
    (failed,) = shop.run()
    land(shop, "a.csv", 3, csv_text("id,a", "1,A"))
    shop.run()
    shop.spec_body += "bad_rows: {action: quarantine, max_rows: 1}\n"

    (late,) = shop.run(Unprocessed())

    assert (failed.status, late.status) == ("FAILED", "REFUSED")
    assert shop.rows("a", "a") == [("A",)]


def test_a_new_snapshot_under_an_older_ones_name_is_not_put_away_unread(feed: Feed, other_s3: Any) -> None:
    """It arrives while a newer one than the older one is loaded."""
    shop = feed(REPLACE)
    land(shop, "x.csv", 1, csv_text("id,a", "1,old"))
    land(shop, "s.csv", 2, csv_text("id,a", "1,s"))

    first = overtaken(shop, other_s3, lambda other: land(shop, "x.csv", 30, csv_text("id,a", "1,newest")))
    second = shop.run()

    assert [[result.status for result in results] for results in (first, second)] == [["SUCCESS"], ["SUCCESS"]]
    assert shop.rows("a", "a") == [("newest",)]
    assert archived(shop) == 2


def test_corrections_make_no_repeated_file_a_delivery(feed: Feed, tmp_path: Path) -> None:
    shop = feed(APPEND + QUARANTINE)
    text = csv_text("id,a", "1,good", "x,bad")
    land(shop, "1.csv", 1, text)
    shop.run()
    replay(shop, corrected(quarantine_rows(shop), {2: ["2", "fixed"]}, tmp_path / "fixed.parquet"))
    # Corrections are entered with the time of their replay.
    drop(shop.s3_folder, f"data/in/{shop.name}/1.csv", text, int(time.time()) + 3 - MIDNIGHT)

    (result,) = shop.run()

    assert result.status == "SKIPPED"
    assert shop.rows("id", "id") == [(1,), (2,)]


def test_a_delivery_that_was_set_aside_is_none_of_the_later_ones(feed: Feed) -> None:
    shop = feed(APPEND)
    text = csv_text("id,a", "1,A", "2")
    land(shop, "1.csv", 1, text)
    shop.run()
    land(shop, "1.csv", 2, csv_text("id,a", "5,B"))
    shop.run()
    shop.spec_body += "bad_rows: {action: quarantine, max_rows: 1}\n"
    land(shop, "1.csv", 3, text)
    shop.run()

    (replayed,) = shop.run(Unprocessed())

    assert replayed.status == "SUCCESS", replayed.reason
    assert shop.rows("a", "a") == [("A",), ("A",), ("B",)]


@pytest.mark.parametrize("spec", [REPLACE, UPSERT])
def test_deliveries_are_known_whatever_the_pipeline_is_called(feed: Feed, spec: str) -> None:
    shop = feed(spec)
    for second, value in ((1, "A"), (2, "BB")):
        land(shop, "s.csv", second, csv_text("id,a", f"1,{value}"))
        shop.run()
    body = shop.spec_body.replace("{name}", shop.name)
    renamed = replace(shop, name=f"{shop.name}_v2", spec_body=body, run_number_base=0x300)
    land(shop, "s.csv", 3, csv_text("id,a", "1,A"))

    (result,) = renamed.run()

    assert result.status == "SUCCESS", result.reason
    assert shop.rows("a", "a") == [("A",)]


def test_deliveries_within_a_second_are_not_told_apart(feed: Feed) -> None:
    shop = feed(APPEND)
    for second, value in ((1, "BB"), (1, "A"), (9, "A")):
        land(shop, "s.csv", second, csv_text("id,a", f"1,{value}"))
        shop.run()

    assert shop.rows("a", "a") == [("A",), ("BB",)]


def test_bad_rows_of_a_file_that_another_run_has_loaded_are_not_kept_twice(feed: Feed, other_s3: Any) -> None:
    shop = feed(loading("{mode: append}", ", batch: all") + QUARANTINE)
    first = land(shop, "1.csv", 1, csv_text("id,a", "1,a", "x,bad"))
    land(shop, "2.csv", 2, csv_text("id,a", "2,b"))

    results = overtaken(shop, other_s3, lambda other: other.run(OneFile(first)))

    assert sorted(result.status for result in results) == ["SKIPPED", "SUCCESS"]
    assert len(shop.keys(f"data/quarantine/{shop.name}/")) == 1
    assert shop.rows("id", "id") == [(1,), (2,)]
