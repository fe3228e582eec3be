"""To which type a column grows."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.model.column_type import INTEGER_RANGES, ColumnType, can_widen, parse_type
from framework.model.measurements import ColumnMeasurement
from framework.plan.widen_type import wider_type
from framework.spec.pipeline import TypeRule

RULES = (TypeRule(None, "double", False, parse_type("decimal(38,18)")),)


def whole(smallest: int, largest: int) -> ColumnMeasurement:
    digits = max(len(str(abs(smallest))), len(str(abs(largest))))
    return ColumnMeasurement(misfits=1, wider=1, integer_digits=digits, smallest=smallest, largest=largest)


def fraction(digits: int, scale: int) -> ColumnMeasurement:
    return ColumnMeasurement(misfits=1, wider=1, integer_digits=digits, scale=scale)


@pytest.mark.parametrize(
    ("current", "seen", "expected"),
    [
        ("integer", ColumnMeasurement(), "integer"),
        ("smallint", whole(40_000, 40_000), "integer"),
        ("integer", whole(2**31, 2**31), "bigint"),
        ("smallint", whole(-(2**40), 0), "bigint"),
        ("bigint", whole(2**63, 2**63), "decimal(38,0)"),
        ("integer", fraction(2, 2), "decimal(38,18)"),
        ("integer", fraction(2, 20), "decimal(30,20)"),
        ("decimal(5,2)", fraction(4, 1), "decimal(6,2)"),
        ("decimal(5,2)", fraction(3, 4), "decimal(7,4)"),
        ("decimal(38,0)", fraction(3, 1), "decimal(38,0)"),
        ("date", ColumnMeasurement(misfits=3, wider=3), "timestamp"),
        ("integer", ColumnMeasurement(misfits=3), "integer"),
        ("varchar(256)", ColumnMeasurement(longest_bytes=300), "varchar(310)"),
        ("varchar(256)", ColumnMeasurement(longest_bytes=256), "varchar(256)"),
        ("varchar(1000)", ColumnMeasurement(longest_bytes=65_530), "varchar(65535)"),
    ],
)
def test_a_column_grows_as_far_as_its_values_ask(current: str, seen: ColumnMeasurement, expected: str) -> None:
    assert wider_type(parse_type(current), seen, RULES, is_key=False) == parse_type(expected)


@given(
    st.sampled_from(["smallint", "integer", "bigint", "decimal(5,2)", "decimal(38,18)", "date", "varchar(20)", "real"]),
    st.integers(-(10**40), 10**40),
    st.integers(0, 40),
    st.integers(0, 70_000),
)
def test_no_column_ever_gets_narrower(current: str, value: int, scale: int, length: int) -> None:
    seen = ColumnMeasurement(length, 1, 1, len(str(abs(value))), scale, value, value)

    assert can_widen(parse_type(current), wider_type(parse_type(current), seen, RULES, is_key=False))


NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(lambda number: (number, 0)),
    st.tuples(st.integers(-(10**18), 10**18), st.integers(1, 18)),
)


def measured(current: ColumnType, number: int, scale: int) -> ColumnMeasurement:
    """Return what staging sees of one number in a column: nothing to speak of where it fits."""
    digits = len(str(abs(number)))
    if current.is_integer:
        low, high = INTEGER_RANGES[current.kind]
        fits = scale == 0 and low <= number <= high
    else:
        fits = digits <= current.integer_digits and scale <= (current.scale or 0)
    return ColumnMeasurement() if fits else ColumnMeasurement(0, 1, 1, digits, scale, number, number)


@given(st.lists(NUMBERS, min_size=1, max_size=6), st.randoms())
def test_the_order_of_the_files_changes_no_number_type(numbers: list[tuple[int, int]], random: Random) -> None:
    def grown(order: list[tuple[int, int]]) -> ColumnType:
        current = parse_type("smallint")
        for number, scale in order:
            wanted = wider_type(current, measured(current, number, scale), RULES, is_key=False)
            assert measured(wanted, number, scale).misfits == 0
            assert can_widen(current, wanted)
            assert wider_type(wanted, measured(wanted, number, scale), RULES, is_key=False) == wanted
            current = wanted
        return current

    shuffled = list(numbers)
    random.shuffle(shuffled)

    assert grown(numbers) == grown(shuffled)
