"""Native growth under views: they are down for a moment, and whatever happens meanwhile they come back whole."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from framework.errors import WarehouseError
from framework.lake.s3 import Lake
from framework.names import TableName
from framework.views_down import signs_of
from framework.warehouse.client import Warehouse
from framework.warehouse.rate_limit import RateLimiter
from tests.command_line import Shop
from tests.faults.mortal import Death, Process
from tests.faults.scenarios import after_a_while, another_run
from tests.sandbox.conftest import MINIMAL
from tests.workshop import Workshop, csv_text

Feed = Callable[..., Workshop]
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


def under_views(shop: Workshop) -> Workshop:
    """Load a file, and put a view on the table and one on that, with a privilege and a comment each."""
    shop.spec_body += NATIVE
    shop.load(f"{shop.name}_1.csv", csv_text("id,a", "1,x"))
    low, high = f"reporting.low_{shop.name}", f"reporting.high_{shop.name}"
    shop.sql(
        "create schema if not exists reporting",
        f"create group g_{shop.name}",
        f"create view {low} as select id, a from {shop.table}",
        f"create view {high} as select a from {low}",
        f"grant select on {low} to group g_{shop.name}",
        f"grant select on {high} to group g_{shop.name}",
        f"comment on view {low} is 'it''s \\\\ low'",
        f"comment on column {high}.a is 'the text'",
    )
    return shop


def views(shop: Workshop) -> dict[str, list[tuple[Any, ...]]]:
    """Return what the catalog knows of the views of the feed's name."""
    own = f"like '%\\\\_{shop.name}'"
    return {
        "views": shop.sql(f"select viewname, viewowner, md5(definition) from pg_views where viewname {own} order by 1"),
        "privileges": shop.sql(
            "select relation_name, identity_name, privilege_type from svv_relation_privileges "
            f"where relation_name {own} and identity_name {own} order by 1, 2, 3"
        ),
        "comments": shop.sql(
            "select pg_class.relname, objsubid, description from pg_description "
            f"inner join pg_class on pg_class.oid = objoid where pg_class.relname {own} order by 1, 2"
        ),
    }


def journal(shop: Workshop) -> list[tuple[Any, ...]]:
    return shop.sql(f"select view_name, part from feedway.view_journal where pipeline = '{shop.name}' order by 1, 2")


def die_before(shop: Workshop, text: bytes, base: int = 0x400) -> None:
    """Run until a call is about to be made whose statement holds the text; from then on nothing reaches a server."""
    process = Process()
    with process.frames() as frames, suppress(Death):
        run = another_run(shop, process.s3, process.redshift_data, frames, base)

        def die(request: Any, **_: Any) -> None:
            if text in request.body:
                process.die_now()

        process.redshift_data.meta.events.register_first("before-send.*.*", die)
        run.run()
        raise AssertionError("the run did not die")


