"""What is observed of several feeds together is what each would observe by itself."""

from __future__ import annotations

from framework.log.run_log import RunLog
from framework.warehouse.catalog import ToObserve, observe, observe_all
from framework.warehouse.session import WarehouseSession
from tests.harness import FeedHarness, MakeFeed, csv_text
from tests.sandbox.conftest import MINIMAL

VIEW = 'views: [{schema: reporting, name: "v_{name}", definition: "select * from {{ target }}"}]\n'
SPECS = (
    MINIMAL,
    MINIMAL + VIEW,
    MINIMAL + "grants: {select: [public]}\n",
    MINIMAL + VIEW + "grants: {select: [public]}\n",
    MINIMAL.replace("{keys: [id]}", "{mode: append}"),
)


def test_feeds_observed_together_are_what_each_observes_by_itself(make_feed: MakeFeed) -> None:
    feeds = [make_feed(spec) for spec in SPECS]
    for number, feed in enumerate(feeds):
        feed.load("1.csv", csv_text("id,Größe,x", f"{number},1.25,y", f"{number + 10},2.5,z"))
        feed.land("1.csv", csv_text("id,x", f"{number},y"))
        feed.sql(f"comment on column {feed.table}.id is 'number {number}'")
    feeds[0].sql(f"create view reporting.theirs_{feeds[0].name} as select id from {feeds[0].table}")
    feeds[3].sql(f"grant select on reporting.v_{feeds[3].name} to public")
    not_there = make_feed()
    # One of them twice: two feeds may load one table.
    asked = [_to_observe(feed) for feed in (*feeds, not_there, feeds[1])]
    warehouse = WarehouseSession(not_there.warehouse, "_", RunLog("a" * 32, "_", None))
    before = not_there.warehouse.submissions

    together = observe_all(warehouse, asked)

    assert not_there.warehouse.submissions == before + 1
    for alone, found in zip(asked, together, strict=True):
        assert found == observe(warehouse, alone.spec, alone.etags)
    # Each of them is something to compare.
    tables = [found.table for found in together if not isinstance(found, Exception)]
    assert [table is None for table in tables] == [False] * 5 + [True, False]
    assert all(not isinstance(found, Exception) and found.history for found in together[:5])


def _to_observe(feed: FeedHarness) -> ToObserve:
    loaded = feed.sql(f"select distinct source_etag from feedway.job_sts where pipeline = '{feed.name}'")
    return ToObserve(feed.spec(), [str(etag) for (etag,) in loaded])
