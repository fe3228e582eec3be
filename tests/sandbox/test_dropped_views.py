"""Views that a crashed run has dropped are restored by the next one, wherever it crashed."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from framework.errors import WarehouseError
from framework.lake.heartbeat import markers_prefix
from framework.lake.lake import Lake
from framework.model.names import TableName, ledger_table
from framework.warehouse.client import Warehouse
from framework.warehouse.rate_limit import RateLimiter
from tests.faults.crashing_process import CrashingProcess
from tests.faults.scenarios import after_a_while, another_run, recovering
from tests.harness import MakeFeed, csv_text
from tests.sandbox.conftest import MINIMAL
from tests.sandbox.under_views import LONGER, die_before, journal, under_views, views


@pytest.mark.parametrize("then", [b"alter column", b"create_view"], ids=["down", "grown"])
def test_the_next_run_restores_what_a_crashed_run_dropped(make_feed: MakeFeed, then: bytes) -> None:
    feed = under_views(make_feed())
    before = views(feed)
    feed.land(f"{feed.name}_2.csv", LONGER)
    die_before(feed, then)
    down = views(feed)["views"]
    recovering_run = recovering(feed)

    (result,) = recovering_run.run()

    assert down == []
    assert result.status == "SUCCESS", result.failure
    assert views(feed) == before
    assert journal(feed) == []
    assert feed.sql(f"select count(*) from reporting.high_{feed.name}") == [(2,)]


def test_a_run_with_nothing_to_do_restores_what_a_crashed_run_dropped(make_feed: MakeFeed) -> None:
    feed = under_views(make_feed())
    before = views(feed)
    key = feed.land(f"{feed.name}_2.csv", LONGER)
    die_before(feed, b"alter column")
    feed.s3.delete_object(Bucket="lake", Key=key)
    recovering_run = recovering(feed)

    assert recovering_run.run() == []
    assert views(feed) == before


def test_a_run_waits_for_another_that_has_dropped_views_and_then_restores_them(make_feed: MakeFeed) -> None:
    feed = under_views(make_feed())
    before = views(feed)
    feed.land(f"{feed.name}_2.csv", LONGER)
    die_before(feed, b"alter column")
    recovering_run = replace(feed, log=io.StringIO(), run_number_base=0x800)
    alive = feed.s3.list_objects_v2(Bucket="lake", Prefix="staging/_alive/")["Contents"]
    left = [*feed.keys("staging/"), *(found["Key"] for found in alive)]

    def let_it_end(seconds: float) -> None:
        if any(entry["msg"].startswith("another run has dropped views") for entry in recovering_run.entries()):
            for key in left:
                feed.s3.delete_object(Bucket="lake", Key=key)

    settings, retry = feed.environment.warehouse, feed.environment.retry
    recovering_run.warehouse = Warehouse(feed.redshift_data, settings, retry, RateLimiter({}), let_it_end)

    (result,) = recovering_run.run()

    assert result.status == "SUCCESS", result.failure
    assert views(feed) == before
    waits = [entry for entry in recovering_run.entries() if entry["msg"].startswith("another run has dropped views")]
    assert len(waits) == 1


def test_views_stay_recorded_when_the_run_that_is_to_restore_them_meets_an_outage(make_feed: MakeFeed) -> None:
    """The crashed run's file is gone, so that only idle runs come, of this feed and of another one on the table."""
    feed = under_views(make_feed())
    before = views(feed)
    key = feed.land(f"{feed.name}_2.csv", LONGER)
    die_before(feed, b"alter column")
    feed.s3.delete_object(Bucket="lake", Key=key)
    recovering_run = recovering(feed)
    process = CrashingProcess()
    process.redshift_data.meta.events.register_first("before-send.*.ExecuteStatement", _out_of_reach)
    with process.frames() as frames:
        met = another_run(recovering_run, process.s3, process.redshift_data, frames, base=0x600)
        after_a_while(met)
        with pytest.raises(WarehouseError):
            met.run()
    assert views(feed)["views"] == []
    other = make_feed(MINIMAL.replace('target: {table: "{name}"}', f"target: {{table: {feed.name}}}"))
    after_a_while(other)

    assert other.run() == []
    assert views(feed) == before
    assert feed.keys("staging/") == []
    signs = markers_prefix(
        Lake(feed.s3, feed.environment.lake), ledger_table("feedway", TableName("public", feed.name)).name
    )
    assert feed.s3.list_objects_v2(Bucket="lake", Prefix=signs).get("KeyCount", 0) == 0


def _out_of_reach(request: Any, **_: Any) -> None:
    if b"view_journal" in request.body or b"pg_views" in request.body:
        raise EndpointConnectionError(endpoint_url="here")


def test_a_view_of_another_owner_comes_back_whole_when_a_run_dies_between_its_parts(make_feed: MakeFeed) -> None:
    feed = under_views(make_feed())
    groups = [f"g{number}_{feed.name}" for number in range(45)]
    feed.sql(*(f"create group {name}" for name in groups))
    feed.sql(*(f"grant select on reporting.low_{feed.name} to group {name}" for name in groups))
    feed.sql(
        f"create user o_{feed.name} password 'Abcdefg1'",
        f"alter table reporting.low_{feed.name} owner to o_{feed.name}",
    )
    before = views(feed)
    feed.land(f"{feed.name}_2.csv", LONGER)
    die_before(feed, b"owner to")
    recovering_run = recovering(feed)

    (result,) = recovering_run.run()

    assert (result.status, result.failure) == ("SUCCESS", None)
    assert views(feed) == before


def test_a_view_comes_back_without_the_privileges_of_those_who_are_no_more(make_feed: MakeFeed) -> None:
    feed = under_views(make_feed())
    feed.sql(f"create group gone_{feed.name}", f"grant select on reporting.low_{feed.name} to group gone_{feed.name}")
    feed.land(f"{feed.name}_2.csv", LONGER)
    die_before(feed, b"alter column")
    feed.sql(f"drop group gone_{feed.name}")
    recovering_run = recovering(feed)

    (result,) = recovering_run.run()

    assert (result.status, result.failure) == ("SUCCESS", None)
    assert [row[0] for row in views(feed)["views"]] == [f"high_{feed.name}", f"low_{feed.name}"]
    assert [row[1] for row in views(feed)["privileges"]] == [f"g_{feed.name}"] * 2
    assert [entry["level"] for entry in recovering_run.entries() if entry["msg"] == "privilege not restored"] == [
        "warning"
    ]


def test_of_two_forms_of_a_view_in_the_journal_the_later_one_comes_back(make_feed: MakeFeed) -> None:
    feed = under_views(make_feed())
    high = f"reporting.high_{feed.name}"
    feed.land(f"{feed.name}_2.csv", LONGER)
    die_before(feed, b"alter column")
    feed.sql(f"create view {high} as select a, id from {feed.table}", f"comment on view {high} is 'the later one'")
    second = recovering(feed)
    second.run()
    later = [row for row in views(feed)["views"] if str(row[0]).startswith("high")]
    feed.land(f"{feed.name}_3.csv", csv_text("id,a", "3," + "x" * 900))
    third = replace(feed, log=io.StringIO(), run_number_base=0xC00)
    after_a_while(third)
    die_before(third, b"alter column", base=0xC00)
    fourth = replace(third, log=io.StringIO(), run_number_base=0xE00)

    (result,) = fourth.run()

    assert result.status == "SUCCESS"
    assert [row for row in views(feed)["views"] if str(row[0]).startswith("high")] == later
    assert "the later one" in [row[2] for row in views(feed)["comments"]]
    assert result.failure is not None
    assert high in result.failure.message
