"""Columns of the table whose type Feedway cannot load: they are left alone, and never emptied unasked."""

from __future__ import annotations

from typing import Any

from tests.harness import FeedHarness, MakeFeed, csv_text
from tests.sandbox.conftest import spec_with

HELLO, OTHER = "68656c6c6f", "ff00"


def create(feed: FeedHarness, blob: str = "varbyte(200)", key: str = "integer not null") -> None:
    feed.sql(
        f"create table {feed.table} (id {key}, n integer, blob {blob}, place geometry, at timetz)",
        f"insert into {feed.table} values (1, 1, to_varbyte('{HELLO}', 'hex'), null, '10:00+02'), "
        f"(2, 2, to_varbyte('{OTHER}', 'hex'), null, null)",
    )


def loaded(feed: FeedHarness, file_name: str, content: str) -> Any:
    result = feed.load(file_name, content)
    assert result.status == "SUCCESS", result.failure and result.failure.message
    return result


def warned(result: Any) -> list[tuple[str | None, str]]:
    return [(each.column, each.message) for each in result.warnings if each.rule == "unloadable-column"]


def message(feed: FeedHarness, file_name: str, content: str) -> str:
    result = feed.load(file_name, content)
    assert result.failure is not None, result
    return str(result.failure.message)


def test_an_upsert_keeps_what_is_stored_and_new_rows_get_null(make_feed: MakeFeed) -> None:
    feed = make_feed(spec_with())
    create(feed)

    result = loaded(feed, "1.csv", csv_text("id,n", "1,10", "3,30"))

    assert feed.rows("id, n, blob, place, at", "id") == [
        (1, 10, HELLO, None, "10:00:00+02"),
        (2, 2, OTHER, None, None),
        (3, 30, None, None, None),
    ]
    keeps = "which Feedway cannot load: stored rows keep their values, new rows get NULL"
    assert [(name, keeps in text) for name, text in warned(result)] == [("blob", True), ("place", True), ("at", True)]
    assert "'blob' is binary varying(200), which" in warned(result)[0][1]
    assert not [each for each in result.warnings if each.rule == "missing-column"]


def test_a_file_with_the_column_is_refused_and_loads_when_it_is_excluded(make_feed: MakeFeed) -> None:
    feed = make_feed(spec_with())
    create(feed)
    content = csv_text("id,n,blob", "1,10,x")

    assert "List it under columns.exclude" in message(feed, "1.csv", content)

    feed.spec_body = spec_with("columns: {exclude: [blob, place, at]}")
    assert warned(loaded(feed, "2.csv", content)) == []
    assert feed.rows("n, blob", "id") == [(10, HELLO), (2, OTHER)]


def test_append_takes_the_default_of_the_table(make_feed: MakeFeed) -> None:
    feed = make_feed(spec_with(load="mode: append"))
    create(feed)

    result = loaded(feed, "1.csv", csv_text("id,n", "3,30"))

    assert feed.rows("id, n, blob", "id")[-1] == (3, 30, None)
    assert "new rows get the table's default there" in warned(result)[0][1]


def test_a_replacement_loses_no_values_of_such_a_column(make_feed: MakeFeed) -> None:
    feed = make_feed(spec_with("evolution: {missing_columns: null}", load="mode: replace"))
    create(feed)

    refused = message(feed, "1.csv", csv_text("id,n", "7,70"))

    assert "'blob' is binary varying(200), which Feedway cannot load, and holds values" in refused
    assert "'at' is time with time zone" in refused
    assert "'place'" not in refused
    assert "load.mode replace would lose them" in refused
    assert len(feed.rows("id", "id")) == 2

    feed.sql(f"update {feed.table} set blob = null, at = null")
    assert "all rows get NULL" in warned(loaded(feed, "2.csv", csv_text("id,n", "7,70")))[0][1]
    assert feed.rows("id, n, blob, place, at", "id") == [(7, 70, None, None, None)]


def test_a_not_null_column_is_refused_unless_files_only_replace_rows(make_feed: MakeFeed) -> None:
    feed = make_feed(spec_with())
    create(feed, blob="varbyte(200) not null")

    assert "and NOT NULL, so that new rows could not be inserted" in message(feed, "1.csv", csv_text("id,n", "1,10"))

    feed.spec_body = spec_with("evolution: {columns: {blob: {missing_columns: {new_rows: reject}}}}")
    loaded(feed, "2.csv", csv_text("id,n", "1,10"))
    assert feed.rows("n, blob", "id") == [(10, HELLO), (2, OTHER)]
    assert "which new rows need" in message(feed, "3.csv", csv_text("id,n", "3,30"))


def test_a_copy_of_the_table_keeps_the_exact_type(make_feed: MakeFeed) -> None:
    feed = make_feed(spec_with())
    feed.sql(
        f"create table {feed.table} "
        "(id integer not null, blob varbyte(200), place geometry, region geography, sketch hllsketch, at timetz) "
        "distkey (id)",
        f"insert into {feed.table} select 1, to_varbyte('{HELLO}', 'hex'), null, null, null, '10:00+02'",
    )
    before = feed.types()

    result = loaded(feed, "1.csv", csv_text("id", "1", "3000000000"))

    assert [(change["column"], change["to"]) for change in result.schema_changes] == [("id", "bigint")]
    assert feed.types() == before | {"id": "bigint"}
    assert feed.types()["blob"] == "binary varying(200)"
    assert feed.rows("id, blob, at", "id") == [(1, HELLO, "10:00:00+02"), (3_000_000_000, None, None)]


def test_plan_names_the_column(feed: FeedHarness) -> None:
    create(feed)
    feed.land("1.csv", csv_text("id,n", "1,10"))

    code, planned = feed.json("plan", feed.name)

    assert code == 0
    found = [warning for each in planned["loads"] for warning in each["warnings"]]
    assert [w["column"] for w in found if w["rule"] == "unloadable-column"] == ["blob", "place", "at"]
