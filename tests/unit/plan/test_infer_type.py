"""Which type a new column gets."""

from dataclasses import replace

import pytest

from framework.model.column_type import ColumnType, parse_type
from framework.model.measurements import ColumnProfile
from framework.plan.infer_type import SettledType, settle_type, varchar_for
from framework.plan.type_reason import TypeReason
from framework.spec.pipeline import DECIMAL_FIT, TypeRule

EMPTY = ColumnProfile(0, 0, 0, 0, 0, 0, 0, 0, 0, None, None)
DEFAULT_RULES = (
    TypeRule(None, "double", False, parse_type("decimal(38,18)")),
    TypeRule(None, "integer", True, parse_type("bigint")),
)


def integers(smallest: int, largest: int) -> ColumnProfile:
    digits = max(len(str(abs(smallest))), len(str(abs(largest))))
    return replace(
        EMPTY,
        values=3,
        integers=3,
        numbers=3,
        longest_bytes=digits,
        integer_digits=digits,
        smallest=smallest,
        largest=largest,
    )


def numbers(digits: int, scale: int) -> ColumnProfile:
    return replace(
        EMPTY, values=3, integers=1, numbers=3, integer_digits=digits, scale=scale, longest_bytes=digits + scale + 1
    )


def settled(profile: ColumnProfile, is_key: bool = False, rules: tuple[TypeRule, ...] = DEFAULT_RULES) -> ColumnType:
    return settle_type("amount", profile, rules, is_key).type


@pytest.mark.parametrize(
    ("smallest", "largest", "expected"),
    [
        (0, 5, "integer"),
        (-(2**31), 2**31 - 1, "integer"),
        (0, 2**31, "bigint"),
        (-(2**63), 0, "bigint"),
        (0, 2**63, "decimal(38,0)"),
    ],
)
def test_whole_numbers_take_the_first_integer_that_holds_them(smallest: int, largest: int, expected: str) -> None:
    assert settled(integers(smallest, largest)) == parse_type(expected)


def test_times_of_day_alone_are_a_time_and_mixed_ones_text() -> None:
    times = replace(EMPTY, values=3, times=3, longest_bytes=5)
    assert settled(times) == parse_type("time")
    assert settle_type("at", times, (), is_key=False).reason.text == "all values are times of day"
    assert settled(replace(times, times=2)) == parse_type("varchar(256)")
    assert settled(times, rules=(TypeRule(None, "time", None, parse_type("varchar(9)")),)) == parse_type("varchar(9)")


def test_whole_numbers_of_a_key_start_as_bigint() -> None:
    assert settled(integers(0, 5), is_key=True) == parse_type("bigint")


def test_numbers_with_a_point_become_decimal_by_the_default_rule() -> None:
    assert settled(numbers(3, 2)) == parse_type("decimal(38,18)")


def test_a_key_with_a_point_stays_double() -> None:
    assert settled(numbers(3, 2), is_key=True) == parse_type("double precision")


@pytest.mark.parametrize(("digits", "scale", "expected"), [(21, 2, "decimal(23,2)"), (30, 9, "varchar(256)")])
def test_a_rule_that_cannot_hold_the_values_is_passed_over(digits: int, scale: int, expected: str) -> None:
    assert settled(numbers(digits, scale)) == parse_type(expected)


def test_many_digits_are_a_double_where_it_keeps_them_all() -> None:
    assert settled(numbers(3, 25)) == parse_type("double precision")
    assert settled(replace(numbers(3, 25), inexact=1)) == parse_type("decimal(28,25)")
    assert settled(replace(numbers(1, 40), inexact=1)) == parse_type("varchar(256)")


def test_exponents_are_numbers_beside_numbers_with_a_point() -> None:
    beside = replace(numbers(3, 2), values=9, numbers=5, exponents=4)
    assert settled(beside) == parse_type("decimal(38,18)")
    assert settled(replace(beside, scale=30)) == parse_type("double precision")
    assert settled(replace(beside, integers=5)).is_text
    assert settled(replace(beside, values=4, numbers=0)).is_text


