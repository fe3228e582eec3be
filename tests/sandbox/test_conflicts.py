"""Values that no type of their column holds: refused, sent to quarantine, or reason for the column to become text."""

from __future__ import annotations

import io
from typing import Any

import pyarrow.parquet
import pytest

from framework.load.result import LoadResult
from tests.harness import FeedHarness, MakeFeed, csv_text


def spec(evolution: str, more: str = "") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/}}
target: {{table: "{{name}}"}}
load: {{keys: [id]}}
metadata_columns: {{run_date: null, file_name: null}}
evolution: {{{evolution}}}
{more}
"""


TO_TEXT = spec("type_conflicts: to_text")


def changes(result: LoadResult) -> list[tuple[Any, ...]]:
    assert result.status == "SUCCESS", result.failure
    return [tuple(change[field] for field in ("kind", "column", "from", "to")) for change in result.schema_changes]


def test_a_number_with_leading_zeros_is_refused_unless_the_spec_says_otherwise(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("{}").replace("{{}}", "{}"))
    feed.load("1.csv", csv_text("id,zip", "1,501"))

    result = feed.load("2.csv", csv_text("id,zip", "2,00123"))

    assert result.failure is not None
    assert "1 value of zip is not an integer: '00123' (leading zeros), in row 1, line 2" in result.failure.message
    assert feed.types()["zip"] == "integer"


def test_a_column_becomes_text_and_old_values_stand_in_it_as_they_are_written(make_feed: MakeFeed) -> None:
    feed = make_feed(TO_TEXT)
    feed.load("1.csv", csv_text("id,zip", "1,501", "2,", "3,-7"))

    result = feed.load("2.csv", csv_text("id,zip", "4,00123", "5,88"))

    assert changes(result) == [("rewrite_column", "zip", "integer", "varchar(256)")]
    assert result.schema_changes[0]["reason"] == "1 value that is no integer, such as '00123'"
    assert feed.rows("id, zip", "id") == [(1, "501"), (2, None), (3, "-7"), (4, "00123"), (5, "88")]
    assert changes(feed.load("3.csv", csv_text("id,zip", "6,7", "7,x"))) == []
    assert feed.rows("zip", "id")[-2:] == [("7",), ("x",)]


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(
    ("declared", "value", "text"),
    [
        ("smallint", "-7", "-7"),
        ("bigint", "9223372036854775807", "9223372036854775807"),
        ("decimal(38,18)", "-1.5", "-1.500000000000000000"),
        ("double precision", "0.1", "0.1"),
        ("boolean", "true", "true"),
        ("date", "2026-02-28", "2026-02-28"),
        ("timestamp", "2026-02-28 10:00:00", "2026-02-28 10:00:00"),
    ],
)
@pytest.mark.parametrize("is_not_null", [False, True])
def test_a_column_of_any_type_becomes_text(
    make_feed: MakeFeed, declared: str, value: str, text: str, is_not_null: bool
) -> None:
    feed = make_feed(TO_TEXT)
    feed.sql(f"create table {feed.table} (id bigint not null, a {declared} {'not null' * is_not_null})")
    feed.load("1.csv", csv_text("id,a", f"1,{value}"))
    feed.sql(
        "create schema if not exists reporting", f"create view reporting.v_{feed.name} as select a from {feed.table}"
    )

    result = feed.load("2.csv", csv_text("id,a", "2,none of them"))

    assert [change[:2] + change[3:] for change in changes(result)] == [("rewrite_column", "a", "varchar(256)")]
    assert feed.rows("id, a", "id") == [(1, text), (2, "none of them")]
    assert feed.sql(f"select a from reporting.v_{feed.name} order by 1 desc") == sorted(
        [(text,), ("none of them",)], reverse=True
    )


def test_long_texts_make_the_column_as_long_and_other_columns_grow_beside_it(make_feed: MakeFeed) -> None:
    feed = make_feed(TO_TEXT)
    feed.load("1.csv", csv_text("id,a,b,c", "1,1,1,x"))

    result = feed.load("2.csv", csv_text("id,a,b,c", f"2,{'é' * 200},3000000000,{'y' * 300}", "3,5000000000,2,z"))

    assert changes(result) == [
        ("rewrite_column", "a", "integer", "varchar(410)"),
        ("rewrite_column", "b", "integer", "bigint"),
        ("grow_varchar", "c", "varchar(256)", "varchar(310)"),
    ]
    assert feed.rows("a, b", "id") == [("1", 1), ("é" * 200, 3000000000), ("5000000000", 2)]


def test_a_number_that_only_needs_a_wider_type_makes_no_text(make_feed: MakeFeed) -> None:
    feed = make_feed(TO_TEXT)
    feed.load("1.csv", csv_text("id,a", "1,1"))

    assert changes(feed.load("2.csv", csv_text("id,a", "2,3000000000"))) == [
        ("rewrite_column", "a", "integer", "bigint")
    ]
    assert changes(feed.load("3.csv", csv_text("id,a", f"3,{'9' * 45}"))) == [
        ("rewrite_column", "a", "bigint", "varchar(256)")
    ]
    assert feed.rows("a", "id") == [("1",), ("3000000000",), ("9" * 45,)]


def test_a_view_that_cannot_live_with_the_text_takes_the_change_back(make_feed: MakeFeed) -> None:
    feed = make_feed(TO_TEXT)
    feed.load("1.csv", csv_text("id,a", "1,1"))
    feed.sql(
        "create schema if not exists reporting",
        f"create view reporting.v_{feed.name} as select a + 1 as next from {feed.table}",
    )

    result = feed.load("2.csv", csv_text("id,a", "2,x"))

    assert result.failure is not None
    assert f"the view reporting.v_{feed.name} cannot be created" in result.failure.message
    assert feed.types()["a"] == "integer"
    assert feed.sql(f"select next from reporting.v_{feed.name}") == [(2,)]


def quarantined(feed: FeedHarness) -> list[tuple[Any, ...]]:
    found = []
    for key in feed.keys(f"data/quarantine/{feed.name}/"):
        body = feed.s3.get_object(Bucket="lake", Key=key)["Body"].read()
        found += pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()
    return [(row["row"], row["column"], row["record"]) for row in found]


def test_conflicts_go_to_quarantine_while_other_bad_rows_refuse_the_file(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("columns: {a: {type_conflicts: quarantine}}", "bad_rows: {max_rows: 2}"))
    feed.load("1.csv", csv_text("id,a,b", "1,1,1"))

    kept = feed.load("2.csv", csv_text("id,a,b", "2,x,2", "3,3,3", "4,,4"))
    other_column = feed.load("3.csv", csv_text("id,a,b", "5,x,5", "6,6,y"))
    wrong_count = feed.load("4.csv", csv_text("id,a,b", "7,x,7", "8,8"))
    null_key = feed.load("5.csv", csv_text("id,a,b", "9,x,9", ",10,10"))
    too_many = feed.load("6.csv", csv_text("id,a,b", "11,x,1", "12,y,1", "13,z,1"))

    assert (kept.status, kept.counts.rejected, kept.counts.inserted) == ("SUCCESS", 1, 2)
    assert quarantined(feed) == [(1, "a", '["2","x","2"]')]
    for refused in (other_column, wrong_count, null_key):
        assert refused.failure is not None
        assert "2 of 2 rows cannot be loaded" in refused.failure.message
        assert "budget" not in refused.failure.message.partition("\n")[0]
    assert too_many.failure is not None
    assert "and the budget is 2 (bad_rows.max_rows)" in too_many.failure.message
    assert feed.rows("id", "id") == [(1,), (3,), (4,)]


def test_policies_of_single_columns_go_before_the_tables(make_feed: MakeFeed) -> None:
    feed = make_feed(
        spec(
            "new_columns: reject, missing_columns: reject, "
            "columns: {n: {new_columns: add}, skipped: {new_columns: ignore}, a: {missing_columns: {new_rows: null}}, "
            "b: {wider_values: reject, missing_columns: null}}"
        )
    )
    feed.load("1.csv", csv_text("id,a,b", "1,1,1"))

    added = feed.load("2.csv", csv_text("id,n,skipped", "1,7,7", "2,8,8"))
    narrow = feed.load("3.csv", csv_text("id,a,b,n", "3,3000000000,3000000000,3"))
    unknown = feed.load("4.csv", csv_text("id,n,other", "4,4,4"))
    lacking = feed.load("5.csv", csv_text("id,a,b", "5,5,5"))

    assert changes(added) == [("add_column", "n", None, "integer")]
    assert feed.rows("id, a, b, n", "id") == [(1, 1, None, 7), (2, None, None, 8)]
    assert narrow.failure is not None
    assert "1 value of b does not fit into integer: '3000000000' (out of range)" in narrow.failure.message
    assert unknown.failure is not None
    assert "a new column 'other', for which evolution.new_columns is reject" in unknown.failure.message
    assert lacking.failure is not None
    assert "'n' of " in lacking.failure.message


def test_a_late_binding_view_that_the_change_breaks_is_reported_after_the_load(make_feed: MakeFeed) -> None:
    feed = make_feed(TO_TEXT)
    feed.load("1.csv", csv_text("id,a", "1,1"))
    names = ("sound", "broken", "other", "bound", "above", "gone")
    sound, broken, other, bound, above, gone = (f"reporting.{name}_{feed.name}" for name in names)
    feed.sql(
        "create schema if not exists reporting",
        f"create view {sound} as select a from {feed.table} with no schema binding",
        f"create view {broken} as select a + 1 as next from {feed.table} with no schema binding",
        f"create view {other} as select '{feed.table}' as t from reporting.nowhere with no schema binding",
        f"create view {bound} as select a from {feed.table}",
        f"create view {above} as select a * 2 as twice from {bound} with no schema binding",
        f"create view {gone} as select x.a from {feed.table} as x, reporting.nowhere with no schema binding",
    )

    result = feed.load("2.csv", csv_text("id,a", "2,x"))
    after = feed.load("3.csv", csv_text("id,a", "3,y"))

    assert result.status == "SUCCESS"
    assert result.failure is not None
    assert (result.failure.type, result.failure.step) == ("SchemaChangeError", "settle")
    assert "late-binding views cannot be read any more" in result.failure.message
    assert [name in result.failure.message for name in (broken, above)] == [True, True]
    assert [name in result.failure.message for name in (sound, other, gone)] == [False, False, False]
    assert feed.rows("a", "id") == [("1",), ("x",), ("y",)]
    assert after.failure is None
    assert feed.keys("data/in/") == []


def test_a_key_becomes_text_only_where_it_is_written_in_one_way(make_feed: MakeFeed) -> None:
    """A stored 1.50 would not be found by a file's 1.5 any more."""
    feed = make_feed(TO_TEXT)
    feed.sql(f"create table {feed.table} (id decimal(10,2) not null, a integer)")
    feed.load("1.csv", csv_text("id,a", "1.50,1"))

    refused = feed.load("2.csv", csv_text("id,a", "1.5,2", "A7,3"))

    assert refused.failure is not None
    assert refused.failure.type == "SourceFileError"
    assert feed.types()["id"] == "numeric(10,2)"


def test_an_integer_key_becomes_text_and_its_rows_are_found(make_feed: MakeFeed) -> None:
    feed = make_feed(TO_TEXT)
    feed.load("1.csv", csv_text("id,a", "1,1", "2,2"))

    result = feed.load("2.csv", csv_text("id,a", "2,20", "A7,3"))

    assert (result.status, result.counts.updated, result.counts.inserted) == ("SUCCESS", 1, 1), result.failure
    assert feed.rows("id, a", "id") == [("1", 1), ("2", 20), ("A7", 3)]


def test_a_boolean_with_a_default_becomes_text_with_its_word(make_feed: MakeFeed) -> None:
    feed = make_feed(TO_TEXT)
    feed.sql(f"create table {feed.table} (id bigint not null, a boolean default true)")
    feed.load("1.csv", csv_text("id,a", "1,false"))

    result = feed.load("2.csv", csv_text("id,a", "2,maybe"))

    assert result.status == "SUCCESS", result.failure
    assert feed.rows("a", "id") == [("false",), ("maybe",)]
    (default,) = feed.sql(
        f"select column_default from svv_columns where table_name = '{feed.name}' and column_name = 'a'"
    )
    assert str(default[0]).startswith("'true'")
