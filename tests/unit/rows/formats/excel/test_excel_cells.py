"""What the XML of a sheet says of its cells, and of how much memory they would take."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.model.cell_range import cell_name
from framework.rows.formats.excel.cells import (
    NO_VALUE,
    Box,
    ExactCells,
    check_sheet,
    count_formats,
    read_exactly,
    require_small,
    text_lengths,
    without_bad_cells,
)
from framework.rows.formats.excel.container import BrokenWorkbook
from framework.rows.formats.excel.values import BadCell
from framework.rows.formats.packing import TooLarge

MANY = 1024**3


def sheet(*cells: str) -> bytes:
    return f"<worksheet><sheetData><row r='1'>{''.join(cells)}</row></sheetData></worksheet>".encode()


def exactly(pieces: Sequence[bytes]) -> ExactCells:
    return read_exactly(pieces, [], 0, is_1904=False, most_bytes=0)


def in_pieces(text: bytes, size: int) -> list[bytes]:
    return [text[start : start + size] for start in range(0, len(text), size)]


@given(
    st.lists(st.tuples(st.integers(0, 1_048_575), st.integers(0, 16_383)), min_size=1, max_size=20),
    st.integers(1, 60),
    st.sampled_from(["", "x:"]),
)
def test_the_rectangle_holds_every_cell_wherever_the_text_is_cut(
    places: list[tuple[int, int]], size: int, prefix: str
) -> None:
    text = sheet(*(f'<{prefix}c r="{cell_name(row, column)}" s="1"/>' for row, column in places))
    rows, columns = zip(*places, strict=True)
    expected = Box(min(rows), min(columns), max(rows), max(columns))

    cells, box, is_sound = check_sheet(in_pieces(text, size), texts=0, formats=2)

    assert (cells, box, is_sound) == (len(places), expected, not prefix)


def test_cells_without_a_place_follow_one_another() -> None:
    text = b"<s><row><c t='n'><v>1</v></c><c/></row><row><c/><c/><c t=\"e\"><v>#N/A</v></c></row></s>"

    assert check_sheet([text], 0, 0) == (5, None, False)
    found = exactly([text])
    assert (found.box, found.bad) == (Box(0, 0, 1, 2), {1: {2: BadCell("#N/A", "is an error")}})


@pytest.mark.parametrize("size", [3, 25, 1000])
@pytest.mark.parametrize(
    ("cell", "is_bad"),
    [
        ("<c><f>1+1</f></c>", True),
        ("<c><f>1+1</f><v/></c>", True),
        ('<c><f t="shared" si="0"/>\n<v ></v></c>', True),
        ('<x:c r="A1"><x:f>1+1</x:f><x:v /></x:c>', True),
        ('<c t="b"><f>A2</f></c>', True),
        ("<c><f>1+1</f><v>2</v></c>", False),
        ('<c><f t="shared" si="0"/><v>2</v></c>', False),
        ('<c t="str"><f>""</f><v></v></c>', False),
        ("<c><v/></c>", False),
    ],
)
def test_a_formula_without_a_stored_value_is_bad(cell: str, is_bad: bool, size: int) -> None:
    pieces = in_pieces(sheet(cell), size)

    assert exactly(pieces).bad == ({0: {0: NO_VALUE}} if is_bad else {})
    assert not (is_bad and check_sheet(pieces, 0, 0)[2])


def test_numbers_that_no_float_or_date_holds_are_read_exactly() -> None:
    numbers = ("-1", "60", "60.5", "61", "9007199254740993", "1.5", "1.234567890123457e+17", "123456789012345000")
    times = ("9.99999999E-1", "0.99999999")
    text = sheet(
        *(f'<c r="{cell_name(0, column)}"><v>{number}</v></c>' for column, number in enumerate(numbers + times))
    )

    found = exactly([text])

    is_no_day = [True, True, True, False, False, False, False, False, True, False]
    assert [found.is_no_day(0, column) for column in range(10)] == is_no_day
    assert found.long_numbers == {4: "9007199254740993", 6: "1.234567890123457e+17"}
    assert not read_exactly([text], [], 0, is_1904=True, most_bytes=0).is_no_day(0, 1)


def test_a_text_counts_as_often_as_cells_repeat_it() -> None:
    lengths = text_lengths(in_pieces(b"<sst><si><t>" + b"x" * 500 + b"</t></si><si><t>y</t></si></sst>", 7))
    text = sheet(*('<c t="s"><v>0</v></c>' for _ in range(10)))

    assert lengths[0] >= 500 > lengths[1]
    assert read_exactly([text], lengths, 0, False, most_bytes=10_000).text_bytes >= 5000
    with pytest.raises(TooLarge):
        read_exactly([text], lengths, 0, False, most_bytes=4999)


def test_cells_that_lie_too_far_apart_are_not_read() -> None:
    with pytest.raises(BrokenWorkbook, match="lie far apart"):
        require_small(Box(0, 0, 1_048_575, 16_383), MANY)


@pytest.mark.parametrize(
    "reference",
    [
        "XFE2",
        "A1048577",
        "A0",
        "ZZZZZZZZZ2",
        "B99999999",
        "B4294967297",
        "1A",
        "A",
        "2",
        "",
        " A2",
        "$A$2",
        "é2",
        "A2B",
    ],
)
@pytest.mark.parametrize("cell", ['<c r="{}"><v>7</v></c>', "<c s='1' r = '{}'/>", '<x:c r="{}"/>'])
def test_a_cell_outside_of_a_sheet_is_named_before_its_place_is_taken(reference: str, cell: str) -> None:
    text = [sheet('<c r="A1"><v>1</v></c>', cell.format(reference))]

    cells, box, _ = check_sheet(text, 0, 0)

    assert (cells, box) == (2, None)
    with pytest.raises(BrokenWorkbook, match=rf"its cell '{re.escape(reference)}' lies outside .* is XFD1048576"):
        exactly(text)


@pytest.mark.parametrize("row", ["0", "-1", "1048577", "99999999999", "4294967297", "", "x", " 1"])
def test_a_row_outside_of_a_sheet_is_named(row: str) -> None:
    text = [f"<sheetData><row r='{row}'><c><v>7</v></c></row></sheetData>".encode()]

    assert check_sheet(text, 0, 0)[1] is None
    with pytest.raises(BrokenWorkbook, match=rf"its row '{row}' lies outside of a sheet"):
        exactly(text)


def test_cells_that_run_over_the_last_column_are_named() -> None:
    with pytest.raises(BrokenWorkbook, match="its cell 'XFE1' lies outside of a sheet"):
        exactly([sheet(*["<c/>"] * 16_385)])


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_characters_that_no_xml_may_hold_do_no_harm(size: int) -> None:
    text = sheet('<c r="A1" t="inlineStr"><is><t>\ufffe\uffff\ufffd</t></is></c>', '<c r="B1" t="e"><v>#N/A</v></c>')

    found = exactly(in_pieces(text, size))

    assert found.bad == {0: {1: BadCell("#N/A", "is an error")}}
    rest = b"".join(without_bad_cells([text], found.spans))
    assert rest == text.replace(b'<c r="B1" t="e"><v>#N/A</v></c>', b'<c r="B1"/>')


def test_references_may_be_in_lower_case() -> None:
    assert exactly([sheet('<c r="b3"/>')]).box == Box(2, 1, 2, 1)


@pytest.mark.parametrize("size", [5, 1000])
@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ('<c r="A1" t="s"><v>-1</v></c>', "has a shared text that the workbook does not have"),
        ('<c r="A1" t="s"><v>abc</v></c>', "has a shared text that the workbook does not have"),
        ('<c r="A1" t="s"><v>2</v></c>', "has a shared text that the workbook does not have"),
        ("<c r='A1' t='s'><v>18446744073709551616</v></c>", "has a shared text that the workbook does not have"),
        ('<c r="A1" t="s"><v> 1 </v></c>', "has a shared text that the workbook does not have"),
        ('<c r="A1" t="s"><v>1</v></c>', ""),
        ('<c r="A1"><v>1E400</v></c>', "is no number"),
        ('<c r="A1"><v>-1E400</v></c>', "is no number"),
        (f'<c r="A1"><v>{"9" * 400}</v></c>', "is no number"),
        ('<c r="A1" t="n"><v>NaN</v></c>', "is no number"),
        ('<c r="A1"><v>INF</v></c>', "is no number"),
        ('<c r="A1"><v>abc</v></c>', "is no number"),
        ('<c r="A1"><v>1,5</v></c>', "is no number"),
        ('<c r="A1"><v>0x10</v></c>', "is no number"),
        ('<c r="A1"><v>1_0</v></c>', "is no number"),
        ('<c r="A1"><f>1</f><v> 5 </v></c>', "is no number"),
        ('<c r="A1"><v>-1.5E+308</v></c>', ""),
        ('<c r="A1"><v>+.5</v></c>', ""),
        ('<c r="A1" t="b"><v>2</v></c>', "is no boolean"),
        ('<c r="A1" t="b"><v>yes</v></c>', "is no boolean"),
        ('<c r="A1" t="b"><v>true</v></c>', ""),
        ('<c r="A1" t="d"><v>2024-13-45</v></c>', "is no date or time"),
        ('<c r="A1" t="d"><v>2024-01-31T25:00:00</v></c>', "is no date or time"),
        ('<c r="A1" t="d"><v>45322</v></c>', "is no date or time"),
        ('<c r="A1" t="d"><v>2024-01-31T12:00:00.5Z</v></c>', ""),
        ('<c r="A1" t="d"><v>12:30:00</v></c>', ""),
        ('<c r="A1" t="d"><v>PT36H</v></c>', ""),
        ('<c r="A1" s="2"><v>45322</v></c>', "has a format that the workbook does not have"),
        ('<c r="A1" s="x"><v>45322</v></c>', "has a format that the workbook does not have"),
        ('<c r="A1" s="2"/>', ""),
        ('<c r="A1" t="inlineStr"><v>abc</v></c>', "has no text where it should be"),
        ('<c r="A1" t="inlineStr"><is><r><t>abc</t></r></is></c>', ""),
        ('<c r="A1" t="inlineStr"/>', ""),
        ('<c r="A1" t="x"><v>5</v></c>', "has the unknown type 'x'"),
        ('<c r="A1" t="e"><v>#SPILL!</v></c>', "is an error"),
        ('<c r="A1" t="str"><f>A2</f><v>abc</v></c>', ""),
    ],
)
def test_a_damaged_cell_is_bad_and_taken_out(cell: str, reason: str, size: int) -> None:
    text = sheet(cell, '<c r="B1"><v>1</v></c>')

    found = read_exactly(in_pieces(text, size), [10, 10], formats=2, is_1904=False, most_bytes=MANY)

    assert [bad.reason for cells in found.bad.values() for bad in cells.values()] == ([reason] if reason else [])
    assert not (reason and check_sheet(in_pieces(text, size), texts=2, formats=2)[2])
    rest = sheet('<c r="A1"/>', '<c r="B1"><v>1</v></c>') if reason else text
    assert b"".join(without_bad_cells(in_pieces(text, size), found.spans)) == rest


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="A1"/>',
        '<c r="A1" s="1" />',
        '<c r="A1" s="1" t="s"><v>0</v></c>',
        '<c r="A1" t="n"><v>-1.5E-7</v></c>',
        '<c r="A1"><f t="shared" ref="A1:A2" si="0">B1&lt;2</f><v>12</v></c>',
        '<c r="A1" t="b"><f>A2</f><v>1</v></c>',
        '<c r="A1" t="str"><f>A2</f><v></v></c>',
        '<c r="A1" t="inlineStr"><is><t xml:space="preserve"> a</t></is></c>',
    ],
)
def test_cells_as_excel_writes_them_need_no_second_reading(cell: str) -> None:
    around = b"<cols><col min='1'/></cols>", b"<conditionalFormatting/>" + b"<cfRule/>" * 20_000

    found = check_sheet([around[0], sheet(*[cell] * 3), around[1], around[1]], texts=1, formats=2)

    assert found == (3, Box(0, 0, 0, 0), True)


def test_formats_are_those_of_cells() -> None:
    styles = (
        b"<x:s><cellStyleXfs><xf/><xf/></cellStyleXfs><x:cellXfs><x:xf><alignment/></x:xf><xf/><xf/></x:cellXfs></x:s>"
    )

    assert count_formats(in_pieces(styles, 7)) == 3
    assert len(text_lengths([b"<sst><si/><si><t/></si><x:si /></sst>"])) == 3


def test_a_sheet_that_is_no_xml_in_utf_8_is_broken() -> None:
    with pytest.raises(BrokenWorkbook, match="is damaged"):
        exactly([b"<row"])
    with pytest.raises(BrokenWorkbook, match="is not in UTF-8"):
        check_sheet(["<row/>".encode("utf-16-le")], 0, 0)
