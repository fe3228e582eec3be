"""Which text is a value of which type, checked with Python's own engine and its decimal."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.model.column_type import decimal, parse_type
from framework.model.text import NUMBER, accepted_text


def accepts(type_text: str, text: str) -> bool:
    return re.fullmatch(accepted_text(parse_type(type_text)), text) is not None


@pytest.mark.parametrize("text", ["0", "7", "-7", "99999999999999999999", "-0", "5.0", "-3.000", ".0", "-0.0"])
def test_whole_numbers_and_those_with_a_fraction_of_zeros_are_integers(text: str) -> None:
    assert accepts("integer", text)


@pytest.mark.parametrize(
    "text", ["", " 7", "7 ", "+7", "007", "-00", "1e3", "1.50", "1.", ".", "07.0", "1,234", "1_000", "0x1F", "٣"]
)
def test_text_that_would_lose_something_as_a_number_is_no_integer(text: str) -> None:
    assert not accepts("integer", text)


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("10.5", True),
        ("10.50", True),
        ("10.500", True),
        ("10.501", False),
        ("-999.99", True),
        ("1000.00", False),
        (".5", True),
        ("-.50", True),
        ("5.", False),
        ("005", False),
        ("0", True),
        ("1e2", False),
        ("1,5", False),
    ],
)
def test_a_decimal_takes_what_it_holds_without_rounding(text: str, accepted: bool) -> None:
    assert accepts("decimal(5,2)", text) is accepted


@given(st.from_regex(NUMBER, fullmatch=True))
def test_a_number_is_an_integer_where_its_fraction_is_zero_as_in_a_decimal_without_scale(text: str) -> None:
    is_whole = Decimal(text) == int(Decimal(text))
    assert accepts("bigint", text) is is_whole
    if abs(Decimal(text)) < 10**38:
        assert accepts("decimal(38,0)", text) is is_whole


@given(st.from_regex(NUMBER, fullmatch=True), st.integers(1, 12), st.integers(0, 6))
def test_an_accepted_decimal_equals_itself_rounded(text: str, precision: int, scale: int) -> None:
    scale = min(scale, precision)
    if re.fullmatch(accepted_text(decimal(precision, scale)), text):
        value = Decimal(text)
        assert value == round(value, scale)
        assert abs(value) < 10 ** (precision - scale)


@pytest.mark.parametrize(
    ("type_text", "text", "accepted"),
    [
        ("double precision", "1e-7", True),
        ("double precision", "-1.5E+300", True),
        ("double precision", "NaN", False),
        ("boolean", "TRUE", True),
        ("boolean", "t", False),
        ("boolean", "1", False),
        ("date", "2024-02-29", True),
        ("date", "2024-2-9", False),
        ("date", "2024-13-01", False),
        ("date", "2024-01-01 00:00:00", False),
        ("timestamp", "2024-01-01", True),
        ("timestamp", "2024-01-01 10:00", True),
        ("timestamp", "2024-01-01T10:00:00.123456", True),
        ("timestamp", "2024-01-01 10:00:00.123456000", True),
        ("timestamp", "2024-01-01 10:00:00.123456789", False),
        ("timestamp", "2024-01-01 24:00:00", False),
        ("timestamp", "2024-01-01T10:00:00Z", False),
        ("timestamptz", "2024-01-01T10:00:00Z", True),
        ("timestamptz", "2024-01-01 10:00:00+02:00", True),
        ("timestamptz", "2024-01-01 10:00:00+02", True),
        ("timestamptz", "2024-01-01 10:00:00 -0330", True),
        ("timestamptz", "1890-01-01 10:00:00+00:19:32", True),
        ("timestamptz", "2024-01-01 10:00:00+0", False),
        ("timestamptz", "2024-01-01 10:00:00", False),
        ("varchar(5)", "any\nthing", True),
    ],
)
def test_other_types_take_one_plain_form(type_text: str, text: str, accepted: bool) -> None:
    assert accepts(type_text, text) is accepted
