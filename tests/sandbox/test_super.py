"""SUPER columns: JSON in a field of a file, from the first load to a copy of the table."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.harness import FeedHarness, MakeFeed, csv_text
from tests.sandbox.conftest import spec_with


def spec(more: str = "types: {columns: {payload: super}}", load: str = "keys: [id]") -> str:
    return spec_with(more, load)


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def loaded(feed: FeedHarness, file_name: str, content: str) -> Any:
    result = feed.load(file_name, content)
    assert result.status == "SUCCESS", result.failure and result.failure.message
    return result


def payloads(feed: FeedHarness) -> list[Any]:
    return [None if text is None else json.loads(text, parse_float=Decimal) for (text,) in feed.rows("payload", "id")]


def test_json_is_loaded_and_replaced_with_every_digit(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    texts = ['{"a": 1.50, "b": [0.12345678901234567890, null, "é, 🎉"]}', "null", " [ 1 ] "]

    loaded(feed, "1.csv", csv_text("id,payload", *(f"{n},{quoted(text)}" for n, text in enumerate(texts)), "3,"))
    loaded(feed, "2.csv", csv_text("id,payload", '1,"[true]"', "4,-7"))

    assert feed.types() == {"id": "bigint", "payload": "super"}
    first, _, third = [json.loads(text, parse_float=Decimal) for text in texts]
    assert payloads(feed) == [first, [True], third, None, -7]
    # The literal null is a value of JSON, and an empty field none.
    assert feed.rows("count(payload)", "1") == [(4,)]


def test_what_is_no_json_is_a_bad_row_and_says_why(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    result = feed.load("1.csv", csv_text("id,payload", f"1,{quoted('[1,]')}", f"2,{quoted('{}')}", "3,NaN"))

    assert result.failure is not None
    assert "2 of 3 values of payload are not JSON that a SUPER holds, e.g. '[1,]' (no JSON by RFC 8259)" in (
        result.failure.message
    )
    assert "types.columns.payload" in result.failure.message

    duplicate = '{"a": 1, "a": 2}'
    again = feed.load("2.csv", csv_text("id,payload", f"1,{quoted(duplicate)}"))
    assert again.failure is not None
    assert "(a key twice in one object)" in again.failure.message


@pytest.mark.parametrize(
    "far", ["1e131073", "-1E+400", "1e-20000", "0e-20000", "1." + "0" * 17_000 + "1", "7" * 132_000, "9" * 310]
)
def test_a_number_that_copy_would_refuse_is_a_bad_row(make_feed: MakeFeed, far: str) -> None:
    feed = make_feed(spec("bad_rows: {action: quarantine, max_rows: 3}\ntypes: {columns: {payload: super}}"))
    texts = [far, f"[{far}]", f'{{"a": {{"x": {far}}}}}', f'"{far[:60_000]}"', "1e308", "[2.5e-300]", "9" * 308]

    result = loaded(feed, "1.csv", csv_text("id,payload", *(f"{n},{quoted(text)}" for n, text in enumerate(texts))))

    # A text of digits is no number, and what a DOUBLE holds is loaded.
    assert result.counts.rejected == 3
    assert [row[0] for row in feed.rows("id", "id")] == [3, 4, 5, 6]


def test_bad_json_goes_to_quarantine(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("types: {columns: {payload: super}}\nbad_rows: {action: quarantine, max_rows: 1}"))

    result = loaded(feed, "1.csv", csv_text("id,payload", "1,{}", "2,{"))

    assert result.counts.rejected == 1
    assert feed.rows("id, payload", "id") == [(1, "{}")]


def test_a_rule_makes_new_columns_super_and_without_one_json_stays_text(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("types: {rules: [{name: '*_json', type: super}]}"))

    loaded(feed, "1.csv", csv_text("id,a_json,b", f"1,{quoted('[1]')},{quoted('[1]')}"))

    assert feed.types() == {"id": "bigint", "a_json": "super", "b": "character varying(256)"}


def test_a_missing_column_keeps_what_is_stored(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("types: {columns: {payload: super}}\nevolution: {type_conflicts: to_text}"))
    loaded(feed, "1.csv", csv_text("id,n,payload", '1,5,"[1.0]"', '2,6,"{}"'))

    loaded(feed, "2.csv", csv_text("id,n", "1,7", "3,8"))

    assert feed.rows("id, n, payload", "id") == [(1, 7, "[1.0]"), (2, 6, "{}"), (3, 8, None)]
    failed = feed.load("3.csv", csv_text("id,n,payload", "1,7,x"))
    assert failed.failure is not None
    assert "not JSON" in failed.failure.message


def test_duplicates_and_order_work_beside_a_super(make_feed: MakeFeed) -> None:
    ordered = make_feed(spec(load="keys: [id], order_by: [n desc]"))
    loaded(ordered, "1.csv", csv_text("id,n,payload", '1,2,"[2]"', '1,3,"[3]"', '1,1,"[1]"'))
    loaded(ordered, "2.csv", csv_text("id,n,payload", '1,2,"[20]"', '2,1,"[4]"'))

    assert ordered.rows("id, n, payload", "id") == [(1, 3, "[3]"), (2, 1, "[4]")]


def test_views_read_a_super(make_feed: MakeFeed) -> None:
    views = """
