"""What a text that is no value of its column is taken for."""

from __future__ import annotations

import pytest

from framework.load.failures.hints import date_formats, describe_text, number_notations
from framework.model.column_type import parse_type
from framework.model.notation import PLAIN


def hint(type_text: str, text: str) -> str | None:
    return describe_text(parse_type(type_text), text, PLAIN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.898,75", "decimal comma?"),
        ("-12,5", "decimal comma?"),
        ("1 234,56", "decimal comma?"),
        ("1,234", "decimal comma or thousands separator?"),
        ("1,234,567.89", "thousands separators?"),
        ("1'234.50", "thousands separators?"),
        ("1.234.567", "thousands separators?"),
        ("$5.00", "currency?"),
        ("EUR 7,50", "currency?"),
        ("7.50 €", "currency?"),
        ("12.5 %", "percent sign?"),
        ("(12.50)", "negative number?"),
        ("12.50-", "negative number?"),
        ("007", "leading zeros"),
        ("+49", "plus sign"),
        ("1e3", "too many digits"),
        ("5.", "no digits after the point"),
        ("1.005", "too many digits"),
        ("31.12.2025", "a date?"),
        ("NA", "a word for NULL?"),
        ("#N/A", "a word for NULL?"),
        ("-", "a word for NULL?"),
        ("\\N", "a word for NULL?"),
        ("", "an empty text in quotes"),
        (" 7", "blanks around it"),
        ("zwei", None),
    ],
)
def test_what_a_decimal_may_have_been(text: str, expected: str | None) -> None:
    assert hint("decimal(5,2)", text) == expected


@pytest.mark.parametrize(
    ("type_text", "text", "expected"),
    [
        ("integer", "3000000000", "out of range"),
        ("integer", "3000000000.0", "out of range"),
        ("integer", "1.5", "a fraction"),
        ("integer", "1e3", "exponent"),
        ("double precision", "-8.625272885994111", "more digits than it keeps"),
        ("super", "{a: 1}", "no JSON by RFC 8259"),
        ("super", "NaN", "no JSON by RFC 8259"),
        ("super", '{"a": 1, "a": 1}', "a key twice in one object"),
        *(
            ("super", text, "a number beyond the range of DOUBLE PRECISION, or of more than 1,000 characters")
            for text in ('{"x": 1e400}', "1e-400", "0e-20000", "[1." + "0" * 1000 + "]", "9" * 5000)
        ),
        ("super", "[" * 100_000 + "]" * 100_000, "nested too deep"),
        ("super", '"' + "x" * 16_384_000 + '"', "16,384,002 bytes"),
        ("time", "2024-01-31 10:00", "a day before it"),
        ("time", "25:00", None),
        ("boolean", "ja", "another word for true or false?"),
        ("boolean", "Y", "another word for true or false?"),
        ("boolean", "maybe", None),
        ("date", "31.12.2025", "written as dd.MM.yyyy?"),
        ("date", "5.1.2025", "written as d.M.yyyy?"),
        ("date", "05/01/2025", "written as dd/MM/yyyy or MM/dd/yyyy?"),
        ("date", "13/01/2025", "written as dd/MM/yyyy?"),
        ("date", "20250101", "written as yyyyMMdd?"),
        ("date", "2025-02-30", "no such day"),
        ("date", "2025-02-03 10:00", "a time of day"),
        ("timestamp", "2025-02-03 10:00+01", "an offset from UTC"),
        ("timestamp", "2025-02-03 10:00:00.123456789", "more than microseconds"),
        ("timestamp", "03.02.2025 10:00", "written as dd.MM.yyyy HH:mm?"),
        ("timestamp", "1735689600", "seconds since 1970?"),
        ("timestamptz", "2025-02-03 10:00", "no offset from UTC"),
        ("varchar(3)", "äöü", "6 bytes"),
        ("char(9)", "äöü", "characters that are not ASCII"),
        ("char(2)", "abc", "3 bytes"),
    ],
)
def test_what_other_texts_may_have_been(type_text: str, text: str, expected: str | None) -> None:
    assert hint(type_text, text) == expected


def test_a_date_format_describes_all_texts() -> None:
    assert date_formats(["05.01.2025", "31.12.2024"]) == ("dd.MM.yyyy",)
    assert date_formats(["5.1.2025", "31.12.2024"]) == ("d.M.yyyy",)
    assert date_formats(["01/02/2025", "31/12/2024"]) == ("dd/MM/yyyy",)
    assert date_formats(["01/02/2025", "soon"]) == ()


def test_no_notation_is_proposed_for_several_currencies() -> None:
    assert [notation.currency for notation in number_notations(["$1", "2 $"])] == [("$",)]
    assert number_notations(["$1", "2 €"]) == ()
