"""Two texts are one value if the warehouse could not hold them apart in a column of this type."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.feed_tests.values import comparable, same_type
from framework.model.column_type import parse_type

SAME = [
    ("decimal(18,2)", "10.5", "10.50"),
    ("decimal(18,2)", "-0", "0.00"),
    ("decimal(38,18)", "1e3", "1000.000000000000000000"),
    ("bigint", "+7", "7"),
    ("double precision", "0.1", "1e-1"),
    ("real", "0.1", "0.10000000149011612"),
    ("date", "2024-02-29", "2024-02-29"),
    ("timestamp", "2024-01-02", "2024-01-02 00:00:00.0"),
    ("timestamp", "2024-01-02T03:04", "2024-01-02 03:04:00"),
    ("timestamptz", "2024-01-02 04:00+01", "2024-01-02 03:00:00+00"),
    ("timestamptz", "2024-01-02 03:00", "2024-01-02 03:00:00+00"),
    ("time", "08:30", "08:30:00"),
    ("boolean", "True", "true"),
    ("char(5)", "AT", "AT   "),
    ("super", '{"a": [1.50, null], "b": "x"}', '{"b":"x","a":[1.5,null]}'),
    ("super", "[100]", "[1e2]"),
    ("varchar(9)", "", ""),
]
DIFFERENT = [
    ("varchar(9)", "", None),
    ("varchar(9)", "a", "a "),
    ("varchar(9)", "00501", "501"),
    ("varchar(9)", "NULL", None),
    ("decimal(38,2)", "123456789012345678901234567890.12", "123456789012345678901234567890.13"),
    ("bigint", "9007199254740993", "9007199254740992"),
    ("integer", "abc", "0"),
    ("boolean", "true", "false"),
    ("timestamp", "2024-01-02 03:04:05.000001", "2024-01-02 03:04:05"),
    ("timestamp", "2024-01-02 03:00+01", "2024-01-02 03:00"),
    ("date", "2024-02-30", "2024-03-01"),
    ("super", "[1]", '["1"]'),
    ("super", "[1.0]", "[1.1]"),
    ("super", "[1.5]", '["1.5"]'),
    ("super", "[true]", "[1]"),
    ("super", "[]", "{}"),
]


@pytest.mark.parametrize(("column_type", "one", "other"), SAME)
def test_texts_that_are_one_value_are_equal(column_type: str, one: str, other: str) -> None:
    assert comparable(one, parse_type(column_type)) == comparable(other, parse_type(column_type))


@pytest.mark.parametrize(("column_type", "one", "other"), DIFFERENT)
def test_texts_that_are_two_values_are_not(column_type: str, one: str, other: str | None) -> None:
    assert comparable(one, parse_type(column_type)) != comparable(other, parse_type(column_type))


@given(st.decimals(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_are_equal_if_and_only_if_their_digits_are(one: Decimal, other: Decimal) -> None:
    column_type = parse_type("decimal(38,10)")

    assert (comparable(f"{one:f}", column_type) == comparable(f"{other:f}", column_type)) == (one == other)


@given(st.text() | st.from_regex(r"[\[{0-9.e-]*", fullmatch=True), st.sampled_from([text for text, _, _ in SAME]))
def test_any_text_has_a_value(text: str, column_type: str) -> None:
    assert hash(comparable(text, parse_type(column_type))) == hash(comparable(text, parse_type(column_type)))


def test_types_have_several_spellings() -> None:
    assert same_type("numeric(18, 2)", "decimal(18,2)")
    assert not same_type("varchar(255)", "varchar(256)")
    assert same_type("public.orders", "public.orders")
    assert not same_type("public.orders", "public.order")
