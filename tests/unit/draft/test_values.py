"""Notations in which texts may be values."""

from __future__ import annotations

import pytest

from framework.draft.proposal import written_notation
from framework.draft.values import ways_of
from framework.model.notation import PLAIN


def found(*texts: str) -> list[dict[str, object]]:
    return [written_notation(way.notation, PLAIN) for way in ways_of(texts)[0]]


@pytest.mark.parametrize(
    ("texts", "fields"),
    [
        (("1.234,50", "-0,99"), {"decimal": ",", "thousands": "."}),
        (("1.234,50", "0,99-"), {"decimal": ",", "thousands": ".", "negatives": ["trailing"]}),
        (("$1,234.50", "$0.99"), {"thousands": ",", "currency": ["$"]}),
        (("12,5 %", "3%"), {"decimal": ",", "percent": True}),
        (("01.02.2024",), {"formats": ["dd.MM.yyyy"]}),
        (("1/31/2024", "12/1/2023"), {"formats": ["M/d/yyyy"]}),
        (("03/06/18", "2018-03-06", "03/26/18"), {"formats": ["MM/dd/yy", "yyyy-MM-dd"]}),
        (("1. März 2024", "31. Dezember 1999"), {"formats": ["d. MMMM yyyy"], "locale": "de"}),
        (("3 Mar 2024 12:05 AM", "10 Dec 2023 1:30 PM"), {"formats": ["d MMM yyyy h:mm a"]}),
        (("08:30", "17:45"), {"formats": ["HH:mm"]}),
        (("Ja", "Nein"), {"booleans": [["Ja", "Nein"]]}),
        (("Y", "N", "n"), {"booleans": [["Y", "N"], ["Y", "n"]]}),
        (("5", "NA", "-"), {"null_values": ["NA", "-"]}),
        (("Ja", "Nein", "NULL"), {"null_values": ["NULL"], "booleans": [["Ja", "Nein"]]}),
    ],
)
def test_texts_have_one_meaning(texts: tuple[str, ...], fields: dict[str, object]) -> None:
    assert found(*texts) == [fields]


@pytest.mark.parametrize("texts", [("01/02/2024", "03/04/2024"), ("1,234", "2,500"), ("01-02-2024",)])
def test_texts_that_can_be_read_in_two_ways_have_both(texts: tuple[str, ...]) -> None:
    assert len(found(*texts)) == 2


@pytest.mark.parametrize(
    "texts",
    [
        ("N", "S"),
        ("Ja",),
        ("Ja", "Nein", "vielleicht"),
        ("(301)", "(302)"),
        ("552 100 554", "552 032 534"),
        ("5 EUR", "5 USD"),
        ("12 ABC", "13 ABC"),
        ("03/06/78", "03/26/79"),
        ("ann", "bob"),
    ],
)
def test_texts_that_may_be_something_else_stay_texts(texts: tuple[str, ...]) -> None:
    assert found(*texts) == []
