"""Budgets for bad rows."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.load.quarantine.budget import over_budget
from framework.model.measurements import FileMeasurement
from framework.spec.pipeline import BadRowsSpec


def excess(max_rows: int | None, max_fraction: float | None, bad: int, rows: int) -> str | None:
    budget = BadRowsSpec("quarantine", max_rows, max_fraction, True)
    return over_budget(budget, FileMeasurement(0, rows, rows - bad, bad))


@pytest.mark.parametrize(
    ("max_rows", "max_fraction", "bad", "shown"),
    [
        (2, None, 2, None),
        (2, None, 3, ", and the budget is 2 (bad_rows.max_rows)"),
        (0, None, 1, ", and the budget is 0 (bad_rows.max_rows)"),
        (None, 0.3, 3, None),
        (None, 0.3, 4, ", and the budget is 3 (bad_rows.max_fraction 0.3)"),
        (None, 0.0, 1, ", and the budget is 0 (bad_rows.max_fraction 0.0)"),
        (None, 1.0, 10, None),
        (5, 0.1, 2, ", and the budget is 1 (bad_rows.max_fraction 0.1)"),
        (1, 1.0, 2, ", and the budget is 1 (bad_rows.max_rows)"),
    ],
)
def test_a_file_keeps_to_every_limit_that_is_given(
    max_rows: int | None, max_fraction: float | None, bad: int, shown: str | None
) -> None:
    assert excess(max_rows, max_fraction, bad, 10) == shown


@given(hundredths=st.integers(0, 100), rows=st.integers(1, 10**9), data=st.data())
def test_a_fraction_is_taken_as_it_is_written(hundredths: int, rows: int, data: st.DataObject) -> None:
    allowed = int(Fraction(hundredths, 100) * rows)
    bad = data.draw(st.sampled_from([max(allowed - 1, 0), allowed, min(allowed + 1, rows)]))

    assert (excess(None, hundredths / 100, bad, rows) is None) == (bad <= allowed)
