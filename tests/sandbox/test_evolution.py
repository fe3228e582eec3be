"""The table follows the file, and nothing that stood before is missing afterwards."""

import pytest

from tests.harness import MakeFeed, csv_text


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


def test_a_new_column_is_added_and_old_rows_hold_null(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a", "1,x", "2,y"))

    result = feed.load("2.csv", csv_text("b,id,a", "7,2,z"))

    assert kinds(result) == [("add_column", "integer")]
    assert feed.rows("id, a, b", "id") == [(1, "x", None), (2, "z", 7)]


def test_a_longer_text_grows_the_column_natively(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a", "1,x"))

    result = feed.load("2.csv", csv_text("id,a", "2," + "é" * 150))

    assert kinds(result) == [("grow_varchar", "varchar(310)")]
    assert feed.types()["a"] == "character varying(310)"
    assert feed.rows("a", "id") == [("x",), ("é" * 150,)]


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
    make_feed: MakeFeed, first: str, second: str, type_text: str, stored: list[object] | None
) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a,z", f"1,{first},q"))

    result = feed.load("2.csv", csv_text("id,a,z", f"2,{second},q"))

    if stored is None:
        assert result.failure is not None
        assert result.failure.type == "SourceFileError"
        assert feed.rows("id", "id") == [(1,)]
    else:
        assert result.status == "SUCCESS", result.failure and result.failure.message
        assert feed.types()["a"] == type_text
        assert [row[0] for row in feed.rows("a", "id")] == stored


def test_smallint_grows_through_integer_to_bigint(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.sql(f"create table public.{feed.name} (id bigint not null, a smallint)")

    feed.load("1.csv", csv_text("id,a", "1,40000"))
    assert feed.types()["a"] == "integer"
    feed.load("2.csv", csv_text("id,a", "2,4000000000"))

    assert feed.types()["a"] == "bigint"
    assert feed.rows("a", "id") == [(40000,), (4000000000,)]


def test_a_rewritten_column_keeps_its_default_and_its_comment(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.sql(
        f"create table public.{feed.name} (id bigint not null, a integer default 7, b varchar(10))",
        f"comment on column public.{feed.name}.a is 'it''s the \\\\ amount'",
    )

    feed.load("1.csv", csv_text("id,a,b", "1,5000000000,x"))

    assert feed.sql(f"select column_default from svv_columns where table_name = '{feed.name}' and column_name = 'a'")[
        0
    ][0].startswith("7")
    comment = "select description from pg_description where objoid = (select oid from pg_class where relname = '{}')"
    assert feed.sql(comment.format(feed.name)) == [("it's the \\ amount",)]


def test_text_in_a_numeric_column_is_refused_with_column_row_and_sample(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a", "1,5"))

    result = feed.load("2.csv", csv_text("id,a", "2,6", "3,seven", "4,00501"))

    assert result.failure is not None
    assert (result.failure.type, result.failure.step) == ("SourceFileError", "prepare")
    for part in ("2 of 3 rows", " values of a are not integers, e.g. 'seven', first in row 2, line 3"):
        assert part in result.failure.message
    assert feed.rows("id, a", "id") == [(1, 5)]
    assert feed.types()["a"] == "integer"


@pytest.mark.parametrize(
    ("evolution", "second", "error"),
    [
        ({"new_columns": "reject"}, "id,a,b\n2,x,y\n", "SchemaChangeError"),
        ({"wider_values": "reject"}, "id,a\n2," + "x" * 300 + "\n", "SourceFileError"),
    ],
)
def test_a_policy_of_reject_refuses_the_file(
    make_feed: MakeFeed, evolution: dict[str, str], second: str, error: str
) -> None:
    feed = make_feed(policy(**evolution))
    feed.load("1.csv", csv_text("id,a", "1,x"))

    result = feed.load(f"{feed.name}_2.csv", second)

    assert result.failure is not None
    assert result.failure.type == error
    assert feed.rows("id, a", "id") == [(1, "x")]
    assert len(feed.keys("data/unprocessed/")) == 1


def test_an_ignored_new_column_stays_out(make_feed: MakeFeed) -> None:
    feed = make_feed(policy(new_columns="ignore"))
    feed.load("1.csv", csv_text("id,a", "1,x"))

    feed.load("2.csv", csv_text("id,a,b", "2,y,z"))

    assert list(feed.types()) == ["id", "a"]
    assert feed.rows("id, a", "id") == [(1, "x"), (2, "y")]


def test_columns_go_by_name_whatever_their_order(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,first,last", "1,Ann,Lee"))

    feed.load("2.csv", csv_text("last,id,first", "Ray,2,Bob"))

    assert feed.rows("first, last", "id") == [("Ann", "Lee"), ("Bob", "Ray")]


def test_a_renamed_column_loads_under_its_target_name(make_feed: MakeFeed) -> None:
    feed = make_feed(policy() + "columns: {rename: {pct: share, share_old: share}}\n")
    feed.load("1.csv", csv_text("id,pct", "1,a"))

    feed.load("2.csv", csv_text("id,Share Old", "1,b"))

    assert feed.rows("id, share", "id") == [(1, "b")]


def test_a_real_becomes_double_only_when_the_spec_says_so(make_feed: MakeFeed) -> None:
    feed = make_feed(policy())
    feed.sql(f"create table public.{feed.name} (id bigint not null, a real)")
    plain = feed.load("1.csv", csv_text("id,a", "1,0.5", "2,1e30"))
    feed.spec_body += "types: {columns: {a: double precision}}\n"

    declared = feed.load("2.csv", csv_text("id,a", "2,1e300"))

    assert plain.schema_changes == ()
    assert kinds(declared) == [("rewrite_column", "double precision")]
    assert feed.rows("a", "id") == [(0.5,), (1e300,)]


def test_a_declared_type_that_is_no_widening_is_refused(make_feed: MakeFeed) -> None:
    feed = make_feed(policy() + "types: {columns: {a: varchar(5)}}\n")
    feed.sql(f"create table public.{feed.name} (id bigint not null, a varchar(10))")

    result = feed.load("1.csv", csv_text("id,a", "1,x"))

    assert result.failure is not None
    assert "varchar(5), which does not widen varchar(10)" in result.failure.message
