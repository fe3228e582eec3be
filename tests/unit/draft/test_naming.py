"""Patterns from the names of sample files."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.draft.naming import pattern_of


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["umsatz_2024-01.csv", "umsatz_2024-02.csv"], "umsatz_*.csv"),
        (["orders_1.csv"], "orders_*.csv"),
        (["orders10.csv", "orders11.csv"], "orders*.csv"),
        (["umsatz.csv"], "umsatz*.csv"),
        (["Report 2024.csv"], "Report *.csv"),
        (["20240101_sales.csv"], "*_sales*.csv"),
        (["x-2024.01.02.csv.gz"], "x-*.csv.gz"),
        (["a.csv.gz", "a.csv"], "a*.csv*"),
        (["a.csv", "b.csv"], "*.csv"),
        (["a.csv", "b.zst"], "*"),
        (["2024.csv"], "*.csv"),
        (["sales[1].csv"], "sales[[]*.csv"),
    ],
)
def test_what_counts_or_differs_is_free(names: list[str], pattern: str) -> None:
    assert pattern_of(names) == pattern


@given(st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=20), min_size=1, max_size=4))
def test_the_files_themselves_match(names: list[str]) -> None:
    assert all(fnmatchcase(name, pattern_of(names)) for name in names)
