"""Views on the table: those of the spec are built, those of others come back, and none is missing afterwards."""

from tests.harness import FeedHarness, MakeFeed, csv_text


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


def test_the_specs_view_is_rebuilt_when_a_column_is_added(make_feed: MakeFeed) -> None:
    feed = make_feed(with_view())
    feed.load("1.csv", csv_text("id,a", "1,x"))

    feed.load("2.csv", csv_text("id,a,b", "2,y,z"))

    assert feed.sql(f"select id, a, b from reporting.v_{feed.name} order by id") == [(1, "x", None), (2, "y", "z")]


def test_a_view_in_the_way_is_rebuilt_with_its_grants_and_comment(make_feed: MakeFeed) -> None:
    feed = make_feed(with_view())
    feed.load("1.csv", csv_text("id,a,b", "1,x,5"))
    view = f"reporting.v_{feed.name}"
    feed.sql(
        f"create group g_{feed.name}",
        f"create user u_{feed.name} password 'Abcdefg1'",
        f"grant select on {view} to group g_{feed.name}",
        f"grant select on {view} to u_{feed.name} with grant option",
        f"comment on view {view} is 'for the board'",
    )
    grants = (
        "select identity_name, identity_type, privilege_type, admin_option from svv_relation_privileges "
        f"where relation_name = 'v_{feed.name}' and identity_name like '%{feed.name}' order by 1"
    )
    before = feed.sql(grants)

    result = feed.load("2.csv", csv_text("id,a,b", "2," + "y" * 300 + ",10.5"))

    assert len(before) == 2
    assert kinds(result) == [("rewrite_column", "varchar(310)"), ("rewrite_column", "decimal(38,18)")]
    assert feed.sql(grants) == before
    assert feed.sql(f"select id, length(a), b from {view} order by id")[1] == (2, 300, "10.5" + "0" * 17)
    assert ("for the board",) in feed.sql("select description from pg_description where description = 'for the board'")


def test_a_view_is_rebuilt_when_its_text_changes_and_only_then(make_feed: MakeFeed) -> None:
    feed = make_feed(with_view("select id from {{ target }}"))
    feed.load("1.csv", csv_text("id,a", "1,x"))
    built = f"select run_id from feedway.view_builds where view_name = 'v_{feed.name}'"
    first = feed.sql(built)

    feed.load("2.csv", csv_text("id,a", "2,y"))
    unchanged = feed.sql(built)
    feed.spec_body = with_view("select a from {{ target }}")
    feed.load("3.csv", csv_text("id,a", "3,z"))

    assert unchanged == first
    assert feed.sql(built) != first
    assert feed.sql(f"select a from reporting.v_{feed.name} order by 1") == [("x",), ("y",), ("z",)]


def test_the_specs_views_are_created_in_the_order_in_which_they_stand_on_each_other(make_feed: MakeFeed) -> None:
    feed = make_feed(
        with_view(
            "select sum(a) as s from reporting.low_{name}",
            '  - {schema: reporting, name: "low_{name}", definition: "select * from {{ target }}"}',
        )
    )

    result = feed.load("1.csv", csv_text("id,a", "1,5", "2,6"))
    wider = feed.load("2.csv", csv_text("id,a", "3,3000000000"))

    assert (result.status, wider.status) == ("SUCCESS", "SUCCESS"), (result.failure, wider.failure)
    assert feed.sql(f"select s from reporting.v_{feed.name}") == [(3000000011,)]


def test_views_that_stand_on_each_other_in_a_circle_are_refused(make_feed: MakeFeed) -> None:
    feed = make_feed(
        with_view(
            "select a from reporting.low_{name}",
            '  - {schema: reporting, name: "low_{name}", definition: "select a from reporting.v_{name}"}',
        )
    )

    result = feed.load("1.csv", csv_text("id,a", "1,5"))

    assert result.failure is not None
    assert "depend on each other in a cycle" in result.failure.message


