"""Formats of dates: one notation, read as a regular expression."""

import itertools
import re

import pytest

from framework.model.date_format import DateFormat
from framework.model.months import MONTHS


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
        ("HH:mm", "23:59", True),
        ("HH:mm", "24:00", False),
        ("h:mm a", "9:05 pm", True),
        ("h:mm a", "09:05 PM", False),
        ("HHmmss.SSS", "235959.001", True),
    ],
)
def test_a_format_describes_its_texts(pattern: str, text: str, matches: bool) -> None:
    assert (re.fullmatch(DateFormat(pattern).expression, text) is not None) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        "yyyy-MM",
        "yyyy-MM-dd hh",
        "yyyy-MM-dd 'open",
        "yyyy-MM-dd yy",
        "DD.MM.yyyy",
        "yyyy-MM-dd HH a",
        "yyyy-MM-dd HH hh a",
        "yyyy-MM-dd mm",
        "HH",
        "mm:ss",
        "dd HH:mm",
    ],
)
def test_a_format_that_engines_would_read_differently_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="yyyy"):
        DateFormat(pattern)


@pytest.mark.parametrize("pattern", ["dMyyyy", "Mdyyyy", "yyyyMd", "dyyyyM", "dMMyyyyHmm", "yyyy-MM-d'1'Hmm"])
def test_a_format_whose_text_has_two_readings_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"nothing shows which of '.' and '.' has one digit and which has two"):
        DateFormat(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "fields"),
    [
        ("dMMyyyy", "1112024", ("1", "11", "2024")),
        ("dMMyyyy", "11112024", ("11", "11", "2024")),
        ("ddMyyyy", "1112024", ("11", "1", "2024")),
        ("yyyyMMdd", "20241111", ("2024", "11", "11")),
        ("yyyyMMddHHmmss", "20241111111111", ("2024", "11", "11", "11", "11", "11")),
        ("yyyyMMddHmm", "20241111111", ("2024", "11", "11", "1", "11")),
        ("d.M.yyyy", "1.11.2024", ("1", "11", "2024")),
        ("d.M.yyyy H:mm", "11.1.2024 1:11", ("11", "1", "2024", "1", "11")),
        ("dMMMyyyyHmm", "1Jan2024111", ("1", "Jan", "2024", "1", "11")),
        ("yyyyMMdXXXHmm", "2024111+01:00111", ("2024", "11", "1", "+01:00", "1", "11")),
    ],
)
def test_a_format_whose_text_has_one_reading_reads_it(pattern: str, text: str, fields: tuple[str, ...]) -> None:
    found = re.fullmatch(DateFormat(pattern).grouped_expression, text)
    assert found is not None
    assert found.groups() == fields


@pytest.mark.parametrize("order", list(itertools.permutations("yMdH")))
@pytest.mark.parametrize("widths", list(itertools.product("12", repeat=3)))
def test_a_format_is_refused_if_two_splits_of_its_digits_are_equally_long(
    order: tuple[str, ...], widths: tuple[str, ...]
) -> None:
    fields = dict(zip("MdH", map(int, widths), strict=True))
    pattern = "".join("yyyy" if field == "y" else field * fields[field] for field in order)
    # A field with two letters has two digits, one with one has one or two. A 1 may stand anywhere.
    splits = list(itertools.product(*((2,) if width == 2 else (1, 2) for width in fields.values())))
    has_one_reading = len(splits) == len({sum(split) for split in splits})

    try:
        DateFormat(pattern)
    except ValueError:
        assert not has_one_reading
    else:
        assert has_one_reading


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("dd/MM/yyyy", "MM/dd/yyyy", "02/01/2012"),
        ("d.M.yy", "M.d.yy", "2.1.12"),
        ("ddMMyyyy", "yyyyMMdd", "01012012"),
        ("dd.MM.yyyy", "d.M.yyyy", None),
        ("dd.MM.yyyy", "dd.MM.yyyy HH:mm", None),
        ("d MMM yyyy", "d MMMM yyyy", None),
        ("hh:mm a dd.MM.yyyy", "hh:mm a MM.dd.yyyy", "03:14 AM 02.01.2012"),
        ("yyyyMMdd", "epoch_s", "20120101"),
    ],
)
def test_formats_that_read_one_text_differently_are_found(first: str, second: str, text: str | None) -> None:
    found = DateFormat(first).conflicting_text(DateFormat(second))
    assert (found is None) is (text is None)
    if text is not None:
        # The text that is named is one that both read.
        assert re.fullmatch(DateFormat(first).expression, text)
        assert re.fullmatch(DateFormat(second).expression, found or "")


def test_every_month_has_its_own_names() -> None:
    for language, months in MONTHS.items():
        names = [name for of_month in months for name in dict.fromkeys(of_month)]
        assert len(months) == 12
        assert len(set(names)) == len(names), language
        assert all(name == name.lower() for name in names)


def test_a_format_without_a_day_is_of_a_time_of_day() -> None:
    assert DateFormat("HH:mm").is_time_of_day
    assert not DateFormat("dd.MM.yyyy HH:mm").is_time_of_day
    assert not DateFormat("epoch_s").is_time_of_day


@pytest.mark.parametrize(("pattern", "message"), [("HH:mm XXX", "no offset"), ("hh:mm", "AM or PM")])
def test_a_time_of_day_without_a_meaning_of_its_own_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DateFormat(pattern)


def test_a_time_and_a_day_of_the_same_digits_contradict_each_other() -> None:
    assert DateFormat("yyMMdd").conflicting_text(DateFormat("HHmmss")) is not None
    assert DateFormat("HH:mm").conflicting_text(DateFormat("H:mm")) is None
    assert DateFormat("HH:mm").conflicting_text(DateFormat("dd.MM.yyyy")) is None
