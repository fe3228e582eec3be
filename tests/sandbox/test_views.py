"""Views on the table: those of the spec are built, those of others come back, and none is missing afterwards."""

from collections.abc import Callable

from tests.workshop import Workshop, csv_text

Feed = Callable[..., Workshop]


def with_view(definition: str = "select * from {{ target }}", extra: str = "") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/}}
target: {{table: "{{name}}"}}
load: {{keys: [id]}}
metadata_columns: {{run_date: null, file_name: null}}
views:
  - {{schema: reporting, name: "v_{{name}}", definition: "{definition}"}}
{extra}
"""


def kinds(result: object) -> list[tuple[str | None, str | None]]:
    return [(change["kind"], change["to"]) for change in result.schema_changes]  # type: ignore[attr-defined]


def test_the_specs_view_is_rebuilt_when_a_column_is_added(feed: Feed) -> None:
    shop = feed(with_view())
    shop.load("1.csv", csv_text("id,a", "1,x"))

    shop.load("2.csv", csv_text("id,a,b", "2,y,z"))

    assert shop.sql(f"select id, a, b from reporting.v_{shop.name} order by id") == [(1, "x", None), (2, "y", "z")]


def test_a_view_in_the_way_is_rebuilt_with_its_grants_and_comment(feed: Feed) -> None:
    shop = feed(with_view())
    shop.load("1.csv", csv_text("id,a,b", "1,x,5"))
    view = f"reporting.v_{shop.name}"
    shop.sql(
        f"create group g_{shop.name}",
        f"create user u_{shop.name} password 'Abcdefg1'",
        f"grant select on {view} to group g_{shop.name}",
        f"grant select on {view} to u_{shop.name} with grant option",
        f"comment on view {view} is 'for the board'",
    )
    grants = (
        "select identity_name, identity_type, privilege_type, admin_option from svv_relation_privileges "
        f"where relation_name = 'v_{shop.name}' and identity_name like '%{shop.name}' order by 1"
    )
    before = shop.sql(grants)

    result = shop.load("2.csv", csv_text("id,a,b", "2," + "y" * 300 + ",10.5"))

    assert len(before) == 2
    assert kinds(result) == [("rewrite_column", "varchar(310)"), ("rewrite_column", "decimal(38,18)")]
    assert shop.sql(grants) == before
    assert shop.sql(f"select id, length(a), b from {view} order by id")[1] == (2, 300, "10.5" + "0" * 17)
    assert ("for the board",) in shop.sql("select description from pg_description where description = 'for the board'")


def test_a_view_is_rebuilt_when_its_text_changes_and_only_then(feed: Feed) -> None:
    shop = feed(with_view("select id from {{ target }}"))
    shop.load("1.csv", csv_text("id,a", "1,x"))
    built = f"select run_id from feedway.view_builds where view_name = 'v_{shop.name}'"
    first = shop.sql(built)

    shop.load("2.csv", csv_text("id,a", "2,y"))
    unchanged = shop.sql(built)
    shop.spec_body = with_view("select a from {{ target }}")
    shop.load("3.csv", csv_text("id,a", "3,z"))

    assert unchanged == first
    assert shop.sql(built) != first
    assert shop.sql(f"select a from reporting.v_{shop.name} order by 1") == [("x",), ("y",), ("z",)]


def test_the_specs_views_are_created_in_the_order_in_which_they_stand_on_each_other(feed: Feed) -> None:
    shop = feed(
        with_view(
            "select sum(a) as s from reporting.low_{name}",
            '  - {schema: reporting, name: "low_{name}", definition: "select * from {{ target }}"}',
        )
    )

    result = shop.load("1.csv", csv_text("id,a", "1,5", "2,6"))
    wider = shop.load("2.csv", csv_text("id,a", "3,3000000000"))

    assert (result.status, wider.status) == ("SUCCESS", "SUCCESS"), (result.failure, wider.failure)
    assert shop.sql(f"select s from reporting.v_{shop.name}") == [(3000000011,)]


def test_views_that_stand_on_each_other_in_a_circle_are_refused(feed: Feed) -> None:
    shop = feed(
        with_view(
            "select a from reporting.low_{name}",
            '  - {schema: reporting, name: "low_{name}", definition: "select a from reporting.v_{name}"}',
        )
    )

    result = shop.load("1.csv", csv_text("id,a", "1,5"))

    assert result.failure is not None
    assert "depend on each other in a cycle" in result.failure.message


def test_a_late_binding_view_follows_the_table(feed: Feed) -> None:
    shop = feed(with_view().replace("}\n\n", ", late_binding: true}\n"))
    shop.load("1.csv", csv_text("id,a", "1,5"))

    result = shop.load("2.csv", csv_text("id,a", "2,3000000000"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert shop.sql(f"select sum(a) from reporting.v_{shop.name}") == [(3000000005,)]


def views_as_they_are(shop: Workshop, *names: str) -> dict[str, object]:
    """Return what is known of views in schema reporting: definition, owner, privileges, comments."""
    shown = ", ".join(f"'{name}'" for name in names)
    return {
        "views": shop.sql(
            f"select viewname, viewowner, definition from pg_views where viewname in ({shown}) order by 1"
        ),
        "grants": shop.sql(
            "select relation_name, identity_name, identity_type, privilege_type, admin_option "
            f"from svv_relation_privileges where relation_name in ({shown}) order by 1, 2, 4"
        ),
        "comments": shop.sql(
            "select relname, objsubid, description from pg_description inner join pg_class on pg_class.oid = objoid "
            f"where relname in ({shown}) order by 1, 2"
        ),
    }


def test_views_that_the_spec_does_not_name_come_back_as_they_were_at_any_depth(feed: Feed) -> None:
    shop = feed()
    shop.load("1.csv", csv_text("id,a,b", "1,5,x"))
    low, middle, high = (f"{place}_{shop.name}" for place in ("low", "middle", "high"))
    shop.sql(
        "create schema if not exists reporting",
        f"create group g_{shop.name}",
        f"create user u_{shop.name} password 'Abcdefg1'",
        f"create view reporting.{high} as select a, 'it''s; -- \"x\"' as note from {shop.table}",
        f"create view reporting.{middle} as select a from reporting.{high}",
        f"create view reporting.{low} as select m.a, h.note from reporting.{middle} m, reporting.{high} h",
        f"grant select on reporting.{high} to group g_{shop.name}",
        f"grant select on reporting.{low} to u_{shop.name} with grant option",
        f"grant select on reporting.{middle} to public",
        f"comment on view reporting.{middle} is 'for the board''s eyes'",
        f"comment on column reporting.{low}.note is 'a note'",
    )
    before = views_as_they_are(shop, low, middle, high)

    result = shop.load("2.csv", csv_text("id,a,b", "2,3000000000,x"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert kinds(result) == [("rewrite_column", "bigint")]
    assert views_as_they_are(shop, low, middle, high) == before
    assert len(before["grants"]) >= 3  # type: ignore[arg-type]
    assert len(before["comments"]) == 2  # type: ignore[arg-type]
    assert shop.sql(f"select distinct a from reporting.{low} order by a") == [(5,), (3000000000,)]


def test_a_view_of_somebody_else_is_given_back_to_its_owner(feed: Feed) -> None:
    shop = feed()
    shop.load("1.csv", csv_text("id,a", "1,5"))
    name = f"owned_{shop.name}"
    shop.sql(
        "create schema if not exists reporting",
        f"create user o_{shop.name} password 'Abcdefg1'",
        f"create view reporting.{name} as select a from {shop.table}",
        f"grant select on {shop.table} to o_{shop.name}",
        f"alter table reporting.{name} owner to o_{shop.name}",
    )

    result = shop.load("2.csv", csv_text("id,a", "2,3000000000"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert shop.sql(f"select viewowner from pg_views where viewname = '{name}'") == [(f"o_{shop.name}",)]
    assert shop.sql(f"select a from reporting.{name} order by a") == [(5,), (3000000000,)]


def test_a_view_of_others_on_top_of_the_specs_view_comes_back_when_that_is_rebuilt(feed: Feed) -> None:
    shop = feed(with_view())
    shop.load("1.csv", csv_text("id,a", "1,x"))
    shop.sql(f"create view reporting.top_{shop.name} as select a from reporting.v_{shop.name}")

    result = shop.load("2.csv", csv_text("id,a,b", "2,y,z"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert shop.sql(f"select a from reporting.top_{shop.name} order by a") == [("x",), ("y",)]
    assert shop.sql(f"select b from reporting.v_{shop.name} order by b") == [("z",), (None,)]


def test_a_view_of_others_that_can_no_longer_be_created_stops_the_change_before_anything_is_lost(feed: Feed) -> None:
    shop = feed(with_view())
    shop.load("1.csv", csv_text("id,a", "1,x"))
    shop.sql(f"create view reporting.top_{shop.name} as select a from reporting.v_{shop.name}")
    shop.spec_body = with_view("select id from {{ target }}")

    result = shop.load("2.csv", csv_text("id,a", "2,y"))

    assert result.failure is not None
    assert result.failure.type == "SpecError"
    assert f"reporting.top_{shop.name}" in result.failure.message
    assert shop.sql(f"select a from reporting.top_{shop.name} order by a") == [("x",)]
    assert shop.keys("data/in/") != []


def test_a_view_with_privileges_on_its_columns_stays_and_the_load_says_what_to_do(feed: Feed) -> None:
    shop = feed()
    shop.load("1.csv", csv_text("id,a", "1,5"))
    name = f"columns_{shop.name}"
    shop.sql(
        "create schema if not exists reporting",
        f"create user c_{shop.name} password 'Abcdefg1'",
        f"create view reporting.{name} as select a from {shop.table}",
        f"grant select (a) on reporting.{name} to c_{shop.name}",
    )

    result = shop.load(f"{shop.name}_2.csv", csv_text("id,a", "2,3000000000"))

    assert result.failure is not None
    assert result.failure.type == "SchemaChangeError"
    assert f'drop view "reporting"."{name}"' in result.failure.message
    assert shop.sql(f"select a from reporting.{name}") == [(5,)]


def test_a_view_on_other_columns_does_not_stand_in_the_way(feed: Feed) -> None:
    shop = feed()
    shop.load("1.csv", csv_text("id,a,b", "1,5,x"))
    shop.sql(
        "create schema if not exists reporting",
        f"create view reporting.other_{shop.name} as select b from {shop.table}",
    )

    result = shop.load("2.csv", csv_text("id,a,b", "2,3000000000,y"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert shop.sql(f"select b from reporting.other_{shop.name} order by b") == [("x",), ("y",)]


def test_a_view_of_the_spec_with_privileges_on_its_columns_stays_and_the_load_says_what_to_do(feed: Feed) -> None:
    shop = feed(with_view())
    shop.load("1.csv", csv_text("id,a", "1,5"))
    shop.sql(f"create user u_{shop.name} password 'Abcdefg1'")
    shop.sql(f"grant select (id) on reporting.v_{shop.name} to u_{shop.name}")

    result = shop.load("2.csv", csv_text("id,a,b", "2,6,7"))

    assert result.failure is not None
    assert result.failure.type == "SchemaChangeError"
    assert f'drop view "reporting"."v_{shop.name}"' in result.failure.message
    assert list(shop.types()) == ["id", "a"]


def test_views_that_name_each_other_without_a_schema_are_created_in_order(feed: Feed) -> None:
    shop = feed("""
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [id]}
metadata_columns: {run_date: null, file_name: null}
views:
  - {schema: public, name: "top_{name}", definition: "select id from base_{name}"}
  - {schema: public, name: "base_{name}", definition: "select * from {{ target }}"}
""")

    result = shop.load("1.csv", csv_text("id,a", "1,5"))

    assert result.status == "SUCCESS", result.failure
    assert shop.sql(f"select id from top_{shop.name}") == [(1,)]
