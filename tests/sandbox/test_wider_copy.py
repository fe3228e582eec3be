"""Columns that cannot be replaced one by one: the table is copied into a wider one of the same design."""

from __future__ import annotations

import pytest

from framework.errors import WarehouseError
from framework.log.run_log import RunLog
from framework.model.names import TableName
from framework.plan.steps import Statement, Transaction
from framework.warehouse.session import WarehouseSession
from tests.catalog import catalog
from tests.faults.scenarios import after_a_while
from tests.harness import FeedHarness, MakeFeed, csv_text


def create(feed: FeedHarness, columns: str, design: str = "") -> None:
    """Create the target by hand, with all that somebody may have given it."""
    feed.sql(
        f"create table {feed.table} ({columns}) {design}",
        f"create group g_{feed.name}",
        f"create user u_{feed.name} password 'Abcdefg1'",
        f"grant select on {feed.table} to group g_{feed.name}",
        f"grant select, insert on {feed.table} to u_{feed.name} with grant option",
        f"comment on table {feed.table} is 'the board''s table'",
        f"comment on column {feed.table}.id is 'the key; \"x\"'",
        "create schema if not exists reporting",
        f"create view reporting.low_{feed.name} as select a from {feed.table}",
        f"create view reporting.high_{feed.name} as select count(*) as n from reporting.low_{feed.name}",
        f"grant select on reporting.low_{feed.name} to group g_{feed.name}",
        f"create view reporting.late_{feed.name} as select id from {feed.table} with no schema binding",
    )


CASES = {
    "distribution key": ("id integer not null, a varchar(10), n integer", "distkey (n) sortkey (a)", "n"),
    "sort key": ("id integer not null, n integer, a varchar(10)", "diststyle all compound sortkey (a, n)", "n"),
    "not null": ("id integer, n integer not null encode zstd, a varchar(10) default 'x'", "diststyle even", "n"),
    "primary key": ("id integer not null, n integer, a varchar(10), primary key (n)", "", "n"),
    "upsert key": ("id integer not null, n integer, a varchar(10), unique (id)", "distkey (id)", "id"),
}


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize("case", CASES)
def test_a_column_that_cannot_be_replaced_grows_in_a_copy_of_the_table(make_feed: MakeFeed, case: str) -> None:
    columns, design, grown = CASES[case]
    feed = make_feed()
    create(feed, columns, design)
    feed.load("1.csv", csv_text("id,n,a", "1,7,x", "2,8,y"))
    before = catalog(feed)
    big = {"id": "2", "n": "8"} | {grown: "3000000000"}

    result = feed.load("2.csv", csv_text("a,n,id", f"z,{big['n']},{big['id']}"))

    assert result.status == "SUCCESS", result.failure
    (change,) = result.schema_changes
    assert (change["column"], change["to"]) == (grown, "bigint")
    assert str(change["cost"]).startswith("2 rows are rewritten, as the table is copied because it is")
    assert feed.types()[grown] == "bigint"
    assert catalog(feed) == before
    rows = [(1, 7, "x"), (2, 8, "y"), (3000000000, 8, "z")] if grown == "id" else [(1, 7, "x"), (2, 3000000000, "z")]
    assert feed.rows("id, n, a", "id") == rows
    assert feed.sql(f"select a from reporting.low_{feed.name} order by 1") == [(row[2],) for row in rows]
    assert feed.sql(f"select n from reporting.high_{feed.name}") == [(len(rows),)]
    assert feed.sql(f"select id from reporting.late_{feed.name} order by 1") == [(row[0],) for row in rows]
    log = "select change, column_name, type_after from feedway.schema_changes where change <> 'source_format' and"
    assert feed.sql(f"{log} pipeline = '{feed.name}'") == [("rewrite_column", grown, "bigint")]


def test_the_copy_takes_every_change_of_the_load_in_one_pass(make_feed: MakeFeed) -> None:
    feed = make_feed()
    create(feed, "id integer not null, n integer, d date, a varchar(10) not null", "distkey (id)")
    feed.load("1.csv", csv_text("id,n,d,a", "1,7,2026-01-01,x"))

    result = feed.load("2.csv", csv_text("id,n,d,a,extra", f"3000000000,1.5,2026-01-02 03:04:05,{'é' * 200},true"))

    assert result.status == "SUCCESS", result.failure
    assert {str(change["column"]): change["kind"] for change in result.schema_changes} == {
        "extra": "add_column",
        "id": "rewrite_column",
        "n": "rewrite_column",
        "d": "rewrite_column",
        "a": "rewrite_column",
    }
    assert list(feed.types()) == ["id", "n", "d", "a", "extra"]
    assert feed.rows("id, n, d, len(a), extra", "id") == [
        (1, "7.000000000000000000", "2026-01-01 00:00:00.0", 1, None),
        (3000000000, "1.500000000000000000", "2026-01-02 03:04:05.0", 200, True),
    ]


@pytest.mark.parametrize(
    ("columns", "more", "shown"),
    [
        ("id integer not null, r integer, foreign key (r) references public.{name}_other (id)", "", "a foreign key"),
        ("id integer not null, a varchar(9)", "grant select (a) on {table} to public", "privileges are granted on the"),
    ],
)
def test_what_a_copy_could_not_keep_is_refused_and_nothing_changes(
    make_feed: MakeFeed, columns: str, more: str, shown: str
) -> None:
    feed = make_feed("""
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {mode: append}
metadata_columns: {run_date: null, file_name: null}
""")
    feed.sql(f"create table public.{feed.name}_other (id integer primary key)")
    feed.sql(f"create table {feed.table} ({columns.format(name=feed.name)}) distkey (id)")
    if more:
        feed.sql(more.format(table=feed.table))

    result = feed.load("1.csv", csv_text("id", "3000000000"))

    assert result.failure is not None
    assert result.failure.type == "SchemaChangeError", result.failure
    assert shown in result.failure.message
    assert feed.types()["id"] == "integer"


