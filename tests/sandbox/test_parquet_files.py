"""Files of Parquet from landing to the table: types and values are those that pyarrow has written."""

from __future__ import annotations

import gzip
import io
import json
import re
import struct
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.harness import FeedHarness, MakeFeed
from tests.sandbox.conftest import spec_with


def spec(options: str = "", load: str = "mode: append", source: str = "", more: str = "") -> str:
    return spec_with(more, load, f"{source} options: {{{options}}}")


def parquet(table: pa.Table, **options: Any) -> bytes:
    target = io.BytesIO()
    pyarrow.parquet.write_table(table, target, **options)
    return target.getvalue()


def column(values: list[Any], arrow: pa.DataType | None = None) -> pa.Array:
    return pa.array(values, arrow)


def loaded(feed: FeedHarness, content: bytes, name: str = "a.parquet") -> dict[str, str]:
    """Load a file without a fault; return the table's types."""
    result = feed.load(name, content)
    assert result.failure is None, result.failure.full_message
    return feed.types()


def rejected(feed: FeedHarness, content: bytes, name: str = "a.parquet") -> str:
    """Load a file that is set aside; return why."""
    result = feed.load(name, content)
    assert result.failure is not None
    assert result.failure.type == "SourceFileError", result.failure.full_message
    assert feed.keys("data/in/") == []
    return result.failure.message


NOON = datetime(2024, 1, 31, 12, 30, 0, 250_000, tzinfo=UTC)
TYPED = {
    "id": (column([1, None], pa.int64()), "bigint", [1, None]),
    "i32": (column([2**31 - 1, -(2**31)], pa.int32()), "integer", [2**31 - 1, -(2**31)]),
    "i16": (column([-5, None], pa.int16()), "smallint", [-5, None]),
    "i8": (column([-128, 127], pa.int8()), "smallint", [-128, 127]),
    "u8": (column([255, 0], pa.uint8()), "smallint", [255, 0]),
    "u16": (column([65535, 0], pa.uint16()), "integer", [65535, 0]),
    "u32": (column([2**32 - 1, 0], pa.uint32()), "bigint", [2**32 - 1, 0]),
    "u64": (column([2**64 - 1, 0], pa.uint64()), "numeric(20,0)", ["18446744073709551615", "0"]),
    "price": (column([Decimal("1.50"), None], pa.decimal128(10, 2)), "numeric(10,2)", ["1.50", None]),
    "long": (column([Decimal("-12345678901234567890.12"), None], pa.decimal128(38, 2)), "numeric(38,2)",
             ["-12345678901234567890.12", None]),
    "f32": (column([0.5, None], pa.float32()), "real", [0.5, None]),
    "f64": (column([0.1, -0.0], pa.float64()), "double precision", [0.1, 0.0]),
    "ok": (column([True, None]), "boolean", [True, None]),
    "text": (column(["00501", ""]), "character varying(256)", ["00501", ""]),
    "code": (column(["17", "18"]).dictionary_encode(), "character varying(256)", ["17", "18"]),
    "raw": (column([b"abc", None], pa.binary()), "character varying(256)", ["abc", None]),
    "day": (column([date(2024, 1, 31), None]), "date", ["2024-01-31", None]),
    "local": (column([NOON.replace(tzinfo=None), None], pa.timestamp("us")), "timestamp without time zone",
              ["2024-01-31 12:30:00.25", None]),
    "ms": (column([NOON.replace(tzinfo=None), None], pa.timestamp("ms")), "timestamp without time zone",
           ["2024-01-31 12:30:00.25", None]),
    "ns": (column([NOON.replace(tzinfo=None), None], pa.timestamp("ns")), "timestamp without time zone",
           ["2024-01-31 12:30:00.25", None]),
    "zoned": (column([NOON, None], pa.timestamp("us", tz="Europe/Berlin")), "timestamp with time zone",
              ["2024-01-31 12:30:00.25+00", None]),
    "clock": (column([time(12, 30, 0, 250_000), None]), "time without time zone", ["12:30:00.25", None]),
    "nothing": (pa.nulls(2), "character varying(256)", [None, None]),
}  # fmt: skip


def test_types_are_taken_from_the_file(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())

    types = loaded(feed, parquet(pa.table({name: values for name, (values, _, _) in TYPED.items()})))

    assert types == {name: column_type for name, (_, column_type, _) in TYPED.items()}
    rows = feed.rows(", ".join(f'"{name}"' for name in TYPED), "i32 desc")
    for place, (name, (_, _, expected)) in enumerate(TYPED.items()):
        assert [row[place] for row in rows] == expected, name


