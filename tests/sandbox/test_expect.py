"""`expect`: how many rows a load must bring, and what a replacement may take away."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

from framework.errors import SourceFileError
from framework.load.preview import plan_pipeline
from framework.load.request import Accepted, OneFile, Pending, Unprocessed
from tests.harness import MakeFeed, csv_text


def spec(expect: str = "", load: str = "mode: replace") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/}}
target: {{table: "{{name}}"}}
load: {{{load}}}
metadata_columns: {{run_date: null, file_name: null}}
expect: {{{expect}}}
"""


def rows(count: int) -> str:
    return csv_text("id,a", *(f"{number},x" for number in range(count)))


@pytest.mark.parametrize(
    ("expect", "fewest"), [("", 5), ("max_shrink: 0.1", 9), ("max_shrink: 0", 10), ("max_shrink: 0.33", 7)]
)
def test_a_replacement_that_shrinks_the_table_too_far_is_rejected(
    make_feed: MakeFeed, expect: str, fewest: int
) -> None:
    feed = make_feed(spec(expect))
    feed.load("1.csv", rows(10))

    rejected = feed.load(f"{feed.name}_2.csv", rows(fewest - 1))
    loaded = feed.load("3.csv", rows(fewest))

    assert rejected.failure is not None
    assert rejected.failure.type == "SourceFileError"
    counts = "1 row" if fewest == 2 else f"{fewest - 1} rows"
    assert f"{counts} would replace the 10 of {feed.table}" in rejected.failure.message
    assert len(feed.keys("data/unprocessed/")) == 1
    assert (loaded.status, loaded.counts.deleted) == ("SUCCESS", 10)
    assert feed.rows("count(*)", "1") == [(fewest,)]


def test_plan_rejects_a_replacement_that_shrinks_the_table_too_far(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", rows(10))
    key = feed.land("2.csv", rows(4))

    with pytest.raises(SourceFileError, match="4 rows would replace the 10"):
        plan_pipeline(feed.spec(), feed.services(), Pending())

    (allowed,) = plan_pipeline(feed.spec(), feed.services(), OneFile(key, accepted=Accepted(shrink=True)))
    assert allowed.rows == 4


@pytest.mark.parametrize("expect", ["", "min_rows: 5000"])
def test_plan_does_not_take_a_sample_for_the_whole_file(make_feed: MakeFeed, expect: str) -> None:
    feed = make_feed(spec(expect))
    content = csv_text("id,a", *(f"{number},{'x' * 1000}" for number in range(6000)))
    feed.load("1.csv", content)
    feed.land("2.csv", content)

    (planned,) = plan_pipeline(feed.spec(), feed.services(), Pending(), sample_rows=100)

    assert planned.rows is not None
    assert planned.rows < 3000


def test_duplicates_do_not_make_up_for_rows_that_are_missing(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(load="mode: replace, keys: [id]"))
    feed.load("1.csv", rows(10))

    result = feed.load("2.csv", csv_text("id,a", *["1,x"] * 8, "2,x", "2,y"))

    assert result.failure is not None
    assert f"2 rows, one per key of 10, would replace the 10 of {feed.table}" in result.failure.message
    assert "expect.max_shrink is 0.5" in result.failure.message
    assert feed.rows("count(*)", "1") == [(10,)]


def test_an_empty_table_may_get_any_file(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.sql(f"create table {feed.table} (id bigint, a varchar(9))")

    assert feed.load("1.csv", rows(1)).status == "SUCCESS"
    assert feed.rows("count(*)", "1") == [(1,)]


def test_one_file_is_let_through_by_the_option(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", rows(10))
    feed.load(f"{feed.name}_2.csv", rows(2))
    (key,) = feed.keys("data/unprocessed/")

    (result,) = feed.run(Unprocessed(key, Accepted(shrink=True)))

    assert result.status == "SUCCESS", result.failure
    assert feed.rows("count(*)", "1") == [(2,)]


@pytest.mark.parametrize(
    ("load", "expect", "count", "status"),
    [
        ("mode: replace", "", 0, "FAILED"),
        ("mode: replace", "min_rows: 0", 0, "SUCCESS"),
        ("mode: replace", "min_rows: 3", 2, "FAILED"),
        ("keys: [id]", "", 0, "SUCCESS"),
        ("keys: [id]", "min_rows: 3", 2, "FAILED"),
        ("keys: [id]", "min_rows: 3", 3, "SUCCESS"),
        ("mode: append", "min_rows: 1", 0, "FAILED"),
    ],
)
def test_a_load_brings_as_many_rows_as_are_expected(
    make_feed: MakeFeed, load: str, expect: str, count: int, status: str
) -> None:
    feed = make_feed(spec(expect, load))

    result = feed.load("1.csv", rows(count))

    assert result.status == status, result.failure
    assert result.failure is None or "expect.min_rows" in result.failure.message
    assert feed.types() == {} or status == "SUCCESS", "nothing is changed for a file that is rejected"


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "status"),
    [(b"id,a\n1,x\n", "SUCCESS"), (b"id,a\r1,x\r", "SUCCESS"), (b"id,a\n1,x", "FAILED"), (b'id,a\n1,"x"', "FAILED")],
)
def test_a_file_must_end_in_a_line_end_where_that_is_expected(
    make_feed: MakeFeed, content: bytes, status: str, pack: Callable[[bytes], bytes]
) -> None:
    asked, other = make_feed(spec("last_line_end: true", "mode: append")), make_feed(spec(load="mode: append"))

    result = asked.load("1.csv", pack(content))

    assert result.status == status
    if result.failure is not None:
        assert "the last line has no line end" in result.failure.message
        assert "borders" not in result.failure.message
        assert f"Continue with: feedway replay {asked.name}" in str(result.failure.next_step)
        asked.spec_body = spec("last_line_end: false", "mode: append")
        (replayed,) = asked.run(Unprocessed())
        assert replayed.status == "SUCCESS"
    assert other.load("1.csv", pack(content)).status == "SUCCESS"


def test_a_replacement_may_empty_the_table_where_the_spec_says_so_twice(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("min_rows: 0, max_shrink: 1"))
    feed.load("1.csv", rows(10))

    emptied = feed.load("2.csv", rows(0))

    assert (emptied.status, emptied.counts.deleted) == ("SUCCESS", 10)
    assert feed.rows("count(*)", "1") == [(0,)]
