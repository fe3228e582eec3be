"""Which first records are headers, recognised by their cells."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.rows.formats.csv.header_rule import DataCell, MostlyEmpty, is_surely_header, kind_of, looks_like_data

VALUES = st.one_of(
    st.integers(3000, 10**9).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
    st.dates(date(1900, 1, 1)).map(str),
    st.tuples(st.dates(date(1900, 1, 1)), st.times()).map(lambda at: f"{at[0]} {at[1]:%H:%M:%S}"),
    st.times().map(lambda at: f"{at:%H:%M:%S}"),
    st.booleans().map(str),
)


def table(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.split("\n")]


@pytest.mark.parametrize(
    "text",
    [
        "1,ann,10\n2,bob,20",
        "17,2026-03-01,9.99\n18,2026-03-02,8.50",
        "ann,09:15\nbob,10:00",
        "ann,true\nbob,False",
        "ann,5\nbob,5.5\neve,6.5",
        "ann,5/3/2024\nbob,5/4/2024",
        "ann,2024-05-03T10:00:00Z\nbob,2024-05-03T11:00:00Z",
        "ann,3\nbob,\neve,4\njoe,x\nida,5",
        "1850,ann\n1851,bob",
        "x,2024-01-05,2024-01-09,2024-02-01\na,2024-01-01,2024-01-02,2024-01-03",
        "0,1\n5,6",
        "1,ann",
    ],
)
def test_a_value_above_values_like_it_is_data(text: str) -> None:
    header, *records = table(text)

    assert isinstance(looks_like_data(header, records), DataCell)


@pytest.mark.parametrize(
    "text",
    [
        ",a,b\n0,1,2",
        "a,b,\n1,2,",
        "country,2019,2020\nFR,1,2",
        "2022,state\n5,AL",
        "country,1/22/20,1/23/20\nFR,1,2",
        "name,0.5,0.9\nx,low,high",
        "id,1,2,3\n5,6,7,8",
        "id,10,20,30,name\n5,6,7,8,x",
        "x,2024-01-31,2024-02-29,2024-03-31\na,2024-01-01,2024-01-02,2024-01-03",
        "x,1/22/20,1/29/20,2/5/20\na,1/1/20,1/1/20,1/1/20",
        "x,01.12.2023,01.01.2024,01.02.2024\na,1.1.2020,1.1.2020,1.1.2020",
        ",25%,50%\nx,0.1,0.2",
        "https://a.example,b\nhttps://b.example,c",
        "ann,bob\neve,joe",
        "id,5\nx,\ny,",
        "id,n\n1,2",
        "",
    ],
)
def test_texts_years_and_numbers_in_step_are_names(text: str) -> None:
    header, *records = table(text)

    assert looks_like_data(header, records) is None


def test_a_first_record_of_empty_fields_is_no_header() -> None:
    assert looks_like_data(["Sales report", "", ""], [["id", "name", "x"]]) == MostlyEmpty(2, 3)
    assert looks_like_data(["", ""], []) == MostlyEmpty(2, 2)
    assert looks_like_data([""], [["5"]]) is None


def test_a_null_value_is_no_value() -> None:
    header, *records = table("x,5\na,-1\nb,-1\nc,low")

    assert looks_like_data(header, records) is not None
    assert looks_like_data(header, records, null_values=["-1"]) is None


def test_a_known_column_is_a_name() -> None:
    header, *records = table("x,5\na,6")

    assert looks_like_data(header, records, known={1}) is None


@given(value=VALUES, below=st.lists(st.text(), max_size=3))
def test_a_value_above_itself_is_data(value: str, below: list[str]) -> None:
    records = [[value]] * (len(below) + 1) + [[text] for text in below]

    assert isinstance(looks_like_data([value], records), DataCell)
    assert kind_of(value) is not None


@given(names=st.lists(st.text(st.characters(categories=["L"]), min_size=4), min_size=1), records=st.lists(VALUES))
def test_words_are_names(names: list[str], records: list[str]) -> None:
    names = [name for name in names if kind_of(name) is None] or ["name"]

    assert looks_like_data(names, [[record] * len(names) for record in records]) is None


@given(first=st.dates(date(2000, 1, 1), date(2040, 1, 1)), step=st.integers(1, 400), count=st.integers(3, 9))
def test_dates_in_step_are_names_in_any_order_of_their_parts(first: date, step: int, count: int) -> None:
    days = [first + timedelta(days=step * place) for place in range(count)]

    for written in ("%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%d/%m/%y"):
        header = [day.strftime(written) for day in days]
        assert looks_like_data(header, [header]) is None


def test_a_header_is_sure_where_a_name_stands_above_other_values() -> None:
    assert is_surely_header(["id", "name"], [["1", "ann"], ["2", "bob"]])
    assert not is_surely_header(["ann", "bob"], [["eve", "joe"]])
    assert not is_surely_header(["id", "id"], [["1", "2"]])
    assert not is_surely_header(["id", ""], [["1", "2"]])
    assert not is_surely_header(["id", "5"], [["1", "2"]])
    assert not is_surely_header(["id", "name"], [])
