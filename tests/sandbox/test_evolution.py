"""The table follows the file, and nothing that stood before is missing afterwards."""

from collections.abc import Callable

import pytest

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


def policy(**evolution: str) -> str:
    settings = ", ".join(f"{name}: {value}" for name, value in evolution.items())
    return f"""
source: {{prefix: data/in/{{name}}/}}
target: {{table: "{{name}}"}}
load: {{keys: [id]}}
metadata_columns: {{run_date: null, file_name: null}}
evolution: {{{settings}}}
"""


def kinds(result: object) -> list[tuple[str | None, str | None]]:
    return [(change["kind"], change["to"]) for change in result.schema_changes]  # type: ignore[attr-defined]


def test_a_new_column_is_added_and_old_rows_hold_null(feed: Feed) -> None:
    shop = feed()
    shop.load("1.csv", csv_text("id,a", "1,x", "2,y"))

    result = shop.load("2.csv", csv_text("b,id,a", "7,2,z"))

    assert kinds(result) == [("add_column", "integer")]
    assert shop.rows("id, a, b", "id") == [(1, "x", None), (2, "z", 7)]


def test_a_longer_text_grows_the_column_natively(feed: Feed) -> None:
    shop = feed()
    shop.load("1.csv", csv_text("id,a", "1,x"))

    result = shop.load("2.csv", csv_text("id,a", "2," + "é" * 150))

    assert kinds(result) == [("grow_varchar", "varchar(310)")]
    assert shop.types()["a"] == "character varying(310)"
    assert shop.rows("a", "id") == [("x",), ("é" * 150,)]


@pytest.mark.parametrize(
    ("first", "second", "type_text", "stored"),
    [
        ("5", "2147483648", "bigint", [5, 2147483648]),
        ("5", "-9223372036854775809", "numeric(38,0)", ["5", "-9223372036854775809"]),
        ("10", "10.50", "numeric(38,18)", ["10." + "0" * 18, "10.5" + "0" * 17]),
        ("1.5", "123456789012345678901.25", "numeric(39,18)", None),
        (
            "2026-01-01",
            "2026-01-02 03:04:05",
            "timestamp without time zone",
            ["2026-01-01 00:00:00.0", "2026-01-02 03:04:05.0"],
        ),
    ],
)
def test_a_number_or_date_grows_and_keeps_its_values(
    feed: Feed, first: str, second: str, type_text: str, stored: list[object] | None
) -> None:
    shop = feed()
    shop.load("1.csv", csv_text("id,a,z", f"1,{first},q"))

    result = shop.load("2.csv", csv_text("id,a,z", f"2,{second},q"))

    if stored is None:
        assert result.failure is not None
        assert result.failure.type == "SourceFileError"
        assert shop.rows("id", "id") == [(1,)]
    else:
        assert result.status == "SUCCESS", result.failure and result.failure.message
        assert shop.types()["a"] == type_text
        assert [row[0] for row in shop.rows("a", "id")] == stored


def test_smallint_grows_through_integer_to_bigint(feed: Feed) -> None:
    shop = feed()
    shop.sql(f"create table public.{shop.name} (id bigint not null, a smallint)")

    shop.load("1.csv", csv_text("id,a", "1,40000"))
    assert shop.types()["a"] == "integer"
    shop.load("2.csv", csv_text("id,a", "2,4000000000"))

    assert shop.types()["a"] == "bigint"
    assert shop.rows("a", "id") == [(40000,), (4000000000,)]


def test_a_rewritten_column_keeps_its_default_and_its_comment(feed: Feed) -> None:
    shop = feed()
    shop.sql(
        f"create table public.{shop.name} (id bigint not null, a integer default 7, b varchar(10))",
        f"comment on column public.{shop.name}.a is 'it''s the \\\\ amount'",
    )

    shop.load("1.csv", csv_text("id,a,b", "1,5000000000,x"))

    assert shop.sql(f"select column_default from svv_columns where table_name = '{shop.name}' and column_name = 'a'")[
        0
    ][0].startswith("7")
    comment = "select description from pg_description where objoid = (select oid from pg_class where relname = '{}')"
    assert shop.sql(comment.format(shop.name)) == [("it's the \\ amount",)]


