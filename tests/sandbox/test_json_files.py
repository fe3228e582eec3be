"""Files of JSON: lines, documents and values one after the other, from landing to the table."""

from __future__ import annotations

import gzip
import io
import json
import re
import time
import zipfile
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from framework.load import first_look
from framework.load.preview import plan_pipeline
from framework.load.quarantine.replay import replay_quarantine
from framework.load.request import Pending
from tests.harness import FeedHarness, MakeFeed
from tests.sandbox.conftest import spec_with


def spec(options: str = "", load: str = "mode: append", source: str = "", more: str = "") -> str:
    return spec_with(more, load, f"{source} options: {{{options}}}")


def lines(*records: object) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=False).encode("utf-8") + b"\n" for record in records)


def loaded(feed: FeedHarness, content: bytes, name: str = "a.json") -> dict[str, str]:
    """Load a file without a fault; return the table's types."""
    result = feed.load(name, content)
    assert result.failure is None, result.failure.full_message
    assert result.status == "SUCCESS"
    return feed.types()


def rejected(feed: FeedHarness, content: bytes) -> str:
    """Load a file that is set aside; return why."""
    result = feed.load("a.json", content)
    assert result.failure is not None
    assert result.failure.type == "SourceFileError", result.failure.full_message
    assert feed.keys("data/in/") == []
    return result.failure.message


def test_values_are_what_the_file_calls_them(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())

    types = loaded(
        feed,
        b'{"id": 9007199254740993, "zip": "00501", "code": "17", "price": 1.50, "big": 0.1234567890123456789, '
        b'"ok": true, "day": "2024-01-31", "note": "a\\"b\\\\c\\n\\u00e9", "o": {"b": [1, 2.5, null], "a": "x"}}\n'
        b'{"id": 2, "zip": null, "price": 20, "ok": false, "note": "", "late": 1e3}\n',
    )

    assert types == {
        "id": "bigint",
        "zip": "character varying(256)",
        "code": "character varying(256)",
        "price": "numeric(38,18)",
        "big": "numeric(19,19)",
        "ok": "boolean",
        "day": "character varying(256)",
        "note": "character varying(256)",
        "o": "super",
        "late": "integer",
    }
    (first, second) = feed.rows("id, zip, code, price, big, ok, day, note, o, late", "id desc")
    assert first[:2] == (9007199254740993, "00501")
    assert (first[2], Decimal(first[3]), first[5], first[6]) == ("17", Decimal("1.5"), True, "2024-01-31")
    assert Decimal(first[4]) == Decimal("0.1234567890123456789")
    assert first[7] == 'a"b\\c\né'
    assert json.loads(first[8]) == {"b": [1, 2.5, None], "a": "x"}
    assert second[1:8] == (None, None, "20.000000000000000000", None, False, None, "")
    assert second[9] == 1000


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(
    ("options", "content"),
    [
        ("", b'[{"id": 1, "a": "x"}, {"id": 2,\n "a": "y\\n"}]'),
        ("", b'{"id": 1, "a": "x"}{"id": 2, "a": "y\\n"}'),
        ("", b'{\n  "id": 1,\n  "a": "x"\n}\n{\n  "id": 2,\n  "a": "y\\n"\n}\n'),
        ("", b'\xef\xbb\xbf{"id": 1, "a": "x"}\r\n\r\n{"id": 2, "a": "y\\n"}'),
        (
            "records: data.items",
            b'{"v": [{}], "data": {"n": 2, "items": [{"id":1,"a":"x"},{"id":2,"a":"y\\n"}]}}',
        ),
        ("records: rows", b'{"rows":[{"id":1,"a":"x"},{"id":2,"a":"y\\n"}]}'),
        ("encoding: utf-16", '{"id": 1, "a": "x"}\n{"id": 2, "a": "y\\n"}\n'.encode("utf-16")),
        ("", gzip.compress(b'{"id": 1, "a": "x"}\n{"id": 2, "a": "y\\n"}\n', mtime=0)),
    ],
)
def test_records_are_found_wherever_they_stand(make_feed: MakeFeed, options: str, content: bytes) -> None:
    feed = make_feed(spec(options, source="format: json,"))

    assert loaded(feed, content) == {"id": "integer", "a": "character varying(256)"}
    assert feed.rows("id, a", "id") == [(1, "x"), (2, "y\n")]


def test_a_key_that_no_record_has_is_missing_and_null_is_a_value(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(load="mode: upsert, keys: [id]"))
    loaded(feed, lines({"id": 1, "a": "x", "b": "y"}, {"id": 2, "a": "x", "b": "y"}))

    loaded(feed, lines({"id": 1, "a": None}, {"id": 2}), "b.json")

    # No record has b: what is stored stays. One has a: it is NULL in all that have none.
    assert feed.rows("id, a, b", "id") == [(1, None, "y"), (2, None, "y")]


