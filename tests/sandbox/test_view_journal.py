"""Native growth under views: they are down for a moment, and whatever happens meanwhile they come back whole."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.faults.mortal import Process
from tests.faults.scenarios import after_a_while, another_run
from tests.sandbox.under_views import LONGER, WITH_VIEW, die_before, journal, under_views, views
from tests.workshop import Workshop, csv_text

Feed = Callable[..., Workshop]


def test_in_a_table_of_few_rows_readers_of_the_views_wait_and_find_them_there(feed: Feed) -> None:
    shop = under_views(feed())
    shop.spec_body = shop.spec_body.replace("rewrite_up_to_rows: 0", "rewrite_up_to_rows: 1")
    before = views(shop)

    few = shop.load(f"{shop.name}_2.csv", LONGER)
    many = shop.load(f"{shop.name}_3.csv", csv_text("id,a", "3," + "x" * 900))

    assert [(change["kind"], change["cost"]) for change in few.schema_changes] == [
        ("rewrite_column", "1 row is rewritten")
    ]
    assert [change["kind"] for change in many.schema_changes] == ["grow_varchar"]
    assert views(shop) == before


def test_a_text_grows_natively_under_views_which_are_whole_afterwards(feed: Feed) -> None:
    shop = under_views(feed())
    before = views(shop)

    result = shop.load(f"{shop.name}_2.csv", LONGER)

    assert result.status == "SUCCESS", result.failure
    assert [(change["kind"], change["cost"]) for change in result.schema_changes] == [("grow_varchar", "none")]
    assert views(shop) == before
    assert len(before["privileges"]) == len(before["comments"]) == 2
    assert shop.sql(f"select a from reporting.high_{shop.name} order by 1") == [("x",), ("é" * 150,)]
    assert journal(shop) == []


def test_a_view_of_the_spec_grows_with_its_table_and_keeps_its_privileges(feed: Feed) -> None:
    shop = feed(WITH_VIEW)
    shop.load("1.csv", csv_text("id,a", "1,x"))
    shop.sql(f"create group g_{shop.name}", f"grant select on reporting.v_{shop.name} to group g_{shop.name}")
    before = views(shop)

    result = shop.load("2.csv", LONGER)

    assert result.status == "SUCCESS", result.failure
    assert views(shop) == before
    length = (
        f"select character_maximum_length from svv_columns where table_name = 'v_{shop.name}' and column_name = 'a'"
    )
    assert shop.sql(length) == [(310,)]
    assert shop.load("3.csv", csv_text("id,a", "3,z")).schema_changes == ()


def test_a_growth_that_is_refused_leaves_the_views_as_they_were(feed: Feed, redshift_data: Any) -> None:
    shop = under_views(feed())
    before = views(shop)
    process = Process()

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if "alter column" in params["Sql"]:
            params["Sql"] = "select 1 / 0"

    process.redshift_data.meta.events.register("provide-client-params.redshift-data.ExecuteStatement", refuse)
    shop.land(f"{shop.name}_2.csv", LONGER)
    with process.frames() as frames:
        (result,) = another_run(shop, process.s3, process.redshift_data, frames, base=0x400).run()

    assert result.failure is not None
    assert (result.failure.type, result.failure.step) == ("WarehouseError", "evolve")
    assert views(shop) == before
    assert journal(shop) == []
    assert len(shop.keys("data/in/")) == 1


def test_a_view_that_cannot_be_created_any_more_fails_the_run_after_the_load(feed: Feed) -> None:
    shop = under_views(feed())
    shop.sql(f"create table public.aside_{shop.name} (n integer)")
    shop.sql(
        f"create view reporting.torn_{shop.name} as select t.a, s.n from {shop.table} t "
        f"cross join public.aside_{shop.name} s"
    )
    before = views(shop)
    shop.land(f"{shop.name}_2.csv", LONGER)
    die_before(shop, b"alter column")
    shop.sql(f"drop table public.aside_{shop.name}")
    heir = replace(shop, log=io.StringIO(), run_number_base=0x800)
    after_a_while(heir)

    (result,) = heir.run()

    assert result.status == "SUCCESS"
    assert shop.rows("id", "id") == [(1,), (2,)]
    assert result.failure is not None
    assert result.failure.type == "SchemaChangeError"
    for told in (f"reporting.torn_{shop.name}", "does not exist", "restore-views"):
        assert told in result.failure.message
    assert journal(shop) == [(f"torn_{shop.name}", 0)]
    found = views(shop)
    assert [row[0] for row in found["views"]] == [f"high_{shop.name}", f"low_{shop.name}"]
    assert found["privileges"] == before["privileges"]

    (idle,) = heir.run()
    assert (idle.status, idle.source_file) == ("FAILED", None)
    assert idle.failure is not None
    assert f"reporting.torn_{shop.name}" in idle.failure.message

    shop.sql(f"create table public.aside_{shop.name} (n integer)")
    (again,) = (shop.land(f"{shop.name}_3.csv", csv_text("id,a", "3,z")), heir.run())[1]

    assert (again.status, again.failure) == ("SUCCESS", None)
    assert views(shop) == before
    assert heir.run() == []


def test_a_definition_of_several_parts_comes_back_whole(feed: Feed) -> None:
    shop = under_views(feed())
    text = "é" * 40_000
    shop.sql(f"create view reporting.long_{shop.name} as select a, '{text}' as note from {shop.table}")
    before = views(shop)
    shop.land(f"{shop.name}_2.csv", LONGER)
    die_before(shop, b"alter column")
    parts = [row for row in journal(shop) if row[0].startswith("long")]
    heir = replace(shop, log=io.StringIO(), run_number_base=0x800)
    after_a_while(heir)

    (result,) = heir.run()

    assert len(parts) > 2
    assert result.status == "SUCCESS", result.failure
    assert views(shop) == before


def test_a_view_with_more_privileges_than_a_transaction_takes_gets_all_of_them_back(feed: Feed) -> None:
    shop = under_views(feed())
    groups = [f"g{number}_{shop.name}" for number in range(45)]
    shop.sql(*(f"create group {name}" for name in groups))
    shop.sql(*(f"grant select on reporting.low_{shop.name} to group {name}" for name in groups))
    before = views(shop)

    result = shop.load(f"{shop.name}_2.csv", LONGER)

    assert result.status == "SUCCESS", result.failure
    assert len(before["privileges"]) == 47
    assert views(shop) == before


def test_twenty_views_are_taken_down_in_as_many_transactions_as_they_need(feed: Feed) -> None:
    shop = under_views(feed())
    for number in range(20):
        shop.sql(f"create view reporting.n{number}_{shop.name} as select a from {shop.table}")
    before = views(shop)

    result = shop.load(f"{shop.name}_2.csv", LONGER)

    assert result.status == "SUCCESS", result.failure
    assert len(before["views"]) == 22
    assert views(shop) == before
    assert journal(shop) == []


def test_a_text_that_another_run_has_grown_further_is_not_made_shorter(feed: Feed) -> None:
    shop = feed()
    shop.load("1.csv", csv_text("id,a", "1,x"))
    shop.land("2.csv", LONGER)
    process = Process()

    def grow_meanwhile(params: dict[str, Any], **_: Any) -> None:
        if any("log_growth" in sql for sql in params["Sqls"]) and "910" not in shop.types()["a"]:
            shop.sql(f"alter table {shop.table} alter column a type varchar(910)")

    events = process.redshift_data.meta.events
    events.register("provide-client-params.redshift-data.BatchExecuteStatement", grow_meanwhile)
    with process.frames() as frames:
        (result,) = another_run(shop, process.s3, process.redshift_data, frames, base=0x400).run()

    assert result.status == "SUCCESS", result.failure
    assert shop.types()["a"] == "character varying(910)"
    assert shop.rows("id", "id") == [(1,), (2,)]


def test_a_text_that_somebody_makes_shorter_before_the_merge_grows_again(feed: Feed) -> None:
    shop = feed()
    shop.load("1.csv", csv_text("id,a", "1,x"))
    shop.land("2.csv", LONGER)
    process = Process()
    narrowed: list[str] = []

    def narrow(params: dict[str, Any], **_: Any) -> None:
        if any("guard_ledger" in sql for sql in params["Sqls"]) and not narrowed:
            narrowed.append(shop.types()["a"])
            shop.sql(f"alter table {shop.table} alter column a type varchar(20)")

    events = process.redshift_data.meta.events
    events.register("provide-client-params.redshift-data.BatchExecuteStatement", narrow)
    with process.frames() as frames:
        (result,) = another_run(shop, process.s3, process.redshift_data, frames, base=0x400).run()

    assert narrowed == ["character varying(310)"]
    assert result.status == "SUCCESS", result.failure
    assert shop.rows("a", "id") == [("x",), ("é" * 150,)]