def test_text_in_a_numeric_column_is_refused_with_column_row_and_sample(feed: Feed) -> None:
    shop = feed()
    shop.load("1.csv", csv_text("id,a", "1,5"))

    result = shop.load("2.csv", csv_text("id,a", "2,6", "3,seven", "4,00501"))

    assert result.failure is not None
    assert (result.failure.type, result.failure.step) == ("SourceFileError", "prepare")
    for part in ("2 of 3 rows", "row 2, line 3, column a: 'seven'", "row 3, line 4, column a: '00501'"):
        assert part in result.failure.message
    assert shop.rows("id, a", "id") == [(1, 5)]
    assert shop.types()["a"] == "integer"


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("default", [(1, "", 0, False, None), (3, "", 0, False, None)]),
        ("null", [(1, None, None, None, None), (3, None, None, None, None)]),
        ("keep", [(1, "x", 5, True, "2026-01-01"), (3, None, None, None, None)]),
    ],
)
def test_missing_columns_are_filled_by_the_policy(feed: Feed, chosen: str, expected: list[object]) -> None:
    shop = feed(policy(missing_columns=chosen))
    shop.load("1.csv", csv_text("id,a,b,c,d", "1,x,5,true,2026-01-01", "2,y,6,false,2026-01-02"))

    result = shop.load("2.csv", csv_text("id", "1", "3"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert shop.rows("id, a, b, c, d", "id") == [expected[0], (2, "y", 6, False, "2026-01-02"), expected[1]]
    filled = {entry["column"] for entry in shop.entries() if entry["msg"] == "column missing in the file is filled"}
    assert filled == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    ("evolution", "second", "error"),
    [
        ({"missing_columns": "reject"}, "id\n2\n", "SourceFileError"),
        ({"new_columns": "reject"}, "id,a,b\n2,x,y\n", "SchemaChangeError"),
        ({"wider_values": "reject"}, "id,a\n2," + "x" * 300 + "\n", "SourceFileError"),
    ],
)
def test_a_policy_of_reject_refuses_the_file(feed: Feed, evolution: dict[str, str], second: str, error: str) -> None:
    shop = feed(policy(**evolution))
    shop.load("1.csv", csv_text("id,a", "1,x"))

    result = shop.load(f"{shop.name}_2.csv", second)

    assert result.failure is not None
    assert result.failure.type == error
    assert shop.rows("id, a", "id") == [(1, "x")]
    assert len(shop.keys("data/unprocessed/")) == 1


def test_an_ignored_new_column_stays_out(feed: Feed) -> None:
    shop = feed(policy(new_columns="ignore"))
    shop.load("1.csv", csv_text("id,a", "1,x"))

    shop.load("2.csv", csv_text("id,a,b", "2,y,z"))

    assert list(shop.types()) == ["id", "a"]
    assert shop.rows("id, a", "id") == [(1, "x"), (2, "y")]


def test_columns_go_by_name_whatever_their_order(feed: Feed) -> None:
    shop = feed()
    shop.load("1.csv", csv_text("id,first,last", "1,Ann,Lee"))

    shop.load("2.csv", csv_text("last,id,first", "Ray,2,Bob"))

    assert shop.rows("first, last", "id") == [("Ann", "Lee"), ("Bob", "Ray")]


def test_a_renamed_column_loads_under_its_target_name(feed: Feed) -> None:
    shop = feed(policy() + "columns: {rename: {pct: share, share_old: share}}\n")
    shop.load("1.csv", csv_text("id,pct", "1,a"))

    shop.load("2.csv", csv_text("id,Share Old", "1,b"))

    assert shop.rows("id, share", "id") == [(1, "b")]


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
    assert "stand on each other in a circle" in result.failure.message


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


def test_a_declared_type_that_is_no_widening_is_refused(feed: Feed) -> None:
    shop = feed(policy() + "types: {columns: {a: varchar(5)}}\n")
    shop.sql(f"create table public.{shop.name} (id bigint not null, a varchar(10))")

    result = shop.load("1.csv", csv_text("id,a", "1,x"))

    assert result.failure is not None
    assert "no widening" in result.failure.message


def privileges(shop: Workshop, name: str) -> set[tuple[object, ...]]:
    """Return who has which privilege on a table or view, the sandbox's own user left out."""
    return set(
        shop.sql(
            "select privilege_type, identity_type, identity_name from svv_relation_privileges "
            f"where relation_name = '{name}' and (identity_name like '%{shop.name}' or identity_type = 'public')"
        )
    )


def with_grants(grants: str, exclusive: bool = False) -> str:
    spec = with_view().replace("}\n\n", ", grants: {select: [group g_{name}]}}\n", 1)
    return spec + f"grants: {grants}\ngrants_exclusive: {str(exclusive).lower()}\n"


def test_privileges_of_the_spec_are_granted_and_others_stay_unless_it_says_otherwise(feed: Feed) -> None:
    shop = feed(with_grants("{select: [group g_{name}, u_{name}], insert: [role r_{name}]}"))
    name = shop.name
    shop.sql(f"create group g_{name}", f"create user u_{name} password 'Abcdefg1'", f"create role r_{name}")
    ours = {
        ("SELECT", "group", f"g_{name}"),
        ("SELECT", "user", f"u_{name}"),
        ("INSERT", "role", f"r_{name}"),
    }

    first = shop.load("1.csv", csv_text("id,a", "1,x"))

    assert first.status == "SUCCESS", first.failure and first.failure.message
    assert privileges(shop, name) == ours
    assert privileges(shop, f"v_{name}") == {("SELECT", "group", f"g_{name}")}

    shop.sql(
        f"revoke select on {shop.table} from u_{name}",
        f"grant delete on {shop.table} to u_{name}",
        f"grant select on reporting.v_{name} to u_{name} with grant option",
    )
    shop.load("2.csv", csv_text("id,a", "2,x"))

    assert privileges(shop, name) == ours | {("DELETE", "user", f"u_{name}")}
    assert ("SELECT", "user", f"u_{name}") in privileges(shop, f"v_{name}")

    shop.spec_body = with_grants("{select: [group g_{name}], insert: [role r_{name}]}", exclusive=True)
    shop.load("3.csv", csv_text("id,a", "3,x"))

    assert privileges(shop, name) == {("SELECT", "group", f"g_{name}"), ("INSERT", "role", f"r_{name}")}
    assert privileges(shop, f"v_{name}") == {("SELECT", "group", f"g_{name}")}
    assert shop.rows("id", "id") == [(1,), (2,), (3,)]


def test_a_privilege_for_somebody_who_is_not_there_is_the_specs_fault_and_loads_nothing(feed: Feed) -> None:
    shop = feed(with_grants("{select: [group nobody_{name}]}").replace("group g_", "group nobody_"))

    result = shop.load("1.csv", csv_text("id,a", "1,x"))

    assert result.failure is not None
    assert result.failure.type == "SpecError"
    assert f"nobody_{shop.name}" in result.failure.message
    assert len(shop.keys("data/in/")) == 1