def test_in_a_table_of_few_rows_readers_of_the_views_wait_and_find_them_there(feed: Feed) -> None:
    shop = under_views(feed())
    shop.spec_body = shop.spec_body.replace("rewrite_up_to_rows: 0", "rewrite_up_to_rows: 1")
    before = views(shop)

    few = shop.load(f"{shop.name}_2.csv", LONGER)
    many = shop.load(f"{shop.name}_3.csv", csv_text("id,a", "3," + "x" * 900))

    assert [(change["kind"], change["cost"]) for change in few.schema_changes] == [
        ("rewrite_column", "1 rows are rewritten")
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


@pytest.mark.parametrize("then", [b"alter column", b"create_view"], ids=["down", "grown"])
def test_the_next_run_puts_back_what_a_dead_run_left_down(feed: Feed, then: bytes) -> None:
    shop = under_views(feed())
    before = views(shop)
    shop.land(f"{shop.name}_2.csv", LONGER)
    die_before(shop, then)
    down = views(shop)["views"]
    heir = replace(shop, log=io.StringIO(), run_number_base=0x800)
    after_a_while(heir)

    (result,) = heir.run()

    assert down == []
    assert result.status == "SUCCESS", result.failure
    assert views(shop) == before
    assert journal(shop) == []
    assert shop.sql(f"select count(*) from reporting.high_{shop.name}") == [(2,)]


def test_a_run_with_nothing_to_do_puts_back_what_a_dead_run_left_down(feed: Feed) -> None:
    shop = under_views(feed())
    before = views(shop)
    key = shop.land(f"{shop.name}_2.csv", LONGER)
    die_before(shop, b"alter column")
    shop.s3.delete_object(Bucket="lake", Key=key)
    heir = replace(shop, log=io.StringIO(), run_number_base=0x800)
    after_a_while(heir)

    assert heir.run() == []
    assert views(shop) == before


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
    assert (idle.status, idle.source_file) == ("FAILED", "")
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


def test_a_run_waits_for_another_that_has_taken_views_down_and_then_puts_them_back(feed: Feed) -> None:
    shop = under_views(feed())
    before = views(shop)
    shop.land(f"{shop.name}_2.csv", LONGER)
    die_before(shop, b"alter column")
    heir = replace(shop, log=io.StringIO(), run_number_base=0x800)

    def let_it_end(seconds: float) -> None:
        if any(entry["msg"].startswith("another run has taken views down") for entry in heir.entries()):
            for key in shop.keys("staging/"):
                shop.s3.delete_object(Bucket="lake", Key=key)

    settings, retry = shop.environment.warehouse, shop.environment.retry
    heir.warehouse = Warehouse(shop.redshift_data, settings, retry, RateLimiter({}), let_it_end)

    (result,) = heir.run()

    assert result.status == "SUCCESS", result.failure
    assert views(shop) == before
    waits = [entry for entry in heir.entries() if entry["msg"].startswith("another run has taken views down")]
    assert len(waits) == 1


def test_views_stay_in_mind_when_the_run_that_is_to_put_them_back_meets_an_outage(feed: Feed) -> None:
    """The dead run's file is gone, so that only idle runs come, of this feed and of another one on the table."""
    shop = under_views(feed())
    before = views(shop)
    key = shop.land(f"{shop.name}_2.csv", LONGER)
    die_before(shop, b"alter column")
    shop.s3.delete_object(Bucket="lake", Key=key)
    heir = replace(shop, log=io.StringIO(), run_number_base=0x800)
    after_a_while(heir)
    process = Process()
    process.redshift_data.meta.events.register_first("before-send.*.ExecuteStatement", _out_of_reach)
    with process.frames() as frames:
        met = another_run(heir, process.s3, process.redshift_data, frames, base=0x600)
        after_a_while(met)
        with pytest.raises(WarehouseError):
            met.run()
    assert views(shop)["views"] == []
    other = feed(MINIMAL.replace('target: {table: "{name}"}', f"target: {{table: {shop.name}}}"))
    after_a_while(other)

    assert other.run() == []
    assert views(shop) == before
    assert shop.keys("staging/") == []
    signs = signs_of(Lake(shop.s3, shop.environment.lake), TableName("public", shop.name), "feedway")
    assert shop.s3.list_objects_v2(Bucket="lake", Prefix=signs).get("KeyCount", 0) == 0


def _out_of_reach(request: Any, **_: Any) -> None:
    if b"view_journal" in request.body or b"pg_views" in request.body:
        raise EndpointConnectionError(endpoint_url="here")


def test_a_view_of_another_owner_comes_back_whole_when_a_run_dies_between_its_parts(feed: Feed) -> None:
    shop = under_views(feed())
    groups = [f"g{number}_{shop.name}" for number in range(45)]
    shop.sql(*(f"create group {name}" for name in groups))
    shop.sql(*(f"grant select on reporting.low_{shop.name} to group {name}" for name in groups))
    shop.sql(
        f"create user o_{shop.name} password 'Abcdefg1'",
        f"alter table reporting.low_{shop.name} owner to o_{shop.name}",
    )
    before = views(shop)
    shop.land(f"{shop.name}_2.csv", LONGER)
    die_before(shop, b"owner to")
    heir = replace(shop, log=io.StringIO(), run_number_base=0x800)
    after_a_while(heir)

    (result,) = heir.run()

    assert (result.status, result.failure) == ("SUCCESS", None)
    assert views(shop) == before


def test_a_view_comes_back_without_the_privileges_of_those_who_are_no_more(feed: Feed) -> None:
    shop = under_views(feed())
    shop.sql(f"create group gone_{shop.name}", f"grant select on reporting.low_{shop.name} to group gone_{shop.name}")
    shop.land(f"{shop.name}_2.csv", LONGER)
    die_before(shop, b"alter column")
    shop.sql(f"drop group gone_{shop.name}")
    heir = replace(shop, log=io.StringIO(), run_number_base=0x800)
    after_a_while(heir)

    (result,) = heir.run()

    assert (result.status, result.failure) == ("SUCCESS", None)
    assert [row[0] for row in views(shop)["views"]] == [f"high_{shop.name}", f"low_{shop.name}"]
    assert [row[1] for row in views(shop)["privileges"]] == [f"g_{shop.name}"] * 2
    assert [entry["level"] for entry in heir.entries() if entry["msg"] == "a privilege is not put back"] == ["warning"]


def test_of_two_forms_of_a_view_in_the_journal_the_later_one_comes_back(feed: Feed) -> None:
    shop = under_views(feed())
    high = f"reporting.high_{shop.name}"
    shop.land(f"{shop.name}_2.csv", LONGER)
    die_before(shop, b"alter column")
    shop.sql(f"create view {high} as select a, id from {shop.table}", f"comment on view {high} is 'the later one'")
    second = replace(shop, log=io.StringIO(), run_number_base=0x800)
    after_a_while(second)
    second.run()
    later = [row for row in views(shop)["views"] if str(row[0]).startswith("high")]
    shop.land(f"{shop.name}_3.csv", csv_text("id,a", "3," + "x" * 900))
    third = replace(shop, log=io.StringIO(), run_number_base=0xC00)
    after_a_while(third)
    die_before(third, b"alter column", base=0xC00)
    fourth = replace(third, log=io.StringIO(), run_number_base=0xE00)

    (result,) = fourth.run()

    assert result.status == "SUCCESS"
    assert [row for row in views(shop)["views"] if str(row[0]).startswith("high")] == later
    assert "the later one" in [row[2] for row in views(shop)["comments"]]
    assert result.failure is not None
    assert high in result.failure.message


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


def left_down(shop: Shop) -> None:
    """Leave a view of the project's feed down, as a run that died long ago would."""
    spec = f"pipelines/{shop.name}.yml"
    shop.write(spec, (shop.root / spec).read_text(encoding="utf-8") + NATIVE)
    shop.land("1.csv", "id,a\n1,x\n")
    shop.run("run", shop.name)
    for statement in (
        "create schema if not exists reporting",
        f"create view reporting.down_{shop.name} as select a from {shop.name}",
        f"grant select on reporting.down_{shop.name} to public",
    ):
        assert shop.run("sandbox", "sql", statement)[0] == 0
    shop.land("2.csv", "id,a\n2," + "y" * 300 + "\n")
    code, plan = shop.json("plan", shop.name)
    assert code == 0
    (taken,) = [part for part in plan["loads"][0]["transactions"] if part["name"] == "take_down_views"]
    for statement in taken["statements"]:
        assert shop.run("sandbox", "sql", statement["sql"])[0] == 0


def test_restore_views_puts_back_what_is_down_and_says_so(shop: Shop) -> None:
    left_down(shop)
    gone = f"select count(*) from pg_views where viewname = 'down_{shop.name}'"
    assert shop.json("sandbox", "sql", gone)[1]["rows"] == [[0]]

    code, document = shop.json("restore-views", f"reporting.down_{shop.name}")

    (view,) = [view for view in document["views"] if view["view"] == f"reporting.down_{shop.name}"]
    assert code == 0
    assert (view["status"], view["target"], view["pipeline"]) == ("RESTORED", f"public.{shop.name}", shop.name)
    assert shop.json("sandbox", "sql", gone)[1]["rows"] == [[1]]
    granted = f"select count(*) from svv_relation_privileges where relation_name = 'down_{shop.name}'"
    assert shop.json("sandbox", "sql", f"{granted} and identity_type = 'public'")[1]["rows"] == [[1]]
    assert f"reporting.down_{shop.name}: not in the view journal" in shop.run("restore-views", view["view"])[2]


def test_restore_views_says_what_stands_in_the_way_and_can_let_a_view_go(shop: Shop) -> None:
    left_down(shop)
    name = f"reporting.down_{shop.name}"
    assert shop.run("sandbox", "sql", f"create view {name} as select 1 as other")[0] == 0

    code, out, err = shop.run("restore-views", name, "--output", "text")

    assert code == 4
    assert "another definition" in err
    assert f'create view "reporting"."down_{shop.name}"' in out
    code, document = shop.json("restore-views", name, "--forget")
    assert (code, [view["status"] for view in document["views"]]) == (0, ["FORGOTTEN"])
    assert shop.json("sandbox", "sql", f"select other from {name}")[1]["rows"] == [[1]]
    code, _, err = shop.run("restore-views", name)
    assert (code, "not in the view journal" in err) == (2, True)
    assert shop.run("restore-views", "--forget")[0] == 2
