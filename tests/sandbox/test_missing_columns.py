"""A file lacks a column of the table: what new and stored rows get, what is rejected, what the owner is shown."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from framework.load.request import Unprocessed
from framework.load.result import LoadResult
from tests.harness import MakeFeed, csv_text

FULL = csv_text("id,a,b,c,d", "1,x,5,true,2026-01-01", "2,y,6,false,2026-01-02")


def spec(evolution: str = "", load: str = "keys: [id]") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/}}
target: {{table: "{{name}}"}}
load: {{{load}}}
metadata_columns: {{run_date: null, file_name: null}}
evolution: {{{evolution}}}
"""


def warned(result: Any, rule: str) -> list[str | None]:
    return [warning.column for warning in result.warnings if warning.rule == rule]


STORED, UNTOUCHED = ("x", 5, True, "2026-01-01"), (2, "y", 6, False, "2026-01-02")
EMPTY, NULL = ("", 0, False, None), (None, None, None, None)


@pytest.mark.parametrize(
    ("evolution", "stored", "new"),
    [
        ("", STORED, EMPTY),
        ("missing_columns: {stored_rows: keep}", STORED, EMPTY),
        ("missing_columns: {new_rows: null}", STORED, NULL),
        ("missing_columns: {stored_rows: overwrite}", EMPTY, EMPTY),
        ("missing_columns: null", NULL, NULL),
        ('missing_columns: {new_rows: "null", stored_rows: overwrite}', NULL, NULL),
    ],
)
def test_new_and_stored_rows_get_what_the_policy_says(
    make_feed: MakeFeed, evolution: str, stored: tuple[Any, ...], new: tuple[Any, ...]
) -> None:
    feed = make_feed(spec(evolution))
    feed.load("1.csv", FULL)

    result = feed.load("2.csv", csv_text("id", "1", "3"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert feed.rows("id, a, b, c, d", "id") == [(1, *stored), UNTOUCHED, (3, *new)]
    assert warned(result, "missing-column") == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("load", "evolution", "kept", "new"),
    [
        ("keys: [id]", "", "x", ""),
        ("keys: [id]", "missing_columns: reject", "x", None),
        ("keys: [id]", "missing_columns: {stored_rows: overwrite}", "", ""),
        ("mode: append", "", "x", ""),
        ("mode: append", "missing_columns: null", "x", None),
    ],
)
def test_a_column_that_the_spec_excludes_never_takes_what_a_file_holds(
    make_feed: MakeFeed, load: str, evolution: str, kept: str, new: str | None
) -> None:
    feed = make_feed(spec(evolution, load))
    feed.load("1.csv", csv_text("id,a", "1,x"))
    feed.spec_body += "columns: {exclude: [a]}\n"

    result = feed.load("2.csv", csv_text("id,a", "3,secret" if "append" in load else "1,secret", "2,secret"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert result.warnings == ()
    first = [(1, kept)] if "append" not in load else [(1, "x")]
    assert feed.rows("id, a", "id") == [*first, (2, new), *([(3, new)] if "append" in load else [])]


def test_a_replacement_empties_an_excluded_column_only_where_the_spec_says_so(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("missing_columns: {new_rows: default}", "mode: replace"))
    feed.load("1.csv", csv_text("id,a", "1,x"))
    feed.spec_body += "columns: {exclude: [a]}\n"

    result = feed.load("2.csv", csv_text("id,a", "1,secret"))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert feed.rows("id, a", "id") == [(1, "")]


def test_a_policy_of_the_column_itself_needs_no_warning(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("columns: {a: {missing_columns: {new_rows: default}}, b: {wider_values: reject}}"))
    feed.load("1.csv", FULL)

    result = feed.load("2.csv", csv_text("id,c,d", "1,true,2026-01-01"))

    assert feed.rows("a, b", "id")[0] == ("x", 5)
    assert warned(result, "missing-column") == ["b"]
    query = f"select warnings from feedway.job_sts where run_id = '{result.run_id}' and status = 'SUCCESS'"
    ((recorded,),) = feed.sql(query)
    assert [warning["column"] for warning in json.loads(recorded)] == ["b"]


def advice(result: LoadResult) -> str:
    """Return what a rejected file's message says to write below evolution."""
    assert result.failure is not None
    found = re.search(r"evolution: \{(.+)\}\.$", result.failure.message)
    assert found is not None
    return str(found[1])


def test_reject_rejects_every_file_that_lacks_a_column(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("missing_columns: reject"))
    feed.load("1.csv", FULL)

    result = feed.load("2.csv", csv_text("id,c,b", "1,false,7"))

    assert result.failure is not None
    assert (result.failure.type, result.failure.step) == ("SourceFileError", "prepare")
    assert "'a', 'd' of public." in result.failure.message
    assert feed.rows("a", "id") == [("x",), ("y",)]
    feed.spec_body = spec(f"missing_columns: reject, {advice(result)}")
    assert [replayed.status for replayed in feed.run(Unprocessed())] == ["SUCCESS"]


def test_a_file_without_new_rows_may_lack_what_new_rows_need(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("columns: {b: {missing_columns: {new_rows: reject}}}"))
    feed.load("1.csv", FULL)

    known = feed.load("2.csv", csv_text("id,a,c,d", "1,z,true,2026-01-01"))
    new = feed.load(f"{feed.name}_3.csv", csv_text("id,a,c,d", "1,zz,true,2026-01-01", "3,z,true,2026-01-01"))

    assert known.status == "SUCCESS", known.failure
    assert new.failure is not None
    assert new.failure.type == "SourceFileError"
    assert "lacks 'b'" in new.failure.message
    assert feed.rows("id, a, b", "id") == [(1, "z", 5), (2, "y", 6)]
    assert len(feed.keys("data/unprocessed/")) == 1


@pytest.mark.parametrize("load", ["mode: append", "mode: replace"])
def test_where_all_rows_are_new_the_policy_of_new_rows_rejects_the_file(make_feed: MakeFeed, load: str) -> None:
    feed = make_feed(spec("missing_columns: {new_rows: reject}", load))
    feed.load("1.csv", FULL)

    result = feed.load("2.csv", csv_text("id,a,b,c", "1,y,7,false", "2,y,7,false"))

    assert result.failure is not None
    assert (result.failure.type, result.failure.step) == ("SourceFileError", "prepare")
    assert feed.rows("count(*)", "1") == [(2,)]


def test_a_column_that_may_not_be_null_is_named_when_new_rows_lack_it(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("missing_columns: {new_rows: null}"))
    feed.sql(f"create table {feed.table} (id bigint not null, a integer not null, b integer)")
    feed.load("1.csv", csv_text("id,a,b", "1,5,7"))

    known = feed.load("2.csv", csv_text("id,b", "1,8"))
    new = feed.load(f"{feed.name}_3.csv", csv_text("id,b", "1,9", "2,9"))

    assert known.status == "SUCCESS", known.failure
    assert feed.rows("id, a, b", "id") == [(1, 5, 8)]
    assert new.failure is not None
    assert new.failure.type == "SourceFileError"
    assert "lacks 'a', NOT NULL" in new.failure.message
    assert len(feed.keys("data/unprocessed/")) == 1


def test_an_append_that_would_make_a_column_null_that_may_not_be_is_rejected_before_it_is_read(
    make_feed: MakeFeed,
) -> None:
    feed = make_feed(spec("missing_columns: {new_rows: null}", "mode: append"))
    feed.sql(f"create table {feed.table} (id bigint not null, a integer not null)")

    result = feed.load("1.csv", csv_text("id", "1"))

    assert result.failure is not None
    assert (result.failure.type, result.failure.step) == ("SourceFileError", "prepare")
    feed.spec_body = spec(advice(result), "mode: append")
    assert [replayed.status for replayed in feed.run(Unprocessed())] == ["SUCCESS"]
    assert feed.rows("id, a", "id") == [(1, 0)]


def test_a_file_without_a_day_that_may_not_be_null_is_only_to_be_skipped(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("", "mode: append"))
    feed.sql(f"create table {feed.table} (id bigint not null, d date not null)")

    result = feed.load("1.csv", csv_text("id", "1"))

    assert result.failure is not None
    assert "--instead-of data/unprocessed/" in str(result.failure.next_step)


def test_a_batch_keeps_the_values_of_the_columns_that_each_file_lacks(make_feed: MakeFeed) -> None:
    feed = make_feed(spec().replace("/}", "/, batch: all}", 1))
    feed.land("1.csv", csv_text("id,a,b", "1,x,5", "2,y,6"))
    feed.run()
    feed.land("2.csv", csv_text("id,a", "1,xx", "3,z"))
    feed.land("3.csv", csv_text("id,b", "2,66", "4,9"))

    results = feed.run()

    assert [result.status for result in results] == ["SUCCESS", "SUCCESS"]
    assert feed.rows("id, a, b", "id") == [(1, "xx", 5), (2, "y", 66), (3, "z", 0), (4, "", 9)]
    assert [warned(result, "missing-column") for result in results] == [["b"], ["a"]]


def test_a_replacement_may_not_empty_a_column_unless_the_spec_says_so(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(load="mode: replace"))
    feed.load("1.csv", csv_text("id,a,b", "1,x,", "2,y,"))

    empty_column = feed.load("2.csv", csv_text("id,a", "1,x", "2,z"))
    rejected = feed.load("3.csv", csv_text("id,b", "1,7", "2,8"))
    feed.spec_body = spec("columns: {a: {missing_columns: {new_rows: default}}}", "mode: replace")
    accepted = feed.load("4.csv", csv_text("id,b", "1,7", "2,8"))

    assert empty_column.status == "SUCCESS", empty_column.failure
    assert rejected.failure is not None
    assert rejected.failure.type == "SourceFileError"
    assert "lacks 'a', in which" in rejected.failure.message
    assert "evolution: {missing_columns: {new_rows: default}}" in rejected.failure.message
    assert accepted.status == "SUCCESS", accepted.failure
    assert feed.rows("id, a, b", "id") == [(1, "", "7"), (2, "", "8")]


def test_a_probable_rename_prints_the_lines_that_settle_it(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(load="keys: [id], order_by: [updated_at desc]"))
    feed.load("1.csv", csv_text("id,balance,updated_at", "1,10.50,2024-05-01", "2,20.00,2024-05-01"))

    result = feed.load("2.csv", csv_text("id,saldo,updated_at", "1,11.50,2024-05-02", "2,21.00,2024-05-02"))

    assert [value for (value,) in feed.sql(f"select cast(balance as float) from {feed.table} order by id")] == [
        10.5,
        20,
    ]
    (message,) = [warning.message for warning in result.warnings if warning.rule == "probable-rename"]
    assert "columns: {rename: {saldo: balance}}" in message


def test_a_column_with_a_policy_of_its_own_is_no_probable_rename(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("columns: {balance: {missing_columns: {new_rows: default}}}"))
    feed.load("1.csv", csv_text("id,balance", "1,10"))

    result = feed.load("2.csv", csv_text("id,rating", "1,7"))

    assert result.warnings == ()


def test_a_rename_to_a_word_of_yaml_is_quoted(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", csv_text("id,balance", "1,10"))

    result = feed.load("2.csv", csv_text("id,null", "1,11"))

    (message,) = [warning.message for warning in result.warnings if warning.rule == "probable-rename"]
    assert message.endswith("columns: {rename: {'null': balance}}")


def test_the_rename_that_a_warning_prints_loads_the_file_into_the_old_column(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", csv_text("id,balance", "1,10", "2,20"))
    feed.spec_body += "columns: {rename: {saldo: balance}}\n"

    result = feed.load("2.csv", csv_text("id,saldo", "1,11", "3,30"))

    assert result.warnings == ()
    assert feed.rows("id, balance", "id") == [(1, 11), (2, 20), (3, 30)]


def test_a_column_that_the_spec_renames_is_no_probable_rename(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", csv_text("id,name", "1,Ann"))
    feed.spec_body += "columns: {rename: {name: full_name}}\n"

    result = feed.load("2.csv", csv_text("id,name", "2,Bob"))

    assert warned(result, "probable-rename") == []
    assert feed.rows("id, name, full_name", "id") == [(1, "Ann", None), (2, "", "Bob")]


def test_columns_that_do_not_go_together_are_no_rename(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", csv_text("id,balance", "1,10.5"))

    result = feed.load("2.csv", csv_text("id,opened", "1,2024-05-01"))

    assert warned(result, "probable-rename") == []
    assert warned(result, "missing-column") == ["balance"]
