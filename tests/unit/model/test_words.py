"""Numbers as people read them."""

from __future__ import annotations

import pytest

from framework.model.words import counted, duration, size, visible


def test_a_number_stands_with_the_noun_it_needs() -> None:
    assert [counted(number, "file") for number in (0, 1, 2, 2000)] == ["0 files", "1 file", "2 files", "2,000 files"]
    assert counted(1, "pipeline is valid", "pipelines are valid") == "1 pipeline is valid"
    assert counted(2, "pipeline is valid", "pipelines are valid") == "2 pipelines are valid"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1,023 bytes"),
        (1024, "1.0 KB"),
        (1_500_000, "1.4 MB"),
        (3 * 1024**3, "3.0 GB"),
        (5000 * 1024**4, "5,000.0 TB"),
    ],
)
def test_a_size_has_the_unit_it_needs(number: int, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (1.26, "1.3 s"),
        (59.97, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.9, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_a_duration_has_the_units_it_needs(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("plain ä 漢", None, "plain ä 漢"),
        ("a\nb\t\x1b[2J", None, "a\\nb\\t\\x1b[2J"),
        ("right\u202eleft\u2028\ud800", None, "right\\u202eleft\\u2028\\ud800"),
        ("12345", 5, "12345"),
        ("123456", 5, "1234…"),
        ("\n\n\n", 5, "\\n\\n…"),
        ("", 5, ""),
    ],
)
def test_a_text_is_shown_on_one_line(text: str, most: int | None, shown: str) -> None:
    assert visible(text, most) == shown