def test_keys_that_differ_in_case_are_columns_of_their_own(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())

    types = loaded(feed, lines({"Id": 1, "id": 2}))

    # The name that needs no cleaning is the key's that has it; the other one has a digest of its text.
    (other,) = set(types) - {"id"}
    assert other.startswith("id_")
    assert feed.rows(f"id, {other}", "1") == [(2, 1)]


def test_nested_values_become_what_the_spec_says(make_feed: MakeFeed) -> None:
    content = (
        b'{"id": 1, "o": {"a": 1, "b": {"c": "x"}, "l": [1, 2]}}\n{"id": 2, "o": null}\n{"id": 3, "o": {"a": 1.25}}\n'
    )
    as_text, flat = make_feed(spec("nested: text")), make_feed(spec("nested: flatten"))

    assert loaded(as_text, content) == {"id": "integer", "o": "character varying(256)"}
    assert as_text.rows("o", "id")[0] == ('{"a":1,"b":{"c":"x"},"l":[1,2]}',)
    types = loaded(flat, content)
    assert types == {"id": "integer", "o_a": "numeric(38,18)", "o_b_c": "character varying(256)", "o_l": "super"}
    assert flat.rows("id, o_a, o_b_c, o_l", "id") == [
        (1, "1.000000000000000000", "x", "[1,2]"),
        (2, None, None, None),
        (3, "1.250000000000000000", None, None),
    ]


@pytest.mark.parametrize("nested", ["super", "flatten"])
@pytest.mark.parametrize("far", ["1e131073", "1e-20000", "2e400"])
def test_a_number_that_no_super_holds_is_a_bad_row(make_feed: MakeFeed, far: str, nested: str) -> None:
    feed = make_feed(spec(f"nested: {nested}", more="bad_rows: {action: quarantine, max_fraction: 0.5}"))

    result = feed.load("a.json", f'{{"v": [{{"x": {far}}}]}}\n{{"v": [{{"x": 1}}]}}\n'.encode())

    assert result.failure is None, result.failure.full_message
    assert result.counts.rejected == 1
    assert feed.rows("v", "1") == [('[{"x":1}]',)]


@pytest.mark.parametrize("more", ["", "types: {columns: {v: integer}}", "types: {columns: {v: super}}"])
def test_a_nul_is_named_with_its_value(make_feed: MakeFeed, more: str) -> None:
    message = rejected(make_feed(spec(more=more)), b'{"id": 1, "v": "a\\u0000b"}\n{"id": 2, "v": null}\n')

    assert "1 of 1 value of v " in message
    assert "a NUL character" in message
    assert r"'a\x00b'" in message or "super" in more


def test_a_number_and_a_string_in_one_column_are_text(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())

    assert loaded(feed, lines({"a": 1.5}, {"a": "1.50"}, {"a": True}))["a"] == "character varying(256)"
    assert feed.rows("a", "a") == [("1.5",), ("1.50",), ("true",)]


def test_strings_are_read_as_the_table_and_the_spec_say(make_feed: MakeFeed) -> None:
    at, price = '{type: timestamp, formats: ["dd.MM.yyyy HH:mm"]}', '{type: "decimal(10,2)", decimal: ","}'
    more = f"types: {{columns: {{day: date, at: {at}, price: {price}, n: integer}}}}"
    feed = make_feed(spec(more=more))

    loaded(
        feed, lines({"day": "2024-01-31", "at": "31.01.2024 12:30", "price": "1,50", "n": "7"}, {"price": 2.25, "n": 8})
    )

    assert feed.rows("day, at, price, n", "n") == [
        ("2024-01-31", "2024-01-31 12:30:00.0", "1.50", 7),
        (None, None, "2.25", 8),
    ]


def test_bad_records_are_named_and_counted(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())

    message = rejected(feed, b'{"id": 1, "a": 1}\n{"id": 2, "a": 1, "a": 2}\n\n[1]\n{"id": 3,}\n{"id": 4}\n')

    assert "3 of 5 records cannot be read, first in row 2, line 2" in message
    assert 'the record has the key "a" twice in one object' in message


def test_bad_records_within_the_budget_go_to_quarantine(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(more="bad_rows: {action: quarantine, max_rows: 2}"))

    result = feed.load("a.json", b'{"id": 1}\nnonsense\n{"id": 3}\n"x"\n')

    assert (result.counts.read, result.counts.inserted, result.counts.rejected) == (4, 2, 2)
    assert feed.rows("id", "id") == [(1,), (3,)]