def test_a_late_binding_view_follows_the_table(make_feed: MakeFeed) -> None:
    feed = make_feed(with_view().replace("}\n\n", ", late_binding: true}\n"))
    feed.load("1.csv", csv_text("id,a", "1,5"))

    result = feed.load("2.csv", csv_text("id,a", "2,3000000000"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert feed.sql(f"select sum(a) from reporting.v_{feed.name}") == [(3000000005,)]


def test_a_late_binding_view_that_cannot_be_read_is_reported_by_its_load_and_by_status_until_it_can(
    feed: FeedHarness,
) -> None:
    def define(definition: str) -> None:
        view = f'views: [{{name: v_{feed.name}, late_binding: true, definition: "{definition}"}}]\n'
        feed.write(f"pipelines/{feed.name}.yml", feed.spec_text + view)

    define("select id, nosuch from {{ target }}")
    feed.land("1.csv", csv_text("id,a", "1,5"))

    code, out, err = feed.command("run", feed.name)

    assert code == 4
    words = f"late-binding views of the spec cannot be read: public.v_{feed.name}: "
    assert words in out + err
    assert 'column "nosuch" does not exist' in out + err
    assert feed.rows("id", "id") == [(1,)]
    # A later load that does not build the view does not report it.
    feed.land("2.csv", csv_text("id,a", "2,5"))
    assert feed.command("run", feed.name)[0] == 0
    code, document = feed.json("status", feed.name)
    (attention,) = document["feeds"][0]["attention"]
    assert (code, attention["kind"]) == (6, "view")
    assert words in attention["message"]

    # The definition is corrected, but not built yet; and another table may come later.
    define("select id from public.not_yet_there")
    assert feed.command("status", feed.name)[0] == 6
    feed.land("3.csv", csv_text("id,a", "3,5"))
    assert feed.command("run", feed.name)[0] == 0
    assert feed.command("status", feed.name)[0] == 0


def views_as_they_are(feed: FeedHarness, *names: str) -> dict[str, object]:
    """Return what is known of views in schema reporting: definition, owner, privileges, comments."""
    shown = ", ".join(f"'{name}'" for name in names)
    return {
        "views": feed.sql(
            f"select viewname, viewowner, definition from pg_views where viewname in ({shown}) order by 1"
        ),
        "grants": feed.sql(
            "select relation_name, identity_name, identity_type, privilege_type, admin_option "
            f"from svv_relation_privileges where relation_name in ({shown}) order by 1, 2, 4"
        ),
        "comments": feed.sql(
            "select relname, objsubid, description from pg_description inner join pg_class on pg_class.oid = objoid "
            f"where relname in ({shown}) order by 1, 2"
        ),
    }


def test_views_that_the_spec_does_not_name_come_back_as_they_were_at_any_depth(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a,b", "1,5,x"))
    low, middle, high = (f"{place}_{feed.name}" for place in ("low", "middle", "high"))
    feed.sql(
        "create schema if not exists reporting",
        f"create group g_{feed.name}",
        f"create user u_{feed.name} password 'Abcdefg1'",
        f"create view reporting.{high} as select a, 'it''s; -- \"x\"' as note from {feed.table}",
        f"create view reporting.{middle} as select a from reporting.{high}",
        f"create view reporting.{low} as select m.a, h.note from reporting.{middle} m, reporting.{high} h",
        f"grant select on reporting.{high} to group g_{feed.name}",
        f"grant select on reporting.{low} to u_{feed.name} with grant option",
        f"grant select on reporting.{middle} to public",
        f"comment on view reporting.{middle} is 'for the board''s eyes'",
        f"comment on column reporting.{low}.note is 'a note'",
    )
    before = views_as_they_are(feed, low, middle, high)

    result = feed.load("2.csv", csv_text("id,a,b", "2,3000000000,x"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert kinds(result) == [("rewrite_column", "bigint")]
    assert views_as_they_are(feed, low, middle, high) == before
    assert len(before["grants"]) >= 3  # type: ignore[arg-type]
    assert len(before["comments"]) == 2  # type: ignore[arg-type]
    assert feed.sql(f"select distinct a from reporting.{low} order by a") == [(5,), (3000000000,)]


def test_a_view_of_somebody_else_is_given_back_to_its_owner(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a", "1,5"))
    name = f"owned_{feed.name}"
    feed.sql(
        "create schema if not exists reporting",
        f"create user o_{feed.name} password 'Abcdefg1'",
        f"create view reporting.{name} as select a from {feed.table}",
        f"grant select on {feed.table} to o_{feed.name}",
        f"alter table reporting.{name} owner to o_{feed.name}",
    )

    result = feed.load("2.csv", csv_text("id,a", "2,3000000000"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert feed.sql(f"select viewowner from pg_views where viewname = '{name}'") == [(f"o_{feed.name}",)]
    assert feed.sql(f"select a from reporting.{name} order by a") == [(5,), (3000000000,)]


def test_a_view_of_others_on_top_of_the_specs_view_comes_back_when_that_is_rebuilt(make_feed: MakeFeed) -> None:
    feed = make_feed(with_view())
    feed.load("1.csv", csv_text("id,a", "1,x"))
    feed.sql(f"create view reporting.top_{feed.name} as select a from reporting.v_{feed.name}")

    result = feed.load("2.csv", csv_text("id,a,b", "2,y,z"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert feed.sql(f"select a from reporting.top_{feed.name} order by a") == [("x",), ("y",)]
    assert feed.sql(f"select b from reporting.v_{feed.name} order by b") == [("z",), (None,)]


def test_a_view_of_others_that_can_no_longer_be_created_stops_the_change_before_anything_is_lost(
    make_feed: MakeFeed,
) -> None:
    feed = make_feed(with_view())
    feed.load("1.csv", csv_text("id,a", "1,x"))
    feed.sql(f"create view reporting.top_{feed.name} as select a from reporting.v_{feed.name}")
    feed.spec_body = with_view("select id from {{ target }}")

    result = feed.load("2.csv", csv_text("id,a", "2,y"))

    assert result.failure is not None
    assert result.failure.type == "SpecError"
    assert f"reporting.top_{feed.name}" in result.failure.message
    assert feed.sql(f"select a from reporting.top_{feed.name} order by a") == [("x",)]
    assert feed.keys("data/in/") != []


def test_a_view_with_privileges_on_its_columns_stays_and_the_load_says_what_to_do(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a", "1,5"))
    name = f"columns_{feed.name}"
    feed.sql(
        "create schema if not exists reporting",
        f"create user c_{feed.name} password 'Abcdefg1'",
        f"create view reporting.{name} as select a from {feed.table}",
        f"grant select (a) on reporting.{name} to c_{feed.name}",
    )

    result = feed.load(f"{feed.name}_2.csv", csv_text("id,a", "2,3000000000"))

    assert result.failure is not None
    assert result.failure.type == "SchemaChangeError"
    assert f'drop view "reporting"."{name}"' in result.failure.message
    assert feed.sql(f"select a from reporting.{name}") == [(5,)]


def test_a_view_on_other_columns_does_not_stand_in_the_way(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a,b", "1,5,x"))
    feed.sql(
        "create schema if not exists reporting",
        f"create view reporting.other_{feed.name} as select b from {feed.table}",
    )

    result = feed.load("2.csv", csv_text("id,a,b", "2,3000000000,y"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert feed.sql(f"select b from reporting.other_{feed.name} order by b") == [("x",), ("y",)]


def test_a_view_of_the_spec_with_privileges_on_its_columns_stays_and_the_load_says_what_to_do(
    make_feed: MakeFeed,
) -> None:
    feed = make_feed(with_view())
    feed.load("1.csv", csv_text("id,a", "1,5"))
    feed.sql(f"create user u_{feed.name} password 'Abcdefg1'")
    feed.sql(f"grant select (id) on reporting.v_{feed.name} to u_{feed.name}")

    result = feed.load("2.csv", csv_text("id,a,b", "2,6,7"))

    assert result.failure is not None
    assert result.failure.type == "SchemaChangeError"
    assert f'drop view "reporting"."v_{feed.name}"' in result.failure.message
    assert list(feed.types()) == ["id", "a"]


def test_views_that_name_each_other_without_a_schema_are_created_in_order(make_feed: MakeFeed) -> None:
    feed = make_feed("""
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [id]}
metadata_columns: {run_date: null, file_name: null}
views:
  - {schema: public, name: "top_{name}", definition: "select id from base_{name}"}
  - {schema: public, name: "base_{name}", definition: "select * from {{ target }}"}
""")

    result = feed.load("1.csv", csv_text("id,a", "1,5"))

    assert result.status == "SUCCESS", result.failure
    assert feed.sql(f"select id from top_{feed.name}") == [(1,)]
