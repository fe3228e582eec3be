"""Formats of dates: one notation, read as a regular expression."""

import re

import pytest

from framework.model.date_format import format_expression


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("dd/MM/yyyy HH:mm", "31/12/2025 23:59", True),
        ("dd/MM/yyyy HH:mm", "1/12/2025 23:59", False),
        ("d.M.yyyy", "1.2.2025", True),
        ("d.M.yyyy", "01.2.2025", False),
        ("yyyy-MM-dd'T'HH:mm:ss.SSS", "2025-01-02T03:04:05.678", True),
        ("yyyy-MM-dd'T'HH:mm:ss.SSS", "2025-01-02 03:04:05.678", False),
        ("yyyyMMdd", "20251301", False),
        ("yy(MM)dd", "25(01)02", True),
        ("yyyy''MM''dd", "2025'01'02", True),
    ],
)
def test_a_format_describes_its_texts(pattern: str, text: str, matches: bool) -> None:
    assert (re.fullmatch(format_expression(pattern), text) is not None) is matches


@pytest.mark.parametrize("pattern", ["yyyy-MM", "yyyy-MM-dd hh", "yyyy-MM-dd 'open", "yyyy-MM-dd yy", "DD.MM.yyyy"])
def test_a_format_that_engines_would_read_differently_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="y"):
        format_expression(pattern)
