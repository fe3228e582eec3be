"""Ranges of cells, as a spec writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.model.cell_range import CellRange, cell_name, parse_range


def test_a_range_has_its_first_and_its_last_cell() -> None:
    assert parse_range("A3:F") == CellRange(2, 0, None, 5)
    assert parse_range("AA1:XFD1048576") == CellRange(0, 26, 1_048_575, 16_383)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("F3:A", "ends before it begins"),
        ("A3:F2", "ends before it begins"),
        ("A0:F", "has a row 0"),
        ("A1:XFE2", "lies outside of a sheet, whose last cell is XFD1048576"),
        ("A1:B1048577", "lies outside of a sheet"),
        ("A1", "is no range of cells"),
    ],
)
def test_a_range_that_no_sheet_has_is_none(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_range(text)


@given(st.integers(0, 1_048_575), st.integers(0, 16_383))
def test_the_name_of_a_cell_leads_back_to_its_place(row: int, column: int) -> None:
    name = cell_name(row, column)

    assert parse_range(f"{name}:{name}") == CellRange(row, column, row, column)
