"""Workbooks as people send them, from the lake to the table."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from tests.harness import FeedHarness, MakeFeed
from tests.sandbox.test_quarantine_replay import quarantine_rows

# Cells have no time zone.
AT = datetime(2024, 1, 31, 12, 30, 0, 250000)  # noqa: DTZ001
SHEET = "xl/worksheets/sheet1.xml"
APPEND = """
source: {prefix: "data/in/{name}/"%s}
target: {table: "{name}"}
load: {mode: append}
metadata_columns: {run_date: null, file_name: null}
"""


def spec(source: str = "") -> str:
    return APPEND % (f", {source}" if source else "")


def workbook(*rows: Sequence[Any], **sheets: Sequence[Sequence[Any]]) -> bytes:
    """Return a workbook whose first sheet has these rows, and others by name."""
    book = openpyxl.Workbook()
    for sheet, content in ((book.active, rows), *((book.create_sheet(name), each) for name, each in sheets.items())):
        for row in content:
            sheet.append(row)
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def failure(feed: FeedHarness, content: bytes) -> str:
    """Return why a file does not load."""
    result = feed.load("a.xlsx", content)
    assert result.failure is not None
    return result.failure.message


def edited(content: bytes, member: str, pattern: str, replacement: str) -> bytes:
    """Return a workbook in which the text of a member is another."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as copy:
        for each in archive.infolist():
            text = archive.read(each)
            if each.filename == member:
                before = text.decode("utf-8")
                after = re.sub(pattern, replacement, before)
                assert after != before
                text = after.encode("utf-8")
            copy.writestr(each.filename, text)
    return result.getvalue()


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


def test_a_value_beside_the_table_is_a_bad_row_that_names_its_cell(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())

    message = failure(feed, workbook(["id", "name"], [1, "a"], [], [2, "b", None, "total"], [3, "c"], [4, "d"]))

    assert "row 2, line 4" in message
    assert "cell D4 has a value, and its column has no header" in message


def test_a_title_above_the_header_comes_with_the_option_that_loads_it(make_feed: MakeFeed) -> None:
    book = openpyxl.Workbook()
    for row in (
        ["Sales of May", None, None],
        [],
        ["id", "name", "day"],
        [1, "Ann", date(2024, 5, 1)],
        [2, "Bob", None],
    ):
        book.active.append(row)
    book.active.merge_cells("A1:C1")

    message = failure(make_feed(spec()), saved(book))

    assert "source: {options: {skip_lines: 1}}" in message
    feed = make_feed(spec("options: {skip_lines: 1}"))
    assert feed.load("a.xlsx", saved(book)).failure is None
    assert feed.rows("id, name, day", "id") == [(1, "Ann", "2024-05-01"), (2, "Bob", None)]


def test_a_sheet_that_begins_with_data_comes_with_the_option_that_loads_it(make_feed: MakeFeed) -> None:
    message = failure(make_feed(spec()), workbook([1, "Ann", 5.5], [2, "Bob", 6.5]))

    assert "the first line looks like data: its field 1 is a value (integer)" in message
    assert "source: {options: {header: false, names: [column_1, column_2, column_3]}}" in message
    feed = make_feed(spec("options: {header: false, names: [id, name, amount]}"))
    assert feed.load("a.xlsx", workbook([1, "Ann", 5.5], [2, "Bob", 6.5])).failure is None
    assert feed.rows("id, name, amount", "id") == [
        (1, "Ann", "5.500000000000000000"),
        (2, "Bob", "6.500000000000000000"),
    ]


@pytest.mark.parametrize("sheet", ["2", "Orders", "orders"])
def test_a_sheet_is_read_by_its_name_or_place(make_feed: MakeFeed, sheet: str) -> None:
    feed = make_feed(spec(f"options: {{sheet: {sheet}}}"))

    assert feed.load("a.xlsx", workbook(["x"], ["y"], Orders=[["id"], [7]])).failure is None
    assert feed.rows("id", "id") == [(7,)]


@pytest.mark.parametrize("sheet", ["3", "Order"])
def test_a_missing_sheet_is_named_with_those_that_exist(make_feed: MakeFeed, sheet: str) -> None:
    message = failure(make_feed(spec(f"options: {{sheet: {sheet}}}")), workbook(["x"], ["y"], Orders=[["id"], [7]]))

    assert (
        f"the workbook has no sheet {sheet if sheet == '3' else repr(sheet)}, but 2 sheets: 'Sheet', 'Orders'"
        in message
    )


REPORT: list[list[Any]] = [
    ["Report", None, None, None, "unused"],
    [None, "printed", None, None, 1],
    [None, "id", "name", "amount", None],
    [None, 1, "a", 2, "beside"],
    [None, None, None, None, None],
    [None, 2, "b", 3, None],
    [None, "Total", None, 5, None],
]


@pytest.mark.parametrize(
    "options",
    [
        'range: "B3:D", footer_lines: 1',
        'range: "b3:d6"',
        'range: "B1:D", skip_lines: {until: id}, footer_lines: {from: "Tot*"}',
        'range: "B2:D6", skip_lines: 1, header: true, names: [id, name, amount]',
        'range: "B4:D6", header: false, names: [id, name, amount]',
    ],
)
def test_a_table_within_a_sheet_is_read_by_options(make_feed: MakeFeed, options: str) -> None:
    feed = make_feed(spec(f"options: {{{options}}}"))

    result = feed.load("a.xlsx", workbook(*REPORT))

    assert result.failure is None
    assert feed.rows("id, name, amount", "id") == [(1, "a", 2), (2, "b", 3)]
    assert list(feed.types()) == ["id", "name", "amount"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("skip_lines: {until: Nothing}", "none of the first 1,000 lines begins with 'Nothing'"),
        (
            'range: "B3:D", footer_lines: 9',
            "the sheet has 4 lines below its header, and source.options.footer_lines is 9",
        ),
        ("range: A90:C", "has no cells where source.options has the table"),
        ('range: "B3:D", header: true, names: [id]', "the header has 3 columns, and source.options.names has 1"),
    ],
)
def test_a_sheet_that_is_not_as_the_options_say_is_set_aside(make_feed: MakeFeed, options: str, reason: str) -> None:
    feed = make_feed(spec(f"options: {{{options}}}"))

    assert reason in failure(feed, workbook(*REPORT))
    assert feed.keys("data/in/") == []


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


