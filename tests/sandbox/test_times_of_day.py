"""TIME columns: times of day by themselves, plain and in a format of the spec."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import FeedHarness, MakeFeed, csv_text
from tests.sandbox.conftest import spec_with


def spec(more: str = "types: {columns: {opens: time}}", load: str = "keys: [id]") -> str:
    return spec_with(more, load)


def loaded(feed: FeedHarness, file_name: str, content: str) -> Any:
    result = feed.load(file_name, content)
    assert result.status == "SUCCESS", result.failure and result.failure.message
    return result


def test_a_declared_time_is_loaded_to_the_microsecond(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())

    loaded(feed, "1.csv", csv_text("id,opens", "1,07:05", "2,23:59:59.999999", "3,"))
    loaded(feed, "2.csv", csv_text("id,opens", "1,00:00:00.5000000", "4,12:30:00"))

    assert feed.types() == {"id": "bigint", "opens": "time without time zone"}
    assert feed.rows("opens", "id") == [("00:00:00.5",), ("23:59:59.999999",), (None,), ("12:30:00",)]


def test_what_is_no_time_of_day_is_a_bad_row(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())

    result = feed.load("1.csv", csv_text("id,opens", "1,24:00:00", "2,12:00"))

    assert result.failure is not None
    assert "1 of 2 values of opens is not a time of day: '24:00:00'" in result.failure.message


@pytest.mark.parametrize(
    ("texts", "pattern", "values"),
    [
        (("9:05 AM", "12:30 pm"), "h:mm a", ["09:05:00", "12:30:00"]),
        (("09:05", "23:59"), "HH:mm", ["09:05:00", "23:59:00"]),
        (("09:05:07", "23:59:00"), "HH:mm:ss", ["09:05:07", "23:59:00"]),
    ],
)
def test_a_new_column_of_times_in_a_format_is_a_time(
    make_feed: MakeFeed, texts: tuple[str, str], pattern: str, values: list[str]
) -> None:
    feed = make_feed(spec(f'types: {{parse: {{formats: ["dd.MM.yyyy", "{pattern}"]}}}}'))

    loaded(feed, "1.csv", csv_text("id,at,mixed,day", f"1,{texts[0]},x,31.01.2026", f"2,{texts[1]},{texts[1]},"))

    assert feed.types() == {
        "id": "bigint",
        "at": "time without time zone",
        "mixed": "character varying(256)",
        "day": "date",
    }
    assert feed.rows("at", "id") == [(value,) for value in values]


def test_without_a_format_times_stay_text_and_days_are_not_read_by_one_of_times(make_feed: MakeFeed) -> None:
    plain = make_feed(spec(""))
    loaded(plain, "1.csv", csv_text("id,at", "1,09:05"))
    assert plain.types()["at"] == "character varying(256)"

    feed = make_feed(spec('types: {parse: {formats: ["HH.mm"]}, columns: {iso: time}}'))
    result = feed.load("2.csv", csv_text("id,day,iso", "1,2026-01-31,09:05"))
    assert result.failure is not None
    assert "'09:05'" in result.failure.message
    loaded(feed, "3.csv", csv_text("id,day,iso", "1,2026-01-31,09.05"))
    assert feed.types() == {"id": "bigint", "day": "date", "iso": "time without time zone"}


def test_a_rule_may_name_times(make_feed: MakeFeed) -> None:
    feed = make_feed(spec('types: {parse: {formats: ["H:mm"]}, rules: [{inferred: time, type: "varchar(8)"}]}'))

    loaded(feed, "1.csv", csv_text("id,at", "1,9:05"))

    assert feed.types()["at"] == "character varying(8)"


def test_a_time_of_the_table_is_filled_kept_copied_and_becomes_text(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(""))
    feed.sql(f"create table {feed.table} (id integer not null, t time, z timestamptz, n integer) distkey (id)")
    loaded(feed, "1.csv", csv_text("id,t,z,n", "1,07:05,2026-01-01 00:00+02,1", "2,08:00:00.25,,2"))

    loaded(feed, "2.csv", csv_text("id,n", "1,3", "3000000000,4"))

    assert feed.types() == {
        "id": "bigint",
        "t": "time without time zone",
        "z": "timestamp with time zone",
        "n": "integer",
    }
    assert feed.rows("t, n", "id") == [("07:05:00", 3), ("08:00:00.25", 2), (None, 4)]
    feed.spec_body = spec("evolution: {columns: {t: {type_conflicts: to_text}}}")
    loaded(feed, "3.csv", csv_text("id,t,n", "2,noon,5"))
    assert feed.rows("t, n", "id") == [("07:05:00", 3), ("noon", 5), (None, 4)]


def test_a_time_may_be_a_key_and_order_rows(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("types: {columns: {slot: time, at: time}}", "keys: [slot], order_by: [at desc]"))

    loaded(feed, "1.csv", csv_text("slot,at,n", "09:00,10:00,1", "09:00:00,11:00,2", "10:00,09:00,3"))
    loaded(feed, "2.csv", csv_text("slot,at,n", "09:00,10:30,4", "10:00,09:30,5"))

    assert feed.rows("slot, n", "slot") == [("09:00:00", 2), ("10:00:00", 5)]
