"""The cells of workbooks as people send them, from the lake to the table."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from tests.harness import MakeFeed
from tests.sandbox.test_quarantine_replay import quarantine_rows
from tests.sandbox.workbooks import AT, SHEET, edited, failure, saved, spec, workbook


def test_values_have_the_types_that_they_have_in_excel(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    rows: list[list[Any]] = [
        ["ID", "Zip", "Day", "At", "Clock", "Amount", "Is Paid", "Note"],
        [1, "00501", date(2024, 1, 31), AT, time(8, 15), 0.1 + 0.2, True, "5"],
        [2, "10001", date(1900, 1, 2), AT.replace(microsecond=0), time(0, 0), -7, False, None],
        [None] * 8,
        [3, None, None, None, None, None, None, 'quoted "text",\nin two lines'],
    ]

    result = feed.load("a.xlsx", workbook(*rows))

    assert (result.status, result.failure) == ("SUCCESS", None)
    assert feed.types() == {
        "id": "integer",
        "zip": "character varying(256)",
        "day": "date",
        "at": "timestamp without time zone",
        "clock": "time without time zone",
        "amount": "numeric(38,18)",
        "is_paid": "boolean",
        "note": "character varying(256)",
    }
    columns = "zip, day, at, clock, amount, is_paid, note"
    assert [[str(value) for value in row] for row in feed.rows(columns, "id")] == [
        ["00501", "2024-01-31", "2024-01-31 12:30:00.25", "08:15:00", "0.300000000000000000", "True", "5"],
        ["10001", "1900-01-02", "2024-01-31 12:30:00.0", "00:00:00", "-7.000000000000000000", "False", "None"],
        [*["None"] * 6, 'quoted "text",\nin two lines'],
    ]


def test_a_formula_has_the_value_that_excel_last_computed(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    content = workbook(["id", "total"], [1, "=20+22"], [2, '="a"&"b"'])
    content = edited(content, SHEET, r"<f>20\+22</f><v ?/>|<f>20\+22</f><v></v>", "<f>20+22</f><v>42</v>")
    content = edited(content, SHEET, r'<c r="B3">', '<c r="B3" t="str">')
    content = edited(content, SHEET, r"(&amp;[^<]*</f>)<v ?/?>(</v>)?", r"\1<v>ab</v>")

    result = feed.load("a.xlsx", content)

    assert result.failure is None
    assert feed.rows("id, total", "id") == [(1, "42"), (2, "ab")]


def test_an_error_is_a_bad_row_and_a_good_row_loads(make_feed: MakeFeed) -> None:
    book = openpyxl.Workbook()
    rows: list[list[Any]] = [["id", "total", "day"], [1, "#N/A", None], [None], [2, 5, -1], [3, 7, 45322]]
    for row in rows:
        book.active.append(row)
    for number in (4, 5):
        book.active.cell(number, 3).number_format = "yyyy-mm-dd"

    message = failure(make_feed(spec()), saved(book))

    assert "row 1, line 2: cell B2 is an error, #N/A" in message
    book.active["B2"] = None
    message = failure(make_feed(spec()), saved(book))
    assert "row 2, line 4: cell C4 is formatted as a date or time, and its number is none" in message
    book.active["B2"] = "#N/A"
    feed = make_feed(spec() + "bad_rows: {action: quarantine, max_rows: 2}\n")
    assert feed.load("a.xlsx", saved(book)).failure is None
    assert feed.rows("id, total, day", "id") == [(3, 7, "2024-01-31")]


def test_large_numbers_of_fifteen_digits_and_dates_from_1904_are_exact(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    for row in (["id", "day"], [111, date(2024, 1, 31)], [222, date(1904, 1, 2)]):
        book.active.append(row)
    # As openpyxl would not write them.
    content = edited(saved(book), SHEET, "<v>111</v>", "<v>12345678901234500000</v>")
    content = edited(content, SHEET, "<v>222</v>", "<v>9007199254740991</v>")

    assert feed.load("a.xlsx", content).failure is None
    found = [[str(value) for value in row] for row in feed.rows("id, day", "id")]
    assert found == [["9007199254740991", "1904-01-02"], ["12345678901234500000", "2024-01-31"]]


def test_a_number_that_a_workbook_may_have_rounded_is_a_bad_row(make_feed: MakeFeed) -> None:
    texts = ["123456789012345678", "1.2345678901234567E+20", "-9007199254740993"]
    content = workbook(["id", "n"], *([row, 111 * row] for row in (1, 2, 3)), [4, 5])
    for row, text in enumerate(texts, start=1):
        content = edited(content, SHEET, f"<v>{111 * row}</v>", f"<v>{text}</v>")
    feed = make_feed(spec() + "bad_rows: {action: quarantine, max_rows: 3}\n")

    message = failure(make_feed(spec()), content)

    reason = "cell B2 has more than the 15 digits that a workbook keeps of a number (store it as text)"
    assert f"row 1, line 2: {reason}, {texts[0]}" in message
    assert feed.load("a.xlsx", content).failure is None
    assert [row["reason"] for row in quarantine_rows(feed)] == [
        f"{reason.replace('B2', f'B{row}')}, {text}" for row, text in enumerate(texts, start=2)
    ]
    assert feed.rows("id, n", "id") == [(4, 5)]


DAMAGED = {
    't="s"><v>-1</v>': "has a shared text that the workbook does not have, -1",
    't="s"><v>abc</v>': "has a shared text that the workbook does not have, abc",
    't="s"><v>99</v>': "has a shared text that the workbook does not have, 99",
    't="n"><v>1E400</v>': "is no number, 1E400",
    't="n"><v>abc</v>': "is no number, abc",
    't="b"><v>2</v>': "is no boolean, 2",
    't="d"><v>2024-13-45</v>': "is no date or time, 2024-13-45",
    's="99"><v>45322</v>': "has a format that the workbook does not have, 45322",
    't="inlineStr"><v>abc</v>': "has no text where it should be, abc",
} | {
    f't="e"><v>{error}</v>': f"is an error, {error}"
    for error in ("#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#UNKNOWN!", "#GETTING_DATA", "#CONNECT!")
}


def test_a_damaged_cell_is_a_bad_row_and_the_others_load(make_feed: MakeFeed) -> None:
    content = workbook(["id", "note"], [1, "a"], *([row, "damaged"] for row in range(2, len(DAMAGED) + 2)), [99, "c"])
    for line, cell in enumerate(DAMAGED, start=3):
        content = edited(content, SHEET, f'<c r="B{line}"[^>]*>.*?(?=</c>)', f'<c r="B{line}" {cell}')
    feed = make_feed(spec() + f"bad_rows: {{action: quarantine, max_rows: {len(DAMAGED)}}}\n")

    reasons = [f"cell B{line} {reason}" for line, reason in enumerate(DAMAGED.values(), start=3)]
    assert f"row 2, line 3: {reasons[0]}" in failure(make_feed(spec()), content)
    assert feed.load("a.xlsx", content).failure is None
    assert [row["reason"] for row in quarantine_rows(feed)] == reasons
    assert feed.rows("id, note", "id") == [(1, "a"), (99, "c")]


@pytest.mark.parametrize("epoch", [CALENDAR_WINDOWS_1900, CALENDAR_MAC_1904])
def test_a_number_that_is_no_time_of_its_day_is_a_bad_row(make_feed: MakeFeed, epoch: datetime) -> None:
    book = openpyxl.Workbook()
    book.epoch = epoch
    for row in (["id", "at"], *([row, time(8, 15)] for row in (1, 2, 3)), [4, time(23, 59, 59, 999000)]):
        book.active.append(row)
    content = saved(book)
    for line, number in enumerate(("0.999999999", "-0.2", "-1.5"), start=2):
        content = edited(content, SHEET, rf'(<c r="B{line}"[^>]*>)<v>[^<]*</v>', rf"\1<v>{number}</v>")
    feed = make_feed(spec() + "bad_rows: {action: quarantine, max_rows: 3}\n")

    assert "cell B2 is formatted as a date or time, and its number is none" in failure(make_feed(spec()), content)
    assert feed.load("a.xlsx", content).failure is None
    assert [row["row"] for row in quarantine_rows(feed)] == [1, 2, 3]
    assert [(number, str(at)) for number, at in feed.rows("id, at", "id")] == [(4, "23:59:59.999")]


def test_fractions_are_the_shortest_text_of_their_float(make_feed: MakeFeed) -> None:
    numbers = "0.30000000000000004", "1125899906842625.25", "1000000000000000.125", "2251799813685249.5"
    content = workbook(["id", "n"], *([row, 1000 + row] for row in range(4)))
    for row, number in enumerate(numbers):
        content = edited(content, SHEET, f"<v>{1000 + row}</v>", f"<v>{number}</v>")
    feed = make_feed(spec() + "types: {columns: {n: 'decimal(38,3)'}}\n")

    assert feed.load("a.xlsx", content).failure is None
    found = [str(number) for (number,) in feed.rows("n", "id")]
    assert found == ["0.300", "1125899906842625.200", "1000000000000000.100", "2251799813685249.500"]


def test_ids_of_eighteen_digits_never_share_a_key(make_feed: MakeFeed) -> None:
    message = failure(make_feed(spec()), workbook(["id"], [123456789012345678], [123456789012345679]))

    assert "cell A2 has more than the 15 digits" in message
    assert "2 of 2 rows cannot be loaded" in message


def test_a_formula_without_a_stored_value_is_a_bad_row_wherever_it_is(make_feed: MakeFeed) -> None:
    book = openpyxl.Workbook()
    for row in ([None, "id", "n"], [None, 1, 5], [None, 2, "=1+1"], [None, 3, 6]):
        book.active.append(row)
    # Outside of all values.
    book.active["C7"] = "=SUM(C2:C4)"
    book.active["A8"] = "=1"
    feed = make_feed(spec() + "bad_rows: {action: quarantine, max_rows: 3}\n")

    message = failure(make_feed(spec()), saved(book))

    reason = "has a formula without a stored value: open the workbook in Excel and save it"
    assert "3 of 5 rows cannot be loaded" in message
    assert f"row 2, line 3: cell C3 {reason}" in message
    assert feed.load("a.xlsx", saved(book)).failure is None
    assert feed.rows("id, n", "id") == [(1, 5), (3, 6)]


def test_cells_are_those_that_openpyxl_reads(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    rows: list[list[Any]] = [["n", "x", "t", "d", "s", "b"]]
    start = AT.replace(year=1900, month=3, day=1)
    for n in range(300):
        at = start + timedelta(days=149 * n, milliseconds=7_777_777 * n)
        rows.append([n, n * 1.1 - 7, f"text {n}", at.date(), at, n % 3 == 0])
    content = workbook(*rows)

    assert feed.load("a.xlsx", content).failure is None
    (_, *expected) = openpyxl.load_workbook(io.BytesIO(content), data_only=True).active.values
    found = feed.rows("n, x, t, d, s, b", "n")
    assert len(found) == len(expected)
    for got, wanted in zip(found, expected, strict=True):
        n, x, t, d, s, b = wanted
        assert (got[0], got[2], got[3], got[5]) == (n, t, str(d.date()), b)
        assert float(got[1]) == pytest.approx(x, abs=1e-12)
        assert datetime.fromisoformat(str(got[4]).ljust(22, "0") if "." in str(got[4]) else str(got[4])) == s


FIRST = AT.replace(year=1901, microsecond=0)
CELLS = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-(2**53) + 1, 2**53 - 1),
        "x": st.none() | st.decimals(-(10**6), 10**6, places=4),
        "t": st.none() | st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=20),
        "d": st.none() | st.dates(date(1900, 3, 1), date(9999, 12, 31)),
        "s": st.none() | st.integers(0, 10**10).map(lambda seconds: FIRST + timedelta(seconds=seconds)),
        "b": st.none() | st.booleans(),
    }
)
NAMES = ("n", "x", "t", "d", "s", "b")
TYPED = """
types:
  columns: {id: integer, n: bigint, x: "decimal(18,4)", t: varchar(200), d: date, s: timestamp, b: boolean}
