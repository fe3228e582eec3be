"""Native growth under views: they are down for a moment, and whatever happens meanwhile they come back whole."""

from __future__ import annotations

from typing import Any

from tests.faults.crashing_process import CrashingProcess
from tests.faults.scenarios import another_run, recovering
from tests.harness import MakeFeed, csv_text
from tests.sandbox.under_views import LONGER, WITH_VIEW, die_before, journal, under_views, views


def test_in_a_table_of_few_rows_readers_of_the_views_wait_and_find_them_there(make_feed: MakeFeed) -> None:
    feed = under_views(make_feed())
    feed.spec_body = feed.spec_body.replace("rewrite_up_to_rows: 0", "rewrite_up_to_rows: 1")
    before = views(feed)

    few = feed.load(f"{feed.name}_2.csv", LONGER)
    many = feed.load(f"{feed.name}_3.csv", csv_text("id,a", "3," + "x" * 900))

    assert [(change["kind"], change["cost"]) for change in few.schema_changes] == [
        ("rewrite_column", "1 row is rewritten")
    ]
    assert [change["kind"] for change in many.schema_changes] == ["grow_varchar"]
    assert views(feed) == before


def test_a_text_grows_natively_under_views_which_are_whole_afterwards(make_feed: MakeFeed) -> None:
    feed = under_views(make_feed())
    before = views(feed)

    result = feed.load(f"{feed.name}_2.csv", LONGER)

    assert result.status == "SUCCESS", result.failure
    assert [(change["kind"], change["cost"]) for change in result.schema_changes] == [("grow_varchar", "none")]
    assert views(feed) == before
    assert len(before["privileges"]) == len(before["comments"]) == 2
    assert feed.sql(f"select a from reporting.high_{feed.name} order by 1") == [("x",), ("é" * 150,)]
    assert journal(feed) == []


def test_a_view_of_the_spec_grows_with_its_table_and_keeps_its_privileges(make_feed: MakeFeed) -> None:
    feed = make_feed(WITH_VIEW)
    feed.load("1.csv", csv_text("id,a", "1,x"))
    feed.sql(f"create group g_{feed.name}", f"grant select on reporting.v_{feed.name} to group g_{feed.name}")
    before = views(feed)

    result = feed.load("2.csv", LONGER)

    assert result.status == "SUCCESS", result.failure
    assert views(feed) == before
    length = (
        f"select character_maximum_length from svv_columns where table_name = 'v_{feed.name}' and column_name = 'a'"
    )
    assert feed.sql(length) == [(310,)]
    assert feed.load("3.csv", csv_text("id,a", "3,z")).schema_changes == ()


def test_a_growth_that_is_refused_leaves_the_views_as_they_were(make_feed: MakeFeed, redshift_data: Any) -> None:
    feed = under_views(make_feed())
    before = views(feed)
    process = CrashingProcess()

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if "alter column" in params["Sql"]:
            params["Sql"] = "select 1 / 0"

    process.redshift_data.meta.events.register("provide-client-params.redshift-data.ExecuteStatement", refuse)
    feed.land(f"{feed.name}_2.csv", LONGER)
    with process.frames() as frames:
        (result,) = another_run(feed, process.s3, process.redshift_data, frames, base=0x400).run()

    assert result.failure is not None
    assert (result.failure.type, result.failure.step) == ("WarehouseError", "evolve")
    assert views(feed) == before
    assert journal(feed) == []
    assert len(feed.keys("data/in/")) == 1


def test_a_view_that_cannot_be_created_any_more_fails_the_run_after_the_load(make_feed: MakeFeed) -> None:
    feed = under_views(make_feed())
    feed.sql(f"create table public.aside_{feed.name} (n integer)")
    feed.sql(
        f"create view reporting.torn_{feed.name} as select t.a, s.n from {feed.table} t "
        f"cross join public.aside_{feed.name} s"
    )
    before = views(feed)
    feed.land(f"{feed.name}_2.csv", LONGER)
    die_before(feed, b"alter column")
    feed.sql(f"drop table public.aside_{feed.name}")
    recovering_run = recovering(feed)

    (result,) = recovering_run.run()

    assert result.status == "SUCCESS"
    assert feed.rows("id", "id") == [(1,), (2,)]
    assert result.failure is not None
    assert result.failure.type == "SchemaChangeError"
    for shown in (f"reporting.torn_{feed.name}", "does not exist", "restore-views"):
        assert shown in result.failure.message
    assert journal(feed) == [(f"torn_{feed.name}", 0)]
    found = views(feed)
    assert [row[0] for row in found["views"]] == [f"high_{feed.name}", f"low_{feed.name}"]
    assert found["privileges"] == before["privileges"]

    (idle,) = recovering_run.run()
    assert (idle.status, idle.source_file) == ("FAILED", None)
    assert idle.failure is not None
    assert f"reporting.torn_{feed.name}" in idle.failure.message

    feed.sql(f"create table public.aside_{feed.name} (n integer)")
    (again,) = (feed.land(f"{feed.name}_3.csv", csv_text("id,a", "3,z")), recovering_run.run())[1]

    assert (again.status, again.failure) == ("SUCCESS", None)
    assert views(feed) == before
    assert recovering_run.run() == []