views:
  - name: "{name}_v"
    definition: select id, payload, json_serialize(payload) as text from {{ target }}
"""
    feed = make_feed(spec() + views)
    loaded(feed, "1.csv", csv_text("id,payload", '1,"[1, 2]"'))
    loaded(feed, "2.csv", csv_text("id,payload,n", '3000000000,"{}",5'))

    assert feed.sql(f"select id, text from public.{feed.name}_v order by id") == [(1, "[1,2]"), (3_000_000_000, "{}")]


def test_append_and_replace_load_json_too(make_feed: MakeFeed) -> None:
    for load, expected in (("mode: append", [("1",), ("[2]",)]), ("mode: replace", [("[2]",)])):
        feed = make_feed(spec(load=load))
        loaded(feed, "1.csv", csv_text("id,payload", "1,1"))
        loaded(feed, "2.csv", csv_text("id,payload", '2,"[2]"'))
        assert feed.rows("payload", "id") == expected


def test_a_table_is_copied_with_its_super_column(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.sql(f"create table {feed.table} (id integer not null, payload super, a varchar(9)) distkey (id)")
    loaded(feed, "1.csv", csv_text("id,payload,a", '1,"{""x"": 1.10}",y'))

    result = loaded(feed, "2.csv", csv_text("id,payload,a", '3000000000,"[]",z'))

    assert [change["column"] for change in result.schema_changes] == ["id"]
    assert feed.types() == {"id": "bigint", "payload": "super", "a": "character varying(9)"}
    assert feed.rows("id, payload", "id") == [(1, '{"x":1.10}'), (3_000_000_000, "[]")]


def test_a_super_column_of_the_table_needs_no_type_in_the_spec_and_is_no_key(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(""))
    feed.sql(f"create table {feed.table} (id bigint not null, payload super)")
    loaded(feed, "1.csv", csv_text("id,payload", '1,"[1]"'))
    assert feed.rows("payload", "id") == [("[1]",)]

    feed.spec_body = spec("", load="keys: [payload]")
    result = feed.load("2.csv", csv_text("id,payload", '1,"[1]"'))
    assert result.failure is not None
    assert "load.keys names 'payload', which is SUPER" in result.failure.message


def test_only_a_super_column_is_widened_to_super(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(""))
    loaded(feed, "1.csv", csv_text("id,payload", '1,"[1]"'))
    feed.spec_body = spec()

    result = feed.load("2.csv", csv_text("id,payload", '1,"[1]"'))

    assert result.failure is not None
    assert "types.columns.payload is super, which does not widen varchar(256)" in result.failure.message


def test_a_large_value_is_loaded(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(load="mode: append"))
    text = "[" + ",".join(['"' + "x" * 60_000 + '"'] * 260) + "]"
    assert 15_000_000 < len(text) < 16_384_000

    loaded(feed, "1.csv", csv_text("id,payload", f"1,{quoted(text)}"))

    assert feed.rows("octet_length(json_serialize(payload))", "1") == [(len(text),)]
