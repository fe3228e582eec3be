"""Values of columns whose type is known: what is exact is taken, and nothing is rounded unasked."""

from __future__ import annotations

import itertools

from tests.harness import FeedHarness, MakeFeed, csv_text

_NUMBERS = itertools.count(100)


def spec(more: str = "") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/}}
target: {{table: "{{name}}"}}
load: {{keys: [id]}}
metadata_columns: {{run_date: null, file_name: null}}
{more}
"""


def loaded(feed: FeedHarness, *contents: str) -> None:
    for content in contents:
        result = feed.load(f"{next(_NUMBERS)}.csv", content)
        assert result.status == "SUCCESS", result


def test_a_fraction_of_zeros_finds_the_row_of_its_integer(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())

    loaded(feed, csv_text("id,qty", "1,5", "2,7"), csv_text("id,qty", "3,5.0", "4,"), csv_text("id,qty", "3.00,-0"))

    assert feed.rows("id, qty", "id") == [(1, 5), (2, 7), (3, 0), (4, None)]
    assert feed.types() == {"id": "bigint", "qty": "integer"}


def test_a_zero_fraction_out_of_range_widens_to_an_integer_and_another_fraction_to_a_decimal(
    make_feed: MakeFeed,
) -> None:
    feed = make_feed(spec())
    loaded(feed, csv_text("id,a,b", "1,5,5"), csv_text("id,a,b", "2,3000000000.0,5.5"))

    assert feed.types() == {"id": "bigint", "a": "bigint", "b": "numeric(38,18)"}
    assert feed.rows("a, b", "id") == [(5, "5." + "0" * 18), (3_000_000_000, "5.5" + "0" * 17)]


def test_new_columns_keep_the_point_and_a_key_of_whole_numbers_does_not(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())

    loaded(feed, csv_text("id,price,zero", "1.0,10.00,-0", "2.0,20.00,7"), csv_text("id,price,zero", "2,30,8"))

    assert feed.types() == {"id": "bigint", "price": "numeric(38,18)", "zero": "integer"}
    assert feed.rows("id, price, zero", "id") == [(1, "10." + "0" * 18, 0), (2, "30." + "0" * 18, 8)]


def test_an_inferred_double_takes_no_number_that_it_would_round(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("bad_rows: {action: quarantine, max_rows: 1}"))
    loaded(feed, csv_text("id,a", "-8.625,1", "0.5,2"))
    assert feed.types()["id"] == "double precision"

    result = feed.load("late.csv", csv_text("id,a", "-8.625272885994111,3", "0.1234567890123456,4", "1e3,5"))

    # Of 16 digits, the one is no float's shortest form, and the other is.
    assert (result.status, result.counts.rejected) == ("SUCCESS", 1)
    assert feed.rows("id, a", "a") == [(-8.625, 1), (0.5, 2), (0.1234567890123456, 4), (1000.0, 5)]
    assert feed.sql(
        "select column_name, reason from feedway.schema_changes "
        f"where change = 'infer_column' and target_table_name = '{feed.table}'"
    ) == [("id", "all values are numbers")]


def test_an_inferred_double_of_an_added_column_is_known_too(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("bad_rows: {action: quarantine, max_rows: 9}").replace("[id]", "[id], mode: append"))
    feed.sql(f"create table {feed.table} (a integer, x double precision)")
    loaded(feed, csv_text("a,id,x", "1,0.5,-8.625272885994111"))

    result = feed.load("2.csv", csv_text("a,id,x", "2,-8.625272885994111,1", "3,0.25,-8.625272885994111"))

    assert (result.status, result.counts.rejected) == ("SUCCESS", 1)
    assert feed.rows("a, x", "a") == [(1, float("-8.625272885994111")), (3, float("-8.625272885994111"))]


def test_a_declared_double_stores_the_nearest_value(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("types: {columns: {id: double precision}}"))
    number = "12345678901234567890.5"

    loaded(feed, csv_text("id,a", "0.5,1"), csv_text("id,a", f"{number},2"))

    assert feed.rows("id", "id") == [(0.5,), (float(number),)]


def test_a_double_that_a_rule_gives_or_that_was_made_by_hand_stores_the_nearest_value(make_feed: MakeFeed) -> None:
    by_rule = make_feed(spec("types: {rules: [{inferred: double, type: double precision}]}"))
    by_hand = make_feed(spec())
    by_hand.sql(f"create table {by_hand.table} (id double precision, a integer)")

    for feed in (by_rule, by_hand):
        loaded(feed, csv_text("id,a", "0.5,1"), csv_text("id,a", "-8.625272885994111,2"))

        assert feed.rows("id", "id") == [(float("-8.625272885994111"),), (0.5,)]


def test_a_table_that_was_made_anew_by_hand_is_another(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    loaded(feed, csv_text("id,a", "0.5,1"))
    feed.sql(f"drop table {feed.table}")
    feed.spec_body = spec("types: {rules: [{inferred: double, type: double precision}]}")

    loaded(feed, csv_text("id,a", "0.5,1"), csv_text("id,a", "-8.625272885994111,2"))

    assert len(feed.rows("id", "id")) == 2


def test_times_with_an_offset_make_a_timestamptz_and_mixed_ones_text(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())

    loaded(
        feed,
        csv_text(
            "id,at,mixed", "1,2017-07-13 18:54:10.441+00,2017-07-13 10:00", "2,2017-07-13 18:54:10+02,2017-07-13 10:00Z"
        ),
        csv_text("id,at,mixed", "3,2017-07-13T18:54:10.123456000-0330,x"),
    )

    assert feed.types() == {"id": "bigint", "at": "timestamp with time zone", "mixed": "character varying(256)"}
    assert feed.rows("at at time zone 'UTC'", "id") == [
        ("2017-07-13 18:54:10.441",),
        ("2017-07-13 16:54:10.0",),
        ("2017-07-13 22:24:10.123456",),
    ]


def test_nanoseconds_that_are_zeros_are_taken_and_others_are_not(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("bad_rows: {action: quarantine, max_rows: 1}"))
    loaded(feed, csv_text("id,at", "1,2024-05-01 10:00:00.123456"))

    result = feed.load("2.csv", csv_text("id,at", "2,2024-05-01 10:00:00.123456789", "3,2024-05-01 10:00:00.123456000"))

    assert (result.status, result.counts.rejected) == ("SUCCESS", 1)
    assert feed.rows("id, at", "id")[-1] == (3, "2024-05-01 10:00:00.123456")


def test_a_time_with_an_offset_is_no_value_of_a_timestamp(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    loaded(feed, csv_text("id,at", "1,2024-05-01 10:00"))

    assert feed.load("2.csv", csv_text("id,at", "2,2024-05-01 10:00+02")).status == "FAILED"


def test_a_declared_type_that_the_column_cannot_take_leaves_the_file_where_it_is(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    loaded(feed, csv_text("id,zip,at", "1,501,2024-05-01"))
    feed.spec_body = spec("types: {columns: {zip: varchar(16)}}")
    key = feed.land("2.csv", csv_text("id,zip,at", "2,00123,2024-05-02"))

    for _ in range(4):
        (result,) = feed.run()
        assert result.failure is not None
        assert (result.failure.type, result.failure.error.exit_code) == ("SpecError", 2)  # type: ignore[attr-defined]
    assert feed.keys("data/in/") == [key]
    assert result.failure is not None
    assert "types.columns.zip is varchar(16), which does not widen integer" in result.failure.message
    assert "can be widened to bigint or a decimal with at least 10 digits before the point" in result.failure.message

    assert "remove types.columns.zip and set evolution.columns.zip.type_conflicts: to_text" in result.failure.message
    feed.spec_body = spec("evolution: {columns: {zip: {type_conflicts: to_text}}}")
    (result,) = feed.run()
    assert result.status == "SUCCESS", result
    assert feed.rows("zip", "id") == [("501",), ("00123",)]


def test_an_exponent_makes_a_decimal_grow_and_an_integer_only_beside_a_fraction(make_feed: MakeFeed) -> None:
    feed = make_feed(spec('types: {rules: [{inferred: double, type: "decimal(5,2)"}]}'))
    loaded(feed, csv_text("id,d,i", "1,1.5,1"), csv_text("id,d,i", "2,12e4,5e-1", "3,0.25,2.5"))
    assert feed.types() == {"id": "bigint", "d": "numeric(8,2)", "i": "numeric(38,18)"}
    assert [tuple(map(float, row)) for row in feed.rows("d, i", "id")] == [(1.5, 1.0), (120_000, 0.5), (0.25, 2.5)]

    other = make_feed(spec())
    loaded(other, csv_text("id,i", "1,1"))
    result = other.load("codes.csv", csv_text("id,i", "2,12e4"))
    assert result.failure is not None
    assert "1 of 1 value of i is not an integer: '12e4' (exponent), in row 1, line 2" in result.failure.message


def test_a_quoted_empty_field_is_null_where_the_empty_text_is_among_the_null_values(make_feed: MakeFeed) -> None:
    content = csv_text("id,a,b,n", '1,"","",""', "2,,,", '3,x,x,"5"')
    types = 'types: {parse: {null_values: [""]}, columns: {b: {null_values: []}}}'

    feed = make_feed(spec(types))
    loaded(feed, content)
    assert feed.rows("a, b, n", "id") == [(None, "", None), (None, None, None), ("x", "x", 5)]
    assert feed.types()["n"] == "integer"

    plain = make_feed(spec())
    loaded(plain, content)
    assert plain.rows("a, b, n", "id") == [("", "", ""), (None, None, None), ("x", "x", "5")]