MANY_KEYS = json.dumps({f"k{number}": number for number in range(100_000)}).encode()
DEEP = "[" * 2000 + "]" * 2000


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(
    ("options", "content", "reason"),
    [
        ("", b'{"id": 1}\n{"id": 2, "a": "cut', "record 2: the file ends in the middle of its last record"),
        ("", b'[{"id": 1}, {"id": 2', "the file ends in the middle of its JSON"),
        ("", b'[{"id": 1}, {"id": "x', "the file ends within a text of its JSON"),
        ("", b'[{"id": 1}] {"id": 2}', "more text follows the end of the JSON document"),
        ("", b'[{"id": 1} {"id": 2}]', "the file is no JSON: expecting ',' at character 12"),
        ("", b"id,name\n1,x\n", "the file is text such as CSV, and the feed reads JSON: it begins with 'i'"),
        ("", b"PAR1" + bytes(50), "the file is a Parquet file, and the feed reads JSON (source.format)"),
        ("records: data.items", b'{"data": {"x": 1}}', "the document has no data.items"),
        (
            "records: data.items",
            b'{"data": {"items": {"a": 1}}}',
            "source.options.records: data.items leads to no array",
        ),
        ("records: data", b'[{"data": 1}]', "there is no object that could have data"),
        ("", b"[]", "it has no record, and there is no table"),
        ("", b"{}\n{}\n", "no record is an object with a key"),
        ("", b"   \n", "the file is empty"),
        ("", b'{"id": 1}\n{"\xff": 2}\n', "byte 13 (0xff) is not valid utf-8"),
        (
            "",
            MANY_KEYS,
            "more than 10,000 different keys",
        ),
        ("", b'{"id": 1, "a": ' + DEEP.encode() + b"}\n", "1 of 1 value"),
        ("", b'[{"id": 1, "a": ' + DEEP.encode() + b"}]", "nested more than about 1,000 levels deep"),
    ],
)
def test_what_no_feed_can_load_is_set_aside(make_feed: MakeFeed, options: str, content: bytes, reason: str) -> None:
    feed = make_feed(spec(options, source="format: json,"))
    begin = time.monotonic()

    assert reason in rejected(feed, content)
    assert time.monotonic() - begin < 60
    assert feed.types() == {}


@pytest.mark.parametrize("nested", ["super", "text", "flatten"])
@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (rb'{"a":1,"\u0061":2}', 'the record has the key "a" twice in one object'),
        (rb'{"a\u0000":1}', "the record holds a NUL character in a key"),
        (b'{"id",v}', "the record is no JSON: Expecting ':' delimiter at character 6"),
        (b"{'id': 2}", "the record is no JSON: Expecting property name enclosed in double quotes at character 2"),
        (b'{"id": "\xed\xa0\x80"}'.replace(b"\xed\xa0\x80", b"\\ud800"), "half of a surrogate pair"),
    ],
)
def test_a_lone_bad_record_says_why(make_feed: MakeFeed, record: bytes, reason: str, nested: str) -> None:
    message = rejected(make_feed(spec(f"nested: {nested}", source="format: json,")), record + b"\n")

    assert f"no record can be read, row 1 because {reason}" in message.replace("the record holds half", "half")


@pytest.mark.parametrize("nested", ["text", "flatten"])
def test_a_lone_record_with_a_key_twice_below_says_why(make_feed: MakeFeed, nested: str) -> None:
    message = rejected(make_feed(spec(f"nested: {nested}")), b'{"b":{"x":1,"x":2}}\n{}\n')

    assert 'no record can be read, row 1 because the record has the key "x" twice in one object' in message


def test_a_first_record_may_be_larger_than_any_header(make_feed: MakeFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_look, "MOST_HEAD_BYTES", 256 * 1024)
    monkeypatch.setattr(first_look, "MAX_RECORD_BYTES", 4 * 1024**2)
    feed = make_feed(spec())
    texts = {f"k{number}": "x" * 60_000 for number in range(20)}
    loaded(feed, lines({"id": 1, **texts}, {"id": 2}))
    assert feed.rows("id, length(k19)", "id") == [(1, 60_000), (2, None)]

    assert "its first record has more than 4.0 MB" in rejected(feed, lines({"id": 1, "a": ["x" * 60_000] * 80}))


@pytest.mark.parametrize(("options", "encoding"), [("encoding: utf-16-le", "utf-16-le"), ("", "utf-32")])
def test_json_in_a_wide_encoding_is_recognized(make_feed: MakeFeed, options: str, encoding: str) -> None:
    feed = make_feed(spec(options))
    loaded(feed, '{"id": 1, "a": "é"}\n{"id": 2, "a": "x"}\n'.encode(encoding))
    assert feed.rows("id, a", "id") == [(1, "é"), (2, "x")]


