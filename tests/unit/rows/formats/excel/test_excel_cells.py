"""What the XML of a sheet says of its cells, and of how much memory they would take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.model.cell_range import cell_name
from framework.rows.formats.excel.cells import NO_VALUE, Box, check_sheet, read_exactly, require_small, text_lengths
from framework.rows.formats.excel.container import BrokenWorkbook
from framework.rows.formats.excel.values import BadCell
from framework.rows.formats.packing import TooLarge

MANY = 1024**3


def sheet(*cells: str) -> bytes:
    return f"<worksheet><sheetData><row r='1'>{''.join(cells)}</row></sheetData></worksheet>".encode()


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

    cells, box, has_bad = check_sheet(in_pieces(text, size))

    assert (cells, box, has_bad) == (len(places), expected, False)


def test_cells_without_a_place_follow_one_another() -> None:
    text = b"<s><row><c t='n'><v>1</v></c><c/></row><row><c/><c/><c t=\"e\"><v>#N/A</v></c></row></s>"

    assert check_sheet([text]) == (5, None, True)
    found = read_exactly([text], [], is_1904=False, most_bytes=0)
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

    found = read_exactly(pieces, [], is_1904=False, most_bytes=0)

    assert found.bad == ({0: {0: NO_VALUE}} if is_bad else {})
    # A formula with an empty text is looked up for nothing.
    assert check_sheet(pieces)[2] == (is_bad or 't="str"' in cell)


def test_numbers_that_no_float_or_date_holds_are_read_exactly() -> None:
    numbers = ("-1", "60", "60.5", "61", "9007199254740993", "1.5", "1.234567890123457e+17", "123456789012345000")
    text = sheet(*(f'<c r="{cell_name(0, column)}"><v>{number}</v></c>' for column, number in enumerate(numbers)))

    found = read_exactly([text], [], is_1904=False, most_bytes=0)

    assert [found.is_no_day(0, column) for column in range(6)] == [True, True, True, False, False, False]
    assert found.long_numbers == {4: "9007199254740993", 6: "1.234567890123457e+17"}
    assert not read_exactly([text], [], is_1904=True, most_bytes=0).is_no_day(0, 1)


def test_a_text_counts_as_often_as_cells_repeat_it() -> None:
    lengths = text_lengths(in_pieces(b"<sst><si><t>" + b"x" * 500 + b"</t></si><si><t>y</t></si></sst>", 7))
    text = sheet(*('<c t="s"><v>0</v></c>' for _ in range(10)))

    assert lengths[0] >= 500 > lengths[1]
    assert read_exactly([text], lengths, False, most_bytes=10_000).text_bytes >= 5000
    with pytest.raises(TooLarge):
        read_exactly([text], lengths, False, most_bytes=4999)


@pytest.mark.parametrize("box", [Box(0, 0, 1_048_575, 16_383), Box(0, 0, 1_048_576, 0), Box(0, 0, 0, 16_384)])
def test_cells_that_lie_too_far_apart_are_not_read(box: Box) -> None:
    with pytest.raises(BrokenWorkbook, match="lie far apart"):
        require_small(box, MANY)


def test_a_sheet_that_is_no_xml_in_utf_8_is_broken() -> None:
    with pytest.raises(BrokenWorkbook, match="is damaged"):
        read_exactly([b"<row"], [], False, MANY)
    with pytest.raises(BrokenWorkbook, match="is not in UTF-8"):
        check_sheet(["<row/>".encode("utf-16-le")])
