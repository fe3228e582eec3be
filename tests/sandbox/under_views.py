"""A table under views, what is known of them, and a run that crashes while they are dropped."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tests.faults.crashing_process import Crash, CrashingProcess
from tests.faults.scenarios import another_run
from tests.harness import FeedHarness, csv_text

LONGER = csv_text("id,a", "2," + "é" * 150)
NATIVE = "evolution: {rewrite_up_to_rows: 0}\n"
WITH_VIEW = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [id]}
metadata_columns: {run_date: null, file_name: null}
views: [{schema: reporting, name: "v_{name}", definition: "select * from {{ target }}"}]
evolution: {rewrite_up_to_rows: 0}
"""


def under_views(feed: FeedHarness) -> FeedHarness:
    """Load a file, and put a view on the table and one on that, with a privilege and a comment each."""
    feed.spec_body += NATIVE
    feed.load(f"{feed.name}_1.csv", csv_text("id,a", "1,x"))
    low, high = f"reporting.low_{feed.name}", f"reporting.high_{feed.name}"
    feed.sql(
        "create schema if not exists reporting",
        f"create group g_{feed.name}",
        f"create view {low} as select id, a from {feed.table}",
        f"create view {high} as select a from {low}",
        f"grant select on {low} to group g_{feed.name}",
        f"grant select on {high} to group g_{feed.name}",
        f"comment on view {low} is 'it''s \\\\ low'",
        f"comment on column {high}.a is 'the text'",
    )
    return feed


def views(feed: FeedHarness) -> dict[str, list[tuple[Any, ...]]]:
    """Return what the catalog knows of the views of the feed's name."""
    own = f"like '%\\\\_{feed.name}'"
    return {
        "views": feed.sql(f"select viewname, viewowner, md5(definition) from pg_views where viewname {own} order by 1"),
        "privileges": feed.sql(
            "select relation_name, identity_name, privilege_type from svv_relation_privileges "
            f"where relation_name {own} and identity_name {own} order by 1, 2, 3"
        ),
        "comments": feed.sql(
            "select pg_class.relname, objsubid, description from pg_description "
            f"inner join pg_class on pg_class.oid = objoid where pg_class.relname {own} order by 1, 2"
        ),
    }


def journal(feed: FeedHarness) -> list[tuple[Any, ...]]:
    return feed.sql(f"select view_name, part from feedway.view_journal where pipeline = '{feed.name}' order by 1, 2")


def die_before(feed: FeedHarness, text: bytes, base: int = 0x400) -> None:
    """Run until a call is about to be made whose statement holds the text; from then on nothing reaches a server."""
    process = CrashingProcess()
    with process.frames() as frames, suppress(Crash):
        run = another_run(feed, process.s3, process.redshift_data, frames, base)

        def die(request: Any, **_: Any) -> None:
            if text in request.body:
                process.crash_now()

        process.redshift_data.meta.events.register_first("before-send.*.*", die)
        run.run()
        raise AssertionError("the run did not die")