def test_a_header_of_formulas_without_values_is_rejected(make_feed: MakeFeed) -> None:
    message = failure(make_feed(spec()), workbook(["id", '="n"'], [1, 2]))

    assert "the header's cell B1 has a formula without a stored value" in message


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


def zipped(**members: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_x", ".x").replace("_b", ".b"), text)
    return content.getvalue()


def bomb(megabytes: int) -> bytes:
    """Return a workbook whose sheet has so many megabytes of nothing."""
    content = workbook(["id"], [1])
    return edited(content, SHEET, "</worksheet>", f"{' ' * megabytes * 1024**2}</worksheet>")


def lying(content: bytes) -> bytes:
    """Return a workbook whose directory says that its sheet is small."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo(SHEET).file_size
    return content.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))


def repeated() -> bytes:
    """Return a small workbook in which each cell has the same long text."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for _ in range(2000):
        sheet.append(["x" * 30_000])
    return saved(book)


def far_apart() -> bytes:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["A2"], book.active["XFD1048576"] = "id", 1, 2
    return saved(book)


def moved(cell: str, place: str) -> bytes:
    """Return a workbook one of whose cells has another place."""
    return edited(workbook(["id"], [1]), SHEET, f'r="{cell}"', f'r="{place}"')


SMALL = "max_unpacked: 20MB"


@pytest.mark.parametrize(
    ("source", "content", "reason"),
    [
        ("", workbook(["id"], [1])[:-300], "the workbook is damaged or cut off"),
        ("", workbook(["id"], [1])[:2000], "the workbook is damaged or cut off"),
        ("format: excel", b"id,name\n1,Ann\n", "the file is text such as CSV, and the feed reads Excel (.xlsx)"),
        ("format: csv", workbook(["id"], [1]), "the file is an Excel workbook (.xlsx), and the feed reads CSV"),
        ("", workbook(), "the sheet 'Sheet' is empty: not even a header"),
        ("", zipped(_rels__a_xml=b"", word__document_xml=b"<a/>"), "the file is a Word document"),
        ("", zipped(_rels__a_xml=b"", xl__workbook_bin=b"\0"), "the file is a binary Excel workbook (.xlsb)"),
        ("", zipped(_rels__a_xml=b"<a/>"), "the file is no Excel workbook (.xlsx): it has no xl/workbook.xml"),
        (SMALL, bomb(30), "it unpacks to more than 20.0 MB, the limit of source.max_unpacked"),
        (SMALL, lying(bomb(10)), "its part xl/worksheets/sheet1.xml has not the size that it should"),
        (SMALL, repeated(), "it unpacks to more than 20.0 MB"),
        ("", far_apart(), "the sheet's cells lie far apart, within A1:XFD1048576"),
        ("", moved("A2", "ZZZZZZZZZ2"), "its cell 'ZZZZZZZZZ2' lies outside of a sheet, whose last cell is XFD1048576"),
        ("", moved("A2", "B99999999"), "its cell 'B99999999' lies outside of a sheet"),
        ("", moved("A1", "ZZZZZ1"), "its cell 'ZZZZZ1' lies outside of a sheet"),
        ("", moved("A2", "A0"), "its cell 'A0' lies outside of a sheet"),
    ],
)
def test_what_cannot_be_read_is_set_aside_with_one_message(
    make_feed: MakeFeed, source: str, content: bytes, reason: str
) -> None:
    feed = make_feed(spec(source))

    assert reason in failure(feed, content)
    assert feed.keys("data/in/") == []


def test_a_workbook_is_read_in_several_pieces(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    rows = [[number, f"text {number}", date(2024, 1, 1) + timedelta(days=number % 300)] for number in range(25_000)]

    assert feed.load("a.xlsx", workbook(["id", "name", "day"], *rows)).failure is None
    assert feed.sql(f"select count(*), sum(id), max(day) from {feed.table}") == [(25_000, 312487500, "2024-10-26")]


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


def test_the_documented_example_loads(make_feed: MakeFeed) -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    section = page.split("\n## Excel\n")[1].split("\n## ")[0]
    cells = [line.strip("|").split("|")[1:] for line in section.splitlines() if re.match(r"\| \d", line)]
    rows = [[value_of(cell.strip()) for cell in row] for row in cells]
    source = yaml.safe_load(section.split("```yaml\n")[1].split("```")[0])["source"]
    feed = make_feed(spec().replace('{prefix: "data/in/{name}/"}', json.dumps({**source, "prefix": "data/in/{name}/"})))

    assert feed.load("a.xlsx", workbook(*rows)).failure is None
    found = [tuple(map(str, row)) for row in feed.rows("order_id, zip, amount, ordered_at", "1")]
    assert found == [
        ("1", "00501", "12.500000000000000000", "2024-05-01"),
        ("2", "10001", "7.000000000000000000", "2024-05-02"),
    ]


def value_of(text: str) -> object:
    """Return the value that a cell of a documented workbook shows; a code is a text."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return date.fromisoformat(text)
    is_number = re.fullmatch(r"\d{1,4}|\d+\.\d+", text)
    return float(text) if is_number else text or None
