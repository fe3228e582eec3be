"""Ten thousand files under a prefix, loaded by one run."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

from framework.load.pipeline import run_pipeline
from framework.load.request import Pending
from tests.harness import MakeFeed
from tests.sandbox.conftest import make_feed  # noqa: F401 - the fixture
from tests.sandbox.test_many_files import BATCH, CALLS_PER_FILE, counting, drop_files

COUNT = 10_000
PARTS = 25
"""Loads of 400 files at the most."""


def test_ten_thousand_files_are_loaded_by_one_run_in_parts(make_feed: MakeFeed) -> None:  # noqa: F811
    feed, calls = counting(make_feed, BATCH)
    drop_files(feed.s3_folder, feed.name, COUNT)
    # Each reading of the clock is a day later, which spreads the archive over more folders; see drop_files.
    days = itertools.count()
    services = replace(
        feed.services(), now=lambda: datetime.fromtimestamp(1_800_000_000 + 86_400 * 20 * next(days), UTC)
    )

    loads = run_pipeline(feed.spec(), services, Pending())
    results = [result for of_load in loads for result in of_load]

    assert {result.failure.message for result in results if result.failure} == set()
    assert [result.status for result in results] == ["SUCCESS"] * COUNT
    assert len({result.run_id for result in results}) == PARTS
    assert feed.sql(f"select count(*), count(distinct id) from {feed.table}") == [(COUNT, COUNT)]
    assert not list((feed.s3_folder / "lake" / "data" / "in" / feed.name).rglob("*.csv"))
    assert len(list((feed.s3_folder / "lake" / "data" / "archive").rglob("[0-9]*.csv"))) >= COUNT
    assert sum(calls.values()) <= COUNT * CALLS_PER_FILE + PARTS * 15 + COUNT // 1000, calls
