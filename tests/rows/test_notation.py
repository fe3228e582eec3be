"""Texts in the notations of a spec: which of them are which value."""

# ruff: noqa: DTZ001

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from framework.model.date_format import DateFormat
from framework.model.measurements import ColumnProfile
from framework.model.notation import PLAIN, Notation, NumberNotation
from framework.model.staging import FromFile
from tests.rows.conftest import Bench, column

GERMAN = NumberNotation(decimal=",", thousands=".")
MISFIT = "misfit"


def formats(*patterns: str, locale: str = "en") -> tuple[DateFormat, ...]:
    return tuple(DateFormat(pattern, locale) for pattern in patterns)


def staged(bench: Bench, texts: list[str], type_text: str, notation: Notation) -> dict[str, Any]:
    """Return by text the staged value, or MISFIT where the row was not staged."""
    content = "n,v\n" + "".join(f'{n},"{text}"\n' for n, text in enumerate(texts))
    columns = [column("n", "integer"), column("v", type_text, notation=notation)]
    seen, rows = bench.stage(bench.batch(content.encode()), columns)
    found = {row[0]: row[1] for row in rows}
    assert seen.columns["v"].misfits == seen.rows_bad == len(texts) - len(found)
    return {text: found.get(n, MISFIT) for n, text in enumerate(texts)}


NUMBERS: dict[NumberNotation, dict[str, str]] = {
    GERMAN: {
        "0": "0",
        "-0,00": "0",
        ",5": "0.5",
        "-,5": "-0.5",
        "1,5": "1.5",
        "1234,50": "1234.5",
        "1.234,50": "1234.5",
        "1.234.567": "1234567",
        "-1.234": "-1234",
        "1.5": MISFIT,
        "12.34": MISFIT,
        "1.2345": MISFIT,
        "1234.567": MISFIT,
        "0.123": MISFIT,
        ".123": MISFIT,
        "1,234.5": MISFIT,
        "1,": MISFIT,
        "007": MISFIT,
        "+1": MISFIT,
        "1-": MISFIT,
        "(1)": MISFIT,
        "1 €": MISFIT,
        "": MISFIT,
        "-": MISFIT,
        "1,5,0": MISFIT,
        "1..234": MISFIT,
        "1e3": "1000",
        "-1,5E-2": "-0.015",
        "1.000e3": MISFIT,
        "1e": MISFIT,
        " 1": MISFIT,
    },
    NumberNotation(thousands=" "): {
        "1 234.5": "1234.5",
        "1\u00a0234": "1234",
        "12\u202f345\u202f678": "12345678",
        "1 23": MISFIT,
        "1  234": MISFIT,
    },
    NumberNotation(thousands="'"): {"1'234.50": "1234.5", "1,234": MISFIT},
    NumberNotation(negatives=("trailing", "parentheses")): {
        "1.50-": "-1.5",
        "(1.50)": "-1.5",
        "1.50": "1.5",
        "-1.50": MISFIT,
        "(1.50": MISFIT,
        "(-1)": MISFIT,
        "(1)-": MISFIT,
        "--1": MISFIT,
    },
    NumberNotation(negatives=()): {"1": "1", "-1": MISFIT},
    NumberNotation(currency=("€", "EUR", "Fr.", "US$", "$"), thousands=","): {
        "€1,234.50": "1234.5",
        "€ 1": "1",
        "1 €": "1",
        "-€1": "-1",
        "€-1": "-1",
        "€ -1.5": "-1.5",
        "-1 EUR": "-1",
        "EUR1": "1",
        "Fr. 5.05": "5.05",
        "5.05\u00a0Fr.": "5.05",
        "US$3": "3",
        "$3": "3",
        "7": "7",
        "€1€": MISFIT,
        "€": MISFIT,
        "£1": MISFIT,
        "€  1": MISFIT,
    },
    NumberNotation(currency=("€",), negatives=("parentheses", "trailing")): {
        "(€1.5)": "-1.5",
        "€(1.5)": "-1.5",
        "(1.5 €)": "-1.5",
        "(1.5) €": "-1.5",
        "1.5- €": "-1.5",
        "1.5 €-": "-1.5",
    },
    NumberNotation(percent=True, decimal=","): {
        "12,5 %": "0.125",
        "12,5%": "0.125",
        "5%": "0.05",
        "100\u00a0%": "1",
        "1234,5 %": "12.345",
        "-0,25 %": "-0.0025",
        ",5%": "0.005",
        "0%": "0",
        "12,5": MISFIT,
        "12,5 %%": MISFIT,
        "%": MISFIT,
    },
}