def test_a_definition_of_several_parts_comes_back_whole(make_feed: MakeFeed) -> None:
    feed = under_views(make_feed())
    text = "é" * 40_000
    feed.sql(f"create view reporting.long_{feed.name} as select a, '{text}' as note from {feed.table}")
    before = views(feed)
    feed.land(f"{feed.name}_2.csv", LONGER)
    die_before(feed, b"alter column")
    parts = [row for row in journal(feed) if row[0].startswith("long")]
    recovering_run = recovering(feed)

    (result,) = recovering_run.run()

    assert len(parts) > 2
    assert result.status == "SUCCESS", result.failure
    assert views(feed) == before


def test_a_view_with_more_privileges_than_a_transaction_takes_gets_all_of_them_back(make_feed: MakeFeed) -> None:
    feed = under_views(make_feed())
    groups = [f"g{number}_{feed.name}" for number in range(45)]
    feed.sql(*(f"create group {name}" for name in groups))
    feed.sql(*(f"grant select on reporting.low_{feed.name} to group {name}" for name in groups))
    before = views(feed)

    result = feed.load(f"{feed.name}_2.csv", LONGER)

    assert result.status == "SUCCESS", result.failure
    assert len(before["privileges"]) == 47
    assert views(feed) == before


def test_twenty_views_are_dropped_in_as_many_transactions_as_they_need(make_feed: MakeFeed) -> None:
    feed = under_views(make_feed())
    for number in range(20):
        feed.sql(f"create view reporting.n{number}_{feed.name} as select a from {feed.table}")
    before = views(feed)

    result = feed.load(f"{feed.name}_2.csv", LONGER)

    assert result.status == "SUCCESS", result.failure
    assert len(before["views"]) == 22
    assert views(feed) == before
    assert journal(feed) == []


def test_a_text_that_another_run_has_grown_further_is_not_made_shorter(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a", "1,x"))
    feed.land("2.csv", LONGER)
    process = CrashingProcess()

    def grow_meanwhile(params: dict[str, Any], **_: Any) -> None:
        if any("log_growth" in sql for sql in params["Sqls"]) and "910" not in feed.types()["a"]:
            feed.sql(f"alter table {feed.table} alter column a type varchar(910)")

    events = process.redshift_data.meta.events
    events.register("provide-client-params.redshift-data.BatchExecuteStatement", grow_meanwhile)
    with process.frames() as frames:
        (result,) = another_run(feed, process.s3, process.redshift_data, frames, base=0x400).run()

    assert result.status == "SUCCESS", result.failure
    assert feed.types()["a"] == "character varying(910)"
    assert feed.rows("id", "id") == [(1,), (2,)]


def test_a_text_that_somebody_makes_shorter_before_the_merge_grows_again(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a", "1,x"))
    feed.land("2.csv", LONGER)
    process = CrashingProcess()
    narrowed: list[str] = []

    def narrow(params: dict[str, Any], **_: Any) -> None:
        if any("guard_ledger" in sql for sql in params["Sqls"]) and not narrowed:
            narrowed.append(feed.types()["a"])
            feed.sql(f"alter table {feed.table} alter column a type varchar(20)")

    events = process.redshift_data.meta.events
    events.register("provide-client-params.redshift-data.BatchExecuteStatement", narrow)
    with process.frames() as frames:
        (result,) = another_run(feed, process.s3, process.redshift_data, frames, base=0x400).run()

    assert narrowed == ["character varying(310)"]
    assert result.status == "SUCCESS", result.failure
    assert feed.rows("a", "id") == [("x",), ("é" * 150,)]
