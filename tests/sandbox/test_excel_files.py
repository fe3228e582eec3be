"""The sheets of workbooks as people send them, and workbooks that cannot be read, from the lake to the table."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from tests.harness import MakeFeed
from tests.sandbox.workbooks import SHEET, edited, failure, saved, spec, workbook


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


def test_a_header_of_formulas_without_values_is_rejected(make_feed: MakeFeed) -> None:
    message = failure(make_feed(spec()), workbook(["id", '="n"'], [1, 2]))

    assert "the header's cell B1 has a formula without a stored value" in message


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


@pytest.mark.exhaustive(every=4)
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


@pytest.mark.exhaustive
def test_a_workbook_is_read_in_several_pieces(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    rows = [[number, f"text {number}", date(2024, 1, 1) + timedelta(days=number % 300)] for number in range(25_000)]

    assert feed.load("a.xlsx", workbook(["id", "name", "day"], *rows)).failure is None
    assert feed.sql(f"select count(*), sum(id), max(day) from {feed.table}") == [(25_000, 312487500, "2024-10-26")]


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