@pytest.mark.parametrize("notation", NUMBERS)
@pytest.mark.parametrize("type_text", ["decimal(18,6)", "double precision"])
def test_which_text_is_which_number(bench: Bench, notation: NumberNotation, type_text: str) -> None:
    expected = NUMBERS[notation]

    found = staged(bench, list(expected), type_text, Notation(numbers=notation))

    make = Decimal if type_text.startswith("decimal") else float
    assert found == {text: value if value == MISFIT else make(value) for text, value in expected.items()}


def test_integers_are_read_by_the_notation(bench: Bench) -> None:
    texts = {"1.234": 1234, "-7,0": -7, "7,5": MISFIT, "2.147.483.648": MISFIT}
    assert staged(bench, list(texts), "integer", Notation(numbers=GERMAN)) == texts


def test_texts_stand_for_booleans(bench: Bench) -> None:
    texts = {"Ja": True, "Nein": False, "1": True, "0": False, "ja": MISFIT, "true": MISFIT, "": MISFIT}
    notation = Notation(booleans=(("Ja", "Nein"), ("1", "0")))
    assert staged(bench, list(texts), "boolean", notation) == texts


def test_days_are_read_by_the_first_format_that_describes_them(bench: Bench) -> None:
    notation = Notation(formats=formats("dd.MM.yyyy", "yyyyMMdd", "dd.MM.yyyy HH:mm"))
    days = {"05.01.2024": date(2024, 1, 5), "20240229": date(2024, 2, 29), "2024-01-05": MISFIT, "31.02.2024": MISFIT}
    assert staged(bench, list(days), "date", notation) == days
    times = {"05.01.2024": datetime(2024, 1, 5), "05.01.2024 23:59": datetime(2024, 1, 5, 23, 59), "5.1.2024": MISFIT}
    assert staged(bench, list(times), "timestamp", notation) == times


DAYS: dict[tuple[str, str, str], dict[str, object]] = {
    ("timestamp", "en", "MM/dd/yyyy hh:mm:ss a"): {
        "01/31/2024 12:00:00 AM": datetime(2024, 1, 31),
        "01/31/2024 12:30:00 PM": datetime(2024, 1, 31, 12, 30),
        "01/31/2024 01:02:03 pm": datetime(2024, 1, 31, 13, 2, 3),
        "01/31/2024 11:59:59 p.m.": datetime(2024, 1, 31, 23, 59, 59),
        "01/31/2024 13:00:00 PM": MISFIT,
        "01/31/2024 00:00:00 AM": MISFIT,
        "01/31/2024 01:00:00": MISFIT,
    },
    ("date", "en", "d MMM yyyy"): {
        "5 Jan 2024": date(2024, 1, 5),
        "31 DEC 2024": date(2024, 12, 31),
        "1 sept. 2024": date(2024, 9, 1),
        "5 January 2024": MISFIT,
        "5 Mai 2024": MISFIT,
        "30 Feb 2024": MISFIT,
    },
    ("timestamp", "en", "dMMyyyy Hmm"): {
        "1112024 123": datetime(2024, 11, 1, 1, 23),
        "11112024 1123": datetime(2024, 11, 11, 11, 23),
        "112024 123": MISFIT,
    },
    ("date", "en", "MMMM d, yyyy"): {"January 5, 2024": date(2024, 1, 5), "Jan 5, 2024": MISFIT},
    ("date", "de", "d. MMMM yyyy"): {"5. März 2024": date(2024, 3, 5), "5. MÄRZ 2024": date(2024, 3, 5)},
    ("date", "de", "dd-MMM-yy"): {"05-Mrz-24": date(2024, 3, 5), "05-Dez-99": date(2099, 12, 5)},
    ("date", "fr", "d MMM yyyy"): {"5 févr. 2024": date(2024, 2, 5), "14 juil. 2024": date(2024, 7, 14)},
    ("timestamptz", "en", "dd/MMM/yyyy:HH:mm:ss XX"): {
        "31/Jan/2024:10:00:00 +0200": datetime(2024, 1, 31, 8),
        "31/Jan/2024:10:00:00 Z": datetime(2024, 1, 31, 10),
        "31/Jan/2024:10:00:00": MISFIT,
    },
    ("timestamptz", "en", "yyyy-MM-dd HH:mm XXX"): {
        "2024-01-31 10:00 -05:30": datetime(2024, 1, 31, 15, 30),
        "2024-01-31 10:00 -0530": MISFIT,
    },
    ("timestamp", "en", "epoch_s"): {
        "0": datetime(1970, 1, 1),
        "1706695200": datetime(2024, 1, 31, 10),
        "1706695200.25": datetime(2024, 1, 31, 10, 0, 0, 250_000),
        "-1": datetime(1969, 12, 31, 23, 59, 59),
        "99999999999999": MISFIT,
        "-99999999999": MISFIT,
        "now": MISFIT,
    },
    ("timestamptz", "en", "epoch_ms"): {"1706695200123": datetime(2024, 1, 31, 10, 0, 0, 123_000)},
}


