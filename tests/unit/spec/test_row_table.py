"""Rows written as a table are read as they were meant, or refused with their place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.spec.row_table import TableTextError, read_table


def cells(text: str) -> list[dict[str, str | None]]:
    return [{name: cell.text for name, cell in row.items()} for row in read_table(text)]


def test_an_empty_cell_is_null_and_a_quoted_one_is_empty() -> None:
    assert cells('a,b,c\n1,,""\n') == [{"a": "1", "b": None, "c": ""}]


def test_quotes_hold_commas_quotes_and_line_breaks() -> None:
    assert cells('a,b\n"x, ""y""","1\n2"\n') == [{"a": 'x, "y"', "b": "1\n2"}]


def test_blank_lines_are_left_out_and_the_last_line_needs_no_end() -> None:
    assert cells("a,b\n\n1,2\n\n3,") == [{"a": "1", "b": "2"}, {"a": "3", "b": None}]


def test_cells_know_their_places() -> None:
    _, row = read_table('a,b\n"1\n2",x\ny,z\n')

    assert (row["a"].within, row["b"].within) == ((3, 0), (3, 2))


@pytest.mark.parametrize(
    ("text", "message", "within"),
    [
        ("", "the table is empty", (0, 0)),
        ("a,a\n", "the column name 'a' is given twice", (0, 2)),
        ("a,\n", "a column has no name", (0, 2)),
        ("a,b\n1\n", "the row has 1 cells, and the header names 2", (1, 0)),
        ('a,b\n1,"2\n', "a quote is misplaced", (1, 2)),
        ('a,b\n1,2"\n', "a quote is misplaced", (1, 2)),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(text: str, message: str, within: tuple[int, int]) -> None:
    with pytest.raises(TableTextError, match=message) as refused:
        read_table(text)
    assert refused.value.within == within


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(st.lists(st.tuples(st.none() | texts, texts), max_size=5))
def test_what_is_written_is_read(rows: list[tuple[str | None, str]]) -> None:
    def cell(text: str | None) -> str:
        return "" if text is None else '"' + text.replace('"', '""') + '"'

    text = "a,b\n" + "".join(f"{cell(one)},{cell(other)}\n" for one, other in rows)

    assert cells(text) == [{"a": one, "b": other} for one, other in rows]
