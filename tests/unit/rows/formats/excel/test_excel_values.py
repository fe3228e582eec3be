"""Cells as texts and as values of JSON."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.rows.formats.excel.values import json_text, number_text

NOON = datetime(2024, 1, 31, 12)  # noqa: DTZ001 - cells have no time zone


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("", ""),
        ("00501", '"00501"'),
        ('a "b"\n', '"a \\"b\\"\\n"'),
        (5.0, "5"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.3"),
        (1.5e-7, "0.00000015"),
        (1e300, "1e+300"),
        (9007199254740991.0, "9007199254740991"),
        (123456789012345000.0, "123456789012345000"),
        (2251799813685248.5, "2251799813685248.5"),
        (True, "true"),
        (date(2024, 1, 31), "2024-01-31"),
        (NOON, "2024-01-31 12:00:00"),
        (NOON.replace(microsecond=5000), "2024-01-31 12:00:00.005000"),
        (time(8, 5), "08:05:00"),
        (timedelta(hours=36, seconds=1), "36:00:01"),
        (timedelta(hours=-1, microseconds=-500_000), "-01:00:00.500000"),
    ],
)
def test_a_cell_is_written_as_its_value(cell: Any, text: str) -> None:
    assert json_text(cell) == text


@given(st.floats(-1e307, 1e307))
def test_a_number_keeps_the_digits_that_excel_keeps(number: float) -> None:
    text = number_text(number)

    assert float(text) == pytest.approx(number, rel=1e-14, abs=0)
    assert isinstance(json.loads(text), int | float)


@given(st.integers(-(10**15), 10**15), st.integers(0, 15))
def test_a_number_of_fifteen_digits_is_exact(digits: int, scale: int) -> None:
    exact = Decimal(digits).scaleb(-scale)

    assert Decimal(number_text(float(exact))) == exact