@pytest.mark.parametrize(("type_text", "locale", "pattern"), DAYS)
def test_which_text_is_which_time_in_a_format(bench: Bench, type_text: str, locale: str, pattern: str) -> None:
    expected = DAYS[type_text, locale, pattern]
    assert staged(bench, list(expected), type_text, Notation(formats=formats(pattern, locale=locale))) == expected


def test_times_with_an_offset_are_profiled_as_such(bench: Bench) -> None:
    notation = Notation(formats=formats("dd/MM/yyyy HH:mm XX", "epoch_s"))
    found = profiled(bench, ["31/01/2024 10:00 +0200", "1706695200", "31/01/2024 10:00"], notation)
    assert (found.zoned, found.timestamps, found.integers, found.dates) == (1, 1, 0, 0)


def test_null_texts_are_null_before_they_are_anything_else(bench: Bench) -> None:
    notation = Notation(null_values=("-", "", "0"), numbers=GERMAN)
    assert staged(bench, ["-", "", "0", "1,5"], "decimal(9,2)", notation) == {
        "-": None,
        "": None,
        "0": None,
        "1,5": Decimal("1.50"),
    }


def test_what_a_file_lacks_is_written_plainly(bench: Bench) -> None:
    batch = bench.batch({"1.csv": b'n,v\n1,"1,5"\n', "2.csv": b"n\n2\n"})
    amount = column("v", "decimal(9,2)", value=FromFile("0.25"), notation=Notation(numbers=GERMAN))
    _, rows = bench.stage(batch, [column("n", "integer"), amount])
    assert [row[:2] for row in rows] == [(1, Decimal("1.50")), (2, Decimal("0.25"))]


def profiled(bench: Bench, texts: list[str], notation: Notation) -> ColumnProfile:
    """Return the profile of a column."""
    content = "v\n" + "".join(f'"{text}"\n' for text in texts)
    return bench.profile(bench.batch(content.encode()), ["v"], notation)["v"]


def test_numbers_are_profiled_as_plain_ones(bench: Bench) -> None:
    german = ["1.234,50", "-7", "0,125", "12.345.678.901.234.567.890", ",5", "7,0", "1.5", "x", "1,5 €"]
    plain = ["1234.50", "-7", "0.125", "12345678901234567890", ".5", "7.0", "1.2.3", "y", "1.5 $"]

    found = profiled(bench, german, Notation(numbers=GERMAN))

    assert replace(found, longest_bytes=0) == replace(profiled(bench, plain, PLAIN), longest_bytes=0)
    assert (found.values, found.numbers, found.integers, found.scale, found.integer_digits) == (9, 6, 2, 3, 20)
    assert (found.smallest, found.largest) == (-7, 12_345_678_901_234_567_890)
    assert found.longest_bytes == 26