def test_a_table_that_foreign_keys_point_at_stays_as_it_is(make_feed: MakeFeed) -> None:
    """The warehouse refuses to drop it, and the whole change is taken back."""
    feed = make_feed()
    feed.sql(
        f"create table {feed.table} (id integer primary key, a varchar(9))",
        f"create table public.{feed.name}_other (id integer references {feed.table} (id))",
    )

    result = feed.load("1.csv", csv_text("id,a", "3000000000,x"))

    assert result.failure is not None
    assert result.failure.type == "SchemaChangeError"
    assert "another table's foreign key: " in result.failure.message
    assert "other objects depend on it" in result.failure.message
    assert "cascade" not in result.failure.message.lower()
    assert feed.types()["id"] == "integer"


def test_a_table_of_somebody_else_is_given_back_to_its_owner(make_feed: MakeFeed) -> None:
    feed = make_feed()
    create(feed, "id integer not null, n integer, a varchar(10)", "distkey (id)")
    feed.sql(f"alter table {feed.table} owner to u_{feed.name}")
    before = catalog(feed)

    result = feed.load("1.csv", csv_text("id,n,a", "3000000000,1,x"))

    assert result.status == "SUCCESS", result.failure
    after = catalog(feed)
    for found in (before, after):
        # The owner's own privileges are its own to begin with.
        found["grants"] = [row for row in found["grants"] if row[0] != f"u_{feed.name}"]
    assert after == before
    assert after["design"][0][1] == f"u_{feed.name}"


@pytest.mark.parametrize("missing", ["a row", "a value"])
def test_a_copy_that_is_not_complete_stops_the_change(make_feed: MakeFeed, missing: str) -> None:
    feed = make_feed()
    copy = TableName("public", f"{feed.name}__feedway")
    feed.sql(
        f"create table {feed.table} (id integer, a integer)",
        f"create table {copy.sql} (id bigint, a bigint)",
        f"insert into {feed.table} values (1, 1), (2, 2)",
        f"insert into {copy.sql} values (1, 1)"
        if missing == "a row"
        else f"insert into {copy.sql} values (1, 1), (2, null)",
    )
    values = {"table": TableName("public", feed.name), "copy": copy, "columns": ["a"]}
    check = Transaction("check", (Statement("check_copied_rows", values),))
    warehouse = WarehouseSession(feed.warehouse, feed.name, RunLog("r", feed.name, None))

    with pytest.raises(WarehouseError, match="invalid input syntax"):
        warehouse.run(check)

    feed.sql(f"delete from {copy.sql}", f"insert into {copy.sql} select id, a from {feed.table}")
    warehouse.run(check)


def test_a_table_with_more_comments_than_a_transaction_takes_is_copied(make_feed: MakeFeed) -> None:
    feed = make_feed()
    columns = [f"c{number}" for number in range(60)]
    create(feed, ", ".join(["id integer not null, a varchar(9)", *(f"{name} integer" for name in columns)]))
    feed.sql(*(f"comment on column {feed.table}.{name} is 'it''s {name}'" for name in columns))
    feed.load("1.csv", csv_text("id,a", "1,x"))
    before = catalog(feed)

    result = feed.load("2.csv", csv_text("id,a", "3000000000,y"))

    assert result.status == "SUCCESS", result.failure
    assert catalog(feed) == before
    assert feed.rows("id", "id") == [(1,), (3000000000,)]


def test_a_copy_that_did_not_take_the_tables_place_goes(make_feed: MakeFeed) -> None:
    """One that failed beforehand, by the run itself; one of a crashed run, by the next."""
    feed = make_feed()
    columns = [f"c{number}" for number in range(60)]
    create(feed, ", ".join(["id integer not null, a varchar(9)", *(f"{name} integer" for name in columns)]))
    feed.sql(*(f"comment on column {feed.table}.{name} is '{name}'" for name in columns))
    feed.sql(f"create table public.{feed.name}_other (id integer references {feed.table} (id))")
    dead = "ab" * 16
    feed.sql(f"create table public.{feed.name}__feedway_{dead[:8]} (id integer)")
    feed.s3.put_object(Bucket="lake", Key=f"staging/{feed.name}/{'e' * 32}/{dead}/manifest.json", Body=b"")
    after_a_while(feed)

    result = feed.load("1.csv", csv_text("id,a", "3000000000,y"))

    assert result.failure is not None
    assert "another table's foreign key" in result.failure.message
    assert catalog(feed)["remains"] == []


def test_a_table_is_copied_as_often_as_it_has_to_be(make_feed: MakeFeed) -> None:
    feed = make_feed()
    create(feed, *CASES["upsert key"][:2])
    feed.load("1.csv", csv_text("id,n,a", "1,7,x"))
    before = catalog(feed)

    first = feed.load("2.csv", csv_text("id,n,a", "3000000000,8,y"))
    second = feed.load("3.csv", csv_text("id,n,a", "12345678901234567890,9,z"))

    assert [result.status for result in (first, second)] == ["SUCCESS", "SUCCESS"], (first.failure, second.failure)
    assert catalog(feed) == before
    assert feed.types()["id"] == "numeric(38,0)"
    assert feed.rows("id, n", "n") == [("1", 7), ("3000000000", 8), ("12345678901234567890", 9)]