@pytest.mark.parametrize("options", [{"use_deprecated_int96_timestamps": True}, {"coerce_timestamps": "ms"}, {}])
def test_old_and_new_ways_to_write_timestamps(make_feed: MakeFeed, options: dict[str, Any]) -> None:
    feed = make_feed(spec())
    table = pa.table({"at": column([NOON.replace(tzinfo=None), None], pa.timestamp("us"))})

    assert loaded(feed, parquet(table, **options)) == {"at": "timestamp without time zone"}
    assert feed.rows("at", "at") == [("2024-01-31 12:30:00.25",), (None,)]


@pytest.mark.parametrize("precision", [5, 15, 30])
def test_decimals_are_exact_however_they_are_stored(make_feed: MakeFeed, precision: int) -> None:
    feed = make_feed(spec())
    values = [Decimal("123.45"), Decimal("-0.01")]
    table = pa.table({"n": column(values, pa.decimal128(precision, 2))})
    loaded(feed, parquet(table))

    assert loaded(feed, parquet(table, store_decimal_as_integer=True), "b.parquet") == {"n": f"numeric({precision},2)"}
    assert feed.rows("n", "n") == [("-0.01",), ("-0.01",), ("123.45",), ("123.45",)]


def test_nested_values_become_what_the_spec_says(make_feed: MakeFeed) -> None:
    person = pa.struct(
        [("name", pa.string()), ("score", pa.decimal128(20, 10)), ("at", pa.struct([("x", pa.int32())]))]
    )
    table = pa.table(
        {
            "id": column([1, 2]),
            "tags": column([["a", None], []], pa.list_(pa.string())),
            "who": column([{"name": "Ann", "score": Decimal("0.1234567890"), "at": {"x": 1}}, None], person),
        }
    )
    as_super, as_text, flat = (make_feed(spec(f"nested: {each}")) for each in ("super", "text", "flatten"))

    assert loaded(as_super, parquet(table)) == {"id": "bigint", "tags": "super", "who": "super"}
    assert loaded(as_text, parquet(table)) == {
        "id": "bigint",
        "tags": "character varying(256)",
        "who": "character varying(256)",
    }
    assert loaded(flat, parquet(table)) == {
        "id": "bigint",
        "tags": "super",
        "who_name": "character varying(256)",
        "who_score": "numeric(20,10)",
        "who_at_x": "integer",
    }
    (first, second) = as_super.rows("tags, who", "id")
    assert (json.loads(first[0]), json.loads(second[0]), second[1]) == (["a", None], [], None)
    assert json.loads(first[1], parse_float=Decimal) == {
        "name": "Ann",
        "score": Decimal("0.1234567890"),
        "at": {"x": 1},
    }
    assert flat.rows("who_name, who_score, who_at_x", "id") == [("Ann", "0.1234567890", 1), (None, None, None)]


def test_another_type_than_before_goes_through_the_lattice(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    loaded(feed, parquet(pa.table({"id": column([1], pa.int32()), "n": column([1], pa.int32())})))

    wider = pa.table({"id": column([2**40], pa.int64()), "n": column([Decimal("1.25")], pa.decimal128(12, 2))})
    types = loaded(feed, parquet(wider), "b.parquet")
    loaded(feed, parquet(pa.table({"id": column([3], pa.int8()), "n": column(["4.5"])})), "c.parquet")

    assert types["id"] == "bigint"
    assert types["n"].startswith("numeric")
    rows = [(number, Decimal(value)) for number, value in feed.rows("id, n", "id")]
    assert rows == [(1, 1), (3, Decimal("4.5")), (2**40, Decimal("1.25"))]


def test_values_that_no_column_holds_are_bad_rows(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(more="bad_rows: {action: quarantine, max_rows: 9}"))
    table = pa.table(
        {
            "id": column([1, 2, 3, 4]),
            "f": column([0.5, float("nan"), None, float("inf")]),
            "raw": column([b"a", None, b"\xff", b"\x00"], pa.binary()),
            "at": column([1000, None, None, 1], pa.timestamp("ns")),
        }
    )

    result = feed.load("a.parquet", parquet(table))

    assert result.failure is None, result.failure.full_message
    assert (result.counts.read, result.counts.inserted, result.counts.rejected) == (4, 1, 3)
    assert feed.rows('id, f, "raw", at', "id") == [(1, 0.5, "a", "1970-01-01 00:00:00.000001")]
    (key,) = feed.keys("data/quarantine/")
    bad = pyarrow.parquet.read_table(io.BytesIO(feed.s3.get_object(Bucket="lake", Key=key)["Body"].read())).to_pylist()
    assert [json.loads(row["record"])[2] for row in bad] == [None, "\\xff", "\x00"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\0b", r"'a\x00b' (a NUL character)"),
        (b"a\0b", r"'a\x00b' (a NUL character)"),
        (b"\xff\x00", r"'\\xff00' (no text in UTF-8)"),
    ],
)
def test_what_no_column_can_store_is_named_with_its_value(make_feed: MakeFeed, value: object, shown: str) -> None:
    message = rejected(make_feed(spec()), parquet(pa.table({"id": column([1, 2]), "v": column([value, value])})))

    assert f"2 of 2 values of v do not fit into varchar(256), e.g. {shown}, first in row 1" in message