@pytest.mark.parametrize(
    ("texts", "is_mixed"),
    [
        (["€ 1", "2.50 €", "3", "-4 €", "1e5"], False),
        (["€ 1", "$2.50", "3"], True),
        (["US$1", "2 US$", "3.5 US$"], False),
        (["US$1", "$2"], True),
        (["€ 1.5", "$ 2"], True),
        (["€ 1", "$ x", "$ or €"], False),
        (["1", "2"], False),
    ],
)
def test_numbers_of_two_currencies_are_found(bench: Bench, texts: list[str], is_mixed: bool) -> None:
    numbers = NumberNotation(currency=("$", "€", "US$"))
    assert profiled(bench, texts, Notation(numbers=numbers)).mixes_currencies is is_mixed
    assert not profiled(bench, texts, Notation(numbers=NumberNotation(currency=("$",)))).mixes_currencies


def test_currencies_of_two_files_are_mixed(bench: Bench) -> None:
    notation = Notation(numbers=NumberNotation(currency=("$", "€")))
    batch = bench.batch({"1.csv": b"v,w\n$1,$1\n", "2.csv": "v,w\n€1,$1\n".encode()})
    found = bench.profile(batch, ["v", "w"], notation)
    assert (found["v"].mixes_currencies, found["w"].mixes_currencies) == (True, False)


def test_percentages_have_two_more_digits(bench: Bench) -> None:
    found = profiled(bench, ["12.5 %", "100 %", "5%"], Notation(numbers=NumberNotation(percent=True)))
    assert (found.values, found.numbers, found.scale, found.smallest, found.largest) == (3, 3, 3, 1, 1)
    assert profiled(bench, ["12.5 %", "100"], Notation(numbers=NumberNotation(percent=True))).numbers == 1


def test_days_of_digits_are_numbers_too(bench: Bench) -> None:
    notation = Notation(formats=formats("yyyyMMdd", "dd.MM.yyyy", "dd.MM.yyyy HH:mm"))
    found = profiled(bench, ["20240131", "20241399", "31.01.2024", "31.02.2024", "31.01.2024 10:00"], notation)
    assert (found.dates, found.integers, found.timestamps, found.numbers) == (2, 2, 1, 2)
    assert (found.smallest, found.largest) == (20_240_131, 20_241_399)
    assert profiled(bench, ["2024-01-31"], notation).dates == 0


def test_booleans_of_the_spec_are_profiled_before_numbers(bench: Bench) -> None:
    found = profiled(bench, ["1", "0", "2", "true"], Notation(booleans=(("1", "0"),)))
    assert (found.values, found.booleans, found.integers) == (4, 2, 1)


def test_columns_are_profiled_each_by_its_notation(bench: Bench) -> None:
    batch = bench.batch(b'a,b,c\n"1,5",1.5,Ja\n')
    notations = {"c": Notation(booleans=(("Ja", "Nein"),)), "a": Notation(numbers=GERMAN), "b": PLAIN}
    with bench.open(batch) as rows:
        found = rows.profile(notations)
    assert (found["a"].scale, found["b"].scale, found["c"].booleans) == (1, 1, 1)
    assert list(found) == ["c", "a", "b"]


def test_numbers_with_an_exponent_are_profiled_by_what_they_are(bench: Bench) -> None:
    found = profiled(bench, ["1e-05", "1.5E+3", "-12.5e1", "1500e-2", "0e7", "0.05e-1", "7", "0.25"], PLAIN)
    assert (found.values, found.exponents, found.numbers, found.integers) == (8, 6, 2, 1)
    assert (found.integer_digits, found.scale, found.inexact) == (4, 5, 0)
    assert profiled(bench, ["0.1234567890123456789"], PLAIN).inexact == 1
    assert profiled(bench, ["0.30000000000000004", "5e-324", "9007199254740993"], PLAIN).inexact == 1
    assert profiled(bench, ["1e-400", "1e309", "1.5e5"], PLAIN).inexact == 2
