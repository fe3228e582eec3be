"""Many files under a prefix: found by pages, loaded in parts, with a bounded number of calls for each."""

from __future__ import annotations

import io
import uuid
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from framework.lake.pending import list_arrived
from framework.log.run_log import RunLog
from framework.model.files import FileIdentity
from framework.model.observation import AuditRow
from framework.warehouse.audit import write_audit
from framework.warehouse.session import WarehouseSession
from tests.harness import FeedHarness, MakeFeed

ARRIVED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

BATCH = """
source: {prefix: data/in/{name}/, batch: all}
target: {table: "{name}"}
load: {mode: append}
metadata_columns: {run_date: null, file_name: null}
"""
CALLS_PER_FILE = 8
"""Two heads and a read to load it; a check of the name, a copy, two checks and a deletion to archive it."""


def drop_files(folder: Path, name: str, count: int) -> list[str]:
    """Write files of one row each into the folder that is the bucket, 500 to a subfolder; return their keys."""
    keys = [f"data/in/{name}/{number // 500:03d}/{number:05d}.csv" for number in range(count)]
    for number, key in enumerate(keys):
        path = folder / "lake" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"id\n{number}\n", encoding="utf-8")
    return keys


def counting(make_feed: MakeFeed, body: str) -> tuple[FeedHarness, Counter[str]]:
    """Return a feed, and the S3 calls that its lake makes from now on."""
    client = boto3.session.Session().client("s3")
    calls: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        calls[model.name] += 1

    client.meta.events.register("before-call.s3", count)

    def use(lake: Any) -> Any:
        lake._client = client
        return lake

    return make_feed(body, wrap_lake=use), calls


def test_a_listing_of_two_pages_is_whole(make_feed: MakeFeed) -> None:
    feed, calls = counting(make_feed, BATCH)
    keys = drop_files(feed.s3_folder, feed.name, 1100)

    pending = list_arrived(feed.services().lake, feed.spec().source).pending

    assert sorted(found.key for found in pending) == keys
    assert calls == {"ListObjectsV2": 2}


def test_each_file_of_a_batch_costs_a_bounded_number_of_calls(make_feed: MakeFeed) -> None:
    feed, calls = counting(make_feed, BATCH)
    drop_files(feed.s3_folder, feed.name, 30)

    results = feed.run()

    assert {result.status for result in results} == {"SUCCESS"}
    assert feed.sql(f"select count(*), sum(id) from {feed.table}") == [(30, sum(range(30)))]
    assert sum(calls.values()) <= 30 * CALLS_PER_FILE + 15, calls
    assert feed.keys("data/in/") == []


@pytest.mark.exhaustive
@pytest.mark.parametrize(("status", "message", "count"), [("FAILED", "m" * 4096, 600), ("SKIPPED", None, 1500)])
def test_the_audit_rows_of_many_files_are_all_written(
    make_feed: MakeFeed, status: Any, message: str | None, count: int
) -> None:
    feed = make_feed()
    feed.load("1.csv", "id,a\n1,x\n")
    run_id = uuid.uuid4().hex
    rows = [
        AuditRow(
            run_id=run_id,
            job_id="j" * 255,
            invocation_id="c" * 32,
            pipeline=feed.name,
            started_at=ARRIVED,
            ended_at=ARRIVED,
            source=FileIdentity("lake", f"{'k' * 1000}{number:024}", "e" * 40, 5 * 10**12),
            source_modified_at=ARRIVED,
            generation=1,
            target=feed.spec().target.table,
            status=status,
            error_message=message,
            spec_sha256="0" * 64,
        )
        for number in range(count)
    ]

    write_audit(WarehouseSession(feed.warehouse, feed.name, RunLog(run_id, feed.name, io.StringIO())), rows)

    counted = f"select count(distinct source_filename) from feedway.job_sts where run_id = '{run_id}'"
    assert feed.sql(counted) == [(count,)]