def test_decimals_of_38_places_are_text_whatever_their_values(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    first, second = Decimal("0.5"), Decimal("0." + "1" * 38)

    types = loaded(feed, parquet(pa.table({"id": column([1]), "d": column([first], pa.decimal128(38, 38))})))
    loaded(feed, parquet(pa.table({"id": column([2]), "d": column([second], pa.decimal128(38, 38))})), "b.parquet")

    assert types["d"] == "character varying(256)"
    assert [Decimal(text) for (text,) in feed.rows("d", "id")] == [first, second]


@pytest.mark.parametrize("number", [float("nan"), float("-inf")])
def test_what_json_does_not_have_is_no_text_of_an_object(make_feed: MakeFeed, number: float) -> None:
    feed = make_feed(spec("nested: text", more="bad_rows: {action: quarantine, max_rows: 2}"))
    table = pa.table(
        {
            "id": column([1, 2, 3]),
            "l": column([[1.0, number], [1.5], None]),
            "o": column([{"t": "x", "n": 1.0}, {"t": "NaN, Infinity", "n": None}, {"t": "", "n": number}]),
        }
    )

    result = feed.load("a.parquet", parquet(table))

    assert result.failure is None, result.failure.full_message
    assert result.counts.rejected == 2
    assert feed.rows("id, l, o", "id") == [(2, "[1.5]", '{"t":"NaN, Infinity","n":null}')]
    message = rejected(make_feed(spec("nested: text")), parquet(table))
    assert "does not fit into varchar(256)" in message
    assert "(NaN or an infinity, which JSON does not have), in row 1" in message


def test_nan_is_a_text_where_the_table_has_one(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    loaded(feed, parquet(pa.table({"id": column([1]), "v": column(["x"])})))
    loaded(feed, parquet(pa.table({"id": column([2, 3]), "v": column([float("nan"), 0.5])})), "b.parquet")
    assert feed.rows("v", "id") == [("x",), ("nan",), ("0.5",)]


def test_floats_of_the_file_take_no_number_that_they_would_round(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(more="bad_rows: {action: quarantine, max_rows: 9}"))
    floats = {"d": column([0.1234567890123456], pa.float64()), "r": column([0.1], pa.float32())}
    types = loaded(feed, parquet(pa.table({"id": column([1]), **floats})))
    assert (types["d"], types["r"]) == ("double precision", "real")

    numbers = [Decimal("0.1234567890123456789"), Decimal("0.5"), Decimal("0.25")]
    late = {"d": column(numbers, pa.decimal128(38, 19)), "r": column([1, 16_777_217, 16_777_216], pa.int64())}
    result = feed.load("b.parquet", parquet(pa.table({"id": column([2, 3, 4]), **late})))

    assert result.failure is None, result.failure.full_message
    assert result.counts.rejected == 2
    whole = {"d": column([2**53 + 1, 2**53], pa.int64()), "r": column([0.25, 0.123456789], pa.float64())}
    result = feed.load("c.parquet", parquet(pa.table({"id": column([5, 6]), **whole})))
    assert result.counts.rejected == 2
    again = {"d": column([-8.625272885994111], pa.float64()), "r": column([0.3], pa.float32())}
    assert feed.load("d.parquet", parquet(pa.table({"id": column([7]), **again}))).counts.rejected == 0
    assert [row[0] for row in feed.rows("id", "id")] == [1, 4, 7]


def test_row_groups_are_read_by_themselves(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    table = pa.table({"id": column(list(range(20_000))), "text": column([f"t{number}" for number in range(20_000)])})

    loaded(feed, parquet(table, row_group_size=700, compression="zstd"))

    assert feed.rows("count(*), count(distinct id), min(id), max(id), count(distinct text)", "1") == [
        (20_000, 20_000, 0, 19_999, 20_000)
    ]


def test_an_empty_file_loads_nothing_into_a_table(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    table = pa.table({"id": column([1])})
    loaded(feed, parquet(table))

    result = feed.load("b.parquet", parquet(table.slice(0, 0)))

    assert (result.status, result.counts.read) == ("SUCCESS", 0)
    assert feed.rows("id", "id") == [(1,)]


def test_a_column_that_a_file_lacks_keeps_its_values(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(load="mode: upsert, keys: [id]"))
    loaded(feed, parquet(pa.table({"id": column([1, 2]), "a": column(["x", "y"])})))

    loaded(feed, parquet(pa.table({"id": column([2, 3])})), "b.parquet")

    assert feed.rows("id, a", "id") == [(1, "x"), (2, "y"), (3, "")]


WHOLE = parquet(pa.table({"id": column(list(range(50_000))), "text": column([str(n) for n in range(50_000)])}))


def with_footer(content: bytes, change: bytes) -> bytes:
    """Return a file whose footer is replaced, its length kept true."""
    length = struct.unpack("<I", content[-8:-4])[0]
    return content[: -length - 8] + change + struct.pack("<I", len(change)) + b"PAR1"


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (WHOLE[:-1], "the Parquet file has no footer: it may have been cut off"),
        (WHOLE[: len(WHOLE) // 2], "the Parquet file has no footer: it may have been cut off"),
        (WHOLE[:-8] + b"\xff\xff\xff\x7fPAR1", "the footer of the Parquet file is damaged"),
        (with_footer(WHOLE, b"\x15\x00garbage\xff\xff"), "the Parquet file cannot be read"),
        (WHOLE[:3000] + b"\xff" * 20_000 + WHOLE[23_000:], "the Parquet file cannot be read"),
        (b"PAR1" + bytes(100), "the Parquet file has no footer"),
        (b"PARE" + bytes(100), "a Parquet file with an encrypted footer"),
        (gzip.compress(WHOLE), "packed with gzip: send it without the packing"),
        (b"id,text\n1,x\n", "the file is text such as CSV, and the feed reads Parquet (source.format)"),
    ],
)
def test_what_no_feed_can_load_is_set_aside(make_feed: MakeFeed, content: bytes, reason: str) -> None:
    feed = make_feed(spec(source="format: parquet,"))

    assert reason in rejected(feed, content)
    assert feed.types() == {}


UNREADABLE = {
    "n": column([Decimal("1.50")], pa.decimal256(60, 2)),
    "ns": column([[Decimal("1.50")]], pa.list_(pa.decimal256(60, 2))),
    "s": column([{"x": 1, "X": 2}]),
    "ss": column([[{"x": 1, "X": 2}]]),
}


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("name", list(UNREADABLE))
def test_a_column_that_cannot_be_read_is_named_and_may_be_excluded(make_feed: MakeFeed, name: str) -> None:
    content = parquet(pa.table({"id": [1], name: UNREADABLE[name]}))
    feed = make_feed(spec(more=f"columns: {{exclude: [{name}]}}"))

    assert f"the column '{name}' has" in rejected(make_feed(spec()), content)
    assert loaded(feed, content) == {"id": "bigint"}


def test_a_file_that_unpacks_to_too_much_is_rejected(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(source="max_unpacked: 1MB,"))
    bomb = parquet(pa.table({"text": column(["x" * 100_000] * 100)}), compression="zstd", use_dictionary=False)
    assert len(bomb) < 100_000
    dictionary = parquet(pa.table({"text": column(["x" * 100_000] * 100)}), compression="zstd")
    assert len(dictionary) < 1_000

    assert "it unpacks to more than 1.0 MB, the limit of source.max_unpacked" in rejected(feed, bomb)
    assert "it unpacks to more than 1.0 MB" in rejected(feed, dictionary, "b.parquet")


def test_the_example_of_the_documentation_loads(make_feed: MakeFeed) -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    source = re.split(r"```(?:yaml)?\n", page.partition("## Parquet")[2])[1]
    body = source.replace("data/in/orders/", '"data/in/{name}/"')
    feed = make_feed(body + 'target: {table: "{name}"}\nload: {keys: [order_id]}\n')
    table = pa.table(
        {
            "order_id": column([7], pa.int64()),
            "amount": column([Decimal("12.50")], pa.decimal128(10, 2)),
            "ordered_at": column([NOON], pa.timestamp("us", tz="UTC")),
            "tags": column([["new"]], pa.list_(pa.string())),
        }
    )

    types = loaded(feed, parquet(table))

    assert list(types.values())[:4] == ["bigint", "numeric(10,2)", "timestamp with time zone", "super"]
    assert feed.rows("order_id, amount, ordered_at, tags", "1") == [
        (7, "12.50", "2024-01-31 12:30:00.25+00", '["new"]')
    ]