@pytest.mark.parametrize(
    ("digits", "scale", "expected"),
    [
        (3, 2, "decimal(18,2)"),
        (16, 1, "decimal(18,2)"),
        (17, 1, "decimal(38,2)"),
        (1, 3, "decimal(18,4)"),
        (13, 5, "decimal(38,6)"),
        (8, 9, "decimal(18,10)"),
        (9, 9, "decimal(38,10)"),
        (0, 18, "decimal(18,18)"),
        (20, 12, "decimal(38,18)"),
        (21, 12, "decimal(33,12)"),
        (36, 1, "decimal(38,2)"),
        (37, 1, "decimal(38,1)"),
    ],
)
def test_a_decimal_that_fits_has_the_places_of_the_file_rounded_up(digits: int, scale: int, expected: str) -> None:
    rule = TypeRule(None, "double", False, DECIMAL_FIT)
    assert settled(numbers(digits, scale), rules=(rule,)) == parse_type(expected)


def test_a_decimal_that_fits_is_for_numbers_only() -> None:
    rule = TypeRule("a", None, None, DECIMAL_FIT)
    assert settle_type("a", replace(EMPTY, values=1, longest_bytes=1), (rule,), is_key=False).type.is_text


def test_dates_mixed_with_timestamps_are_timestamps() -> None:
    profile = replace(EMPTY, values=5, dates=2, timestamps=3, longest_bytes=19)

    assert settled(profile) == parse_type("timestamp")


def test_one_text_among_numbers_makes_the_column_text() -> None:
    assert settled(replace(integers(0, 9), values=4)) == parse_type("varchar(256)")


def test_numbers_of_several_currencies_are_text() -> None:
    mixed = replace(numbers(3, 2), mixes_currencies=True)
    assert settle_type("amount", mixed, DEFAULT_RULES, is_key=False) == SettledType(
        varchar_for(6), TypeReason("values", "the numbers are of several currencies")
    )


def test_a_column_of_nulls_is_text() -> None:
    assert settled(EMPTY) == parse_type("varchar(256)")


@pytest.mark.parametrize(("longest", "length"), [(0, 256), (246, 256), (247, 257), (65530, 65535), (70000, 65535)])
def test_text_gets_ten_bytes_of_reserve_and_at_least_256(longest: int, length: int) -> None:
    assert varchar_for(longest) == parse_type(f"varchar({length})")


def test_a_rule_of_the_spec_goes_before_the_defaults() -> None:
    rule = TypeRule("am*", None, None, parse_type("varchar(64)"))

    assert settled(numbers(3, 2), rules=(rule, *DEFAULT_RULES)) == parse_type("varchar(64)")


def test_a_key_whose_fractions_are_all_zero_is_bigint() -> None:
    profile = replace(numbers(1, 0), integers=0, smallest=1, largest=2)

    assert settled(profile, is_key=True) == parse_type("bigint")
    assert settled(replace(profile, largest=2**63), is_key=True) == parse_type("decimal(38,0)")
    assert settled(profile) == parse_type("decimal(38,18)")


def test_a_rule_for_numbers_goes_before_the_bigint_of_a_whole_key() -> None:
    rule = TypeRule(None, "double", None, parse_type("decimal(10,2)"))
    profile = replace(numbers(1, 0), integers=0, smallest=1, largest=2)

    assert settled(profile, is_key=True, rules=(rule, *DEFAULT_RULES)) == parse_type("decimal(10,2)")


def test_times_with_an_offset_are_timestamptz_and_mixed_ones_text() -> None:
    profile = replace(EMPTY, values=5, zoned=5, longest_bytes=22)

    assert settled(profile) == parse_type("timestamptz")
    assert settled(replace(profile, zoned=4, timestamps=1)) == parse_type("varchar(256)")
    assert settled(replace(profile, zoned=4, dates=1)) == parse_type("varchar(256)")
