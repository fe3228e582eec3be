"""Values are stored in the column of their header, whatever script it is written in."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from framework.load.preview import plan_pipeline
from framework.load.quarantine.replay import replay_quarantine
from framework.load.request import Pending
from framework.load.result import LoadResult
from tests.harness import MakeFeed, csv_text
from tests.sandbox.conftest import ENVIRONMENT
from tests.sandbox.test_quarantine_replay import corrected, quarantine_rows

APPEND = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {mode: append}
metadata_columns: {run_date: null, file_name: null}
"""


def test_columns_in_another_script_are_matched_by_their_names(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    feed.load("1.csv", csv_text("id,분류,중요도,😀,имя,город", "1,x,y,z,ann,Oslo"))
    result = feed.load("2.csv", csv_text("id,город,😀,중요도,имя,분류", "2,Bonn,z2,y2,bob,x2"))

    smile = f"column_{sha256('😀'.encode()).hexdigest()[:6]}"
    assert result.schema_changes == ()
    assert feed.rows(f'id, "분류", "중요도", {smile}, "имя", "город"', "id") == [
        (1, "x", "y", "z", "ann", "Oslo"),
        (2, "x2", "y2", "z2", "bob", "Bonn"),
    ]


def test_a_spec_may_name_such_columns_anywhere(make_feed: MakeFeed) -> None:
    feed = make_feed(
        APPEND.replace("{mode: append}", "{keys: [ключ], order_by: [日付 desc]}")
        + "columns: {rename: {код: ключ, 중요도: größe}, exclude: [лишнее]}\n"
        + "types: {columns: {größe: varchar(20)}}\n"
    )
    feed.load("1.csv", csv_text("Код,日付,중요도,Лишнее", "1,2026-01-01,1.5,x", "1,2026-01-02,2.5,y"))

    assert feed.rows('"ключ", "日付", "größe"', "1") == [(1, "2026-01-02", "2.5")]
    assert list(feed.types()) == ["ключ", "日付", "größe"]


def test_names_that_are_nearly_alike_stay_apart(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    header = ["й", "и", "が", "か", "कि", "की", "kız", "kiz", "名" * 42 + "a", "名" * 42 + "A", "名" * 60, "名" * 61]
    values = [str(number) for number in range(len(header))]
    feed.load("1.csv", csv_text(",".join(header), ",".join(values)))
    decomposed = [unicodedata.normalize("NFD", text) for text in header]
    feed.load("2.csv", csv_text(",".join(decomposed[::-1]), ",".join(values[::-1])))

    assert len(feed.types()) == len(header)
    assert feed.rows("*", "1") == [tuple(range(len(header)))] * 2


def test_a_column_named_as_a_system_column_gets_an_underscore(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    feed.load("1.csv", csv_text("oid,XMin,xmax,ctid", "1,5,6,7"))

    assert feed.rows("oid_, xmin_, xmax_, ctid_", "1") == [(1, 5, 6, 7)]
    (shown,) = [entry for entry in feed.entries() if entry["msg"] == "column names changed"]
    assert {"raw": "XMin", "name": "xmin_", "why": "xmin is a system column"} in shown["names"]


def hashed(text: str, name: str) -> str:
    """Return the name of the column of a header that another one of its file has the clean name of."""
    return f"{name}_{sha256(text.encode()).hexdigest()[:6]}"


OTHER = hashed("unApplied", "unapplied")


def shown(result: LoadResult) -> list[str | None]:
    return [warning.column for warning in result.warnings if warning.rule == "duplicate-name"]


@pytest.mark.parametrize("header", ["id,Unapplied,unApplied", "unApplied,id,Unapplied"])
def test_a_second_spelling_takes_no_known_column(make_feed: MakeFeed, header: str) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,Unapplied,note", "1,10,first", "2,20,first"))
    row = {"id": "1", "Unapplied": "11", "unApplied": "99"}
    second = csv_text(f"{header},note", ",".join(row[name] for name in header.split(",")) + ",second")
    feed.land("2.csv", second)
    (planned,) = plan_pipeline(feed.spec(), feed.services(), Pending())
    (result,) = feed.run()
    again = feed.load("3.csv", second + "\n")

    assert [change["column"] for change in planned.schema_changes] == [OTHER]
    assert [(each["rule"], each["column"]) for each in planned.warnings] == [("duplicate-name", OTHER)]
    assert (shown(result), shown(again)) == ([OTHER], [])
    assert feed.rows(f"id, unapplied, {OTHER}, note", "id") == [(1, 11, 99, "second"), (2, 20, None, "first")]


def test_one_spelling_uses_the_column_of_its_name_unless_it_has_one_of_its_own(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    feed.load("1.csv", csv_text("id,Unapplied", "1,10"))
    alone = feed.load("2.csv", csv_text("id,unApplied", "2,20"))
    feed.load("3.csv", csv_text("id,Unapplied,unApplied", "3,30,31"))
    feed.load("4.csv", csv_text("id,unApplied", "4,40"))

    assert alone.schema_changes == ()
    assert shown(alone) == []
    stored = feed.rows(f"id, nullif(unapplied, 0), nullif({OTHER}, 0)", "id")
    assert stored == [(1, 10, None), (2, 20, None), (3, 30, 31), (4, None, 40)]


def test_where_new_columns_are_ignored_the_second_spelling_is_too(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND + "evolution: {new_columns: ignore}\n")
    feed.load("1.csv", csv_text("id,Unapplied", "1,10"))
    result = feed.load("2.csv", csv_text("id,unApplied,Unapplied", "2,99,11"))

    assert shown(result) == [OTHER]
    assert list(feed.types()) == ["id", "unapplied"]
    assert feed.rows("id, unapplied", "id") == [(1, 10), (2, 11)]


def test_a_table_created_with_both_spellings_knows_them_in_any_order(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    first = feed.load("1.csv", csv_text("id,Total,total", "1,10,11"))
    second = feed.load("2.csv", csv_text("total,Total,id", "21,20,2"))

    other = hashed("Total", "total")
    assert (shown(first), shown(second)) == ([other], [])
    assert feed.rows(f"id, total, {other}", "id") == [(1, 11, 10), (2, 21, 20)]


def test_files_that_are_loaded_together_agree(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND.replace("{name}/}", "{name}/, batch: all}"))
    feed.land("1.csv", csv_text("id,Foo", "1,10"))
    feed.land("2.csv", csv_text("id,FOO,Foo", "2,21,20"))
    feed.land("3.csv", csv_text("id,FOO", "3,31"))
    results = feed.run()

    other = hashed("FOO", "foo")
    assert [shown(result) for result in results] == [[], [other], []]
    assert feed.rows(f"id, nullif(foo, 0), nullif({other}, 0)", "id") == [(1, 10, None), (2, 20, 21), (3, None, 31)]
    # What this load remembers holds for the next.
    feed.load("4.csv", csv_text("FOO,Foo,id", "41,40,4"))
    assert feed.rows(f"foo, {other}", "id")[-1] == (40, 41)


def test_files_that_one_run_loads_in_turn_agree_and_plan_shows_it(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    feed.sql(f"create table {feed.table} (id bigint, foo bigint)")
    feed.land("1.csv", csv_text("id,fOO", "1,10"))
    feed.land("2.csv", csv_text("id,foo,fOO", "2,21,20"))
    planned = plan_pipeline(feed.spec(), feed.services(), Pending())
    feed.run()

    other = hashed("foo", "foo")
    assert [[change["column"] for change in load.schema_changes] for load in planned] == [[], [other]]
    assert feed.rows(f"id, foo, {other}", "id") == [(1, 10, None), (2, 20, 21)]


def test_a_column_of_unknown_spelling_goes_to_the_header_that_is_its_name(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    feed.sql(f"create table {feed.table} (id bigint, foo bigint, bar bigint)")
    feed.load("1.csv", csv_text("id,Foo,foo,Bar,bar!", "1,11,10,20,21"))
    feed.load("2.csv", csv_text("id,foo,FOO,bar!,Bar", "2,10,12,21,20"))

    stored = feed.rows(f"foo, {hashed('Foo', 'foo')}, bar, {hashed('bar!', 'bar')}", "id")
    assert [row[:1] + row[2:] for row in stored] == [(10, 20, 21), (10, 20, 21)]


def test_feeds_with_one_target_share_what_is_known(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    other = make_feed(APPEND.replace('table: "{name}"', f'table: "{feed.name}"'))
    feed.load("1.csv", csv_text("id,Foo", "1,10"))
    other.load("1.csv", csv_text("id,FOO,Foo", "2,21,20"))
    feed.load("2.csv", csv_text("id,FOO", "3,30"))

    own = hashed("FOO", "foo")
    assert feed.rows(f"id, nullif(foo, 0), nullif({own}, 0)", "id") == [(1, 10, None), (2, 20, 21), (3, None, 30)]


def test_a_column_keeps_its_spelling_when_the_spec_or_the_owner_renames_it(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    feed.load("1.csv", csv_text("id,Foo", "1,10"))
    feed.sql(f"alter table {feed.table} rename column foo to bar")
    feed.spec_body += "columns: {rename: {foo: bar}}\n"
    feed.load("2.csv", csv_text("id,FOO,Foo", "2,21,20"))

    assert feed.rows(f"id, bar, {hashed('FOO', 'foo')}", "id") == [(1, 10, None), (2, 20, 21)]


def test_what_a_load_that_failed_has_created_is_remembered(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND.replace("{mode: append}", "{keys: [id], duplicates: reject}"))
    failed = feed.load("1.csv", csv_text("id,Foo", "1,10", "1,11"))
    feed.load("2.csv", csv_text("id,FOO,Foo", "2,21,20"))

    assert failed.status == "FAILED"
    assert feed.rows(f"id, foo, {hashed('FOO', 'foo')}", "id") == [(2, 20, 21)]


def test_a_table_that_was_created_anew_forgets_its_spellings(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    feed.load("1.csv", csv_text("id,Foo", "1,10"))
    feed.sql(f"drop table {feed.table}")
    feed.load("2.csv", csv_text("id,FOO", "2,20"))
    feed.load("3.csv", csv_text("id,Foo,FOO", "3,31,30"))

    assert feed.rows(f"id, foo, {hashed('Foo', 'foo')}", "id") == [(2, 20, None), (3, 30, 31)]


def test_a_control_schema_of_an_earlier_release_learns_from_the_next_load(make_feed: MakeFeed) -> None:
    environment = replace(ENVIRONMENT, warehouse=replace(ENVIRONMENT.warehouse, control_schema="feedway_no_spellings"))
    feed = make_feed(APPEND, environment=environment)
    first = csv_text("id,fOO,Bar", "1,10,x")
    feed.load("1.csv", first)
    feed.sql("drop table feedway_no_spellings.column_spellings")
    again = feed.load("1.csv", first)
    feed.load("2.csv", csv_text("id,fOO", "2,20"))
    feed.load("3.csv", csv_text("id,foo,fOO,Bar", "3,31,30,y"))

    # What was loaded is still known where one of the tables is missing.
    assert again.status == "SKIPPED"
    assert feed.rows(f"id, foo, {hashed('foo', 'foo')}", "id") == [(1, 10, None), (2, 20, None), (3, 30, 31)]


def test_a_load_without_drift_asks_and_remembers_nothing_more(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    feed.load("1.csv", csv_text("id,Foo", "1,10"))
    feed.load("2.csv", csv_text("id,Foo", "2,20"))

    remembered = f"select column_name, spelling from feedway.column_spellings where target_table_name = '{feed.table}'"
    assert sorted(feed.sql(remembered)) == [("foo", "Foo"), ("id", "id")]


def test_corrected_rows_go_where_their_header_says(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(APPEND + "bad_rows: {action: quarantine, max_rows: 5}\n")
    feed.load("1.csv", csv_text("id,Foo", "1,10"))
    # The text `foo` has a column of its own; in a quarantine file it is the column foo.
    feed.load("2.csv", csv_text("id,foo,Foo", "2,21,20", "x,31,30"))
    address = corrected(quarantine_rows(feed), {2: ["3", "31", "30"]}, tmp_path / "fixed.parquet")
    results = replay_quarantine(feed.spec(), feed.services(), address)

    assert [result.status for result in results] == ["SUCCESS"]
    assert feed.rows(f"id, foo, {hashed('foo', 'foo')}", "id") == [(1, 10, None), (2, 20, 21), (3, 30, 31)]