"""


@settings(
    max_examples=3,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=st.lists(CELLS, min_size=1, max_size=30))
def test_a_table_loads_from_a_workbook_as_from_csv(make_feed: MakeFeed, rows: list[dict[str, Any]]) -> None:
    names = ["id", *NAMES]
    table = [[place, *(row[name] for name in NAMES)] for place, row in enumerate(rows)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([names, *([str(cell) if cell is not None else "" for cell in row] for row in table)])
    from_csv, from_excel = make_feed(spec() + TYPED), make_feed(spec() + TYPED)

    assert from_csv.load("a.csv", text.getvalue()).failure is None
    assert from_excel.load("a.xlsx", workbook(names, *table)).failure is None

    assert from_excel.types() == from_csv.types()
    assert from_excel.rows("*", "id") == from_csv.rows("*", "id")


def test_dates_and_texts_of_a_super_column_are_strings(make_feed: MakeFeed) -> None:
    feed = make_feed(spec() + "types: {columns: {v: super}}\n")
    cells = [date(2024, 1, 31), AT, time(8, 15), 1.5e-7, -2, True, "x", '{"a": 1}', None]

    assert (
        feed.load("a.xlsx", workbook(["id", "v"], *([place, cell] for place, cell in enumerate(cells)))).failure is None
    )
    assert [value for (value,) in feed.rows("v", "id")] == [
        '"2024-01-31"',
        '"2024-01-31 12:30:00.250000"',
        '"08:15:00"',
        "0.00000015",
        "-2",
        "true",
        '"x"',
        r'"{\"a\": 1}"',
        None,
    ]