def test_a_number_with_an_exponent_widens_a_column_of_integers(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    assert loaded(feed, b'{"id": 1, "v": 7, "w": 1e25, "code": "1e5"}\n')["w"] == "numeric(38,0)"

    types = loaded(feed, b'{"id": 2, "v": 1e30, "w": 1e5, "code": "1e30"}\n', "b.json")

    assert (types["v"], types["code"]) == ("numeric(38,0)", "character varying(256)")
    assert feed.rows("v, w, code", "id") == [("7", str(10**25), "1e5"), (str(10**30), "100000", "1e30")]


def test_nan_within_an_array_is_no_json_text(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("nested: text", more="bad_rows: {action: quarantine, max_rows: 2}"))

    result = feed.load(
        "a.json", b'{"id": 1, "v": [1, NaN]}\n{"id": 2, "v": ["NaN"]}\n{"id": 3, "v": [-Infinity, 0.1e1]}\n'
    )

    assert result.counts.rejected == 2
    assert feed.rows("id, v", "id") == [(2, '["NaN"]')]


def test_the_first_load_decides_the_format(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    loaded(feed, lines({"id": 1}))

    message = rejected(feed, b"id\n2\n")

    assert "the file is text such as CSV, and the feed reads JSON: it begins with 'i'" in message
    loaded(feed, lines({"id": 3}), "c.json")
    assert feed.rows("id", "id") == [(1,), (3,)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[1,2]", "the record is no object of JSON"),
        (b'[1, "a",\n null]\n', "the record is no object of JSON"),
        (b"[1,2]\n[3,4]\n", "more text follows the end of the JSON document"),
    ],
)
def test_an_array_of_values_that_are_no_objects_is_rejected(make_feed: MakeFeed, content: bytes, reason: str) -> None:
    assert reason in rejected(make_feed(spec()), content)


def test_an_empty_array_loads_nothing_into_a_table(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    loaded(feed, lines({"id": 1, "a": "x"}))

    result = feed.load("b.json", b"[]")

    assert (result.status, result.counts.read) == ("SUCCESS", 0)
    assert feed.rows("id, a", "id") == [(1, "x")]


def test_plan_shows_what_a_load_would_do(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.land("a.json", lines({"id": 1, "o": {"a": 1}}))

    (load,) = plan_pipeline(feed.spec(), feed.services(), Pending())

    assert load.rows == 1
    assert '"o" super' in str(load.transactions).replace("\\", "")
    assert load.notes == (
        "s3://lake/data/in/" + feed.name + "/a.json is read with format 'json', records 'one per line'",
    )


def test_the_example_of_the_documentation_loads(make_feed: MakeFeed) -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    _, content, _, source, *_ = re.split(r"```(?:yaml)?\n", page.partition("## JSON")[2])
    body = source.replace("data/in/orders/", '"data/in/{name}/"')
    feed = make_feed(body + 'target: {table: "{name}"}\nload: {keys: [order_id]}\n')

    loaded(feed, content.encode("utf-8"))

    columns = "order_id, customer_name, customer_zip, cast(amount as decimal(5,2)), coupon"
    assert feed.rows(columns, "order_id") == [
        (9007199254740993, "Ann", "00501", "12.50", None),
        (9007199254740994, "Zoë", None, "7.00", None),
    ]


def test_members_of_an_archive_may_lack_keys(make_feed: MakeFeed) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("1.json", lines({"id": 1, "a": "x"}))
        archive.writestr("2.json", lines({"b": "y", "id": 2}))
    feed = make_feed(spec())

    loaded(feed, packed.getvalue(), "a.zip")

    assert feed.rows("id, a, b", "id") == [(1, "x", None), (2, None, "y")]


def test_texts_in_super_columns_survive_a_correction(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec(load="keys: [id]", more="bad_rows: {action: quarantine, max_rows: 9}"))
    loaded(feed, lines({"id": 1, "n": 1, "o": {"a": 1}}))
    result = feed.load("b.json", lines({"id": 2, "n": "x", "o": "12"}, {"id": 3, "n": "y", "o": [None, "null"]}))
    assert result.quarantine is not None
    (key,) = feed.keys("data/quarantine/")
    path = tmp_path / "corrected.parquet"
    path.write_bytes(feed.s3.get_object(Bucket="lake", Key=key)["Body"].read())
    table = pyarrow.parquet.read_table(path)
    rows = table.to_pylist()
    for row in rows:
        row["record"] = json.dumps(["7" if field in ("x", "y") else field for field in json.loads(row["record"])])
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), path)

    (replayed,) = replay_quarantine(feed.spec(), feed.services(), str(path))

    assert replayed.failure is None, replayed.failure
    found = [(number, n, json.loads(text)) for number, n, text in feed.rows("id, n, o", "id")]
    assert found == [(1, 1, {"a": 1}), (2, 7, "12"), (3, 7, [None, "null"])]
