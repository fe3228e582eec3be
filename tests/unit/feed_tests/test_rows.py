"""Differences of rows name the cell, or the row that is too many or too few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from framework.feed_tests.outcome import FoundColumn, Outcome
from framework.feed_tests.rows import MOST_SHOWN, compare_rows
from framework.model.column_type import parse_type
from framework.spec.feed_tests import Cell, Entry, Listed

Row = Mapping[str, Cell]
TYPES = {"id": "integer", "line": "integer", "name": "varchar(20)", "price": "decimal(18,2)"}


def table(*rows: Row) -> Outcome:
    """Return a table that holds rows."""
    columns = tuple(FoundColumn(name, parse_type(text), text) for name, text in TYPES.items())
    return Outcome(columns, rows, {})


def row(number: str, line: str, name: Cell, price: Cell) -> Row:
    return {"id": number, "line": line, "name": name, "price": price}


def written(*rows: Row) -> Listed:
    """Return rows as a test has them: the row of a number in that line, each cell in a column of its own."""
    entries = (
        Entry(cells, (line, 1), {name: (line, column) for column, name in enumerate(cells, start=10)})
        for line, cells in enumerate(rows, start=1)
    )
    return Listed(tuple(entries), (0, 0))


def differences(expected: Listed, found: Outcome, keys: Sequence[str] = ("id", "line")) -> list[tuple[object, str]]:
    return [(each.place, each.message) for each in compare_rows(expected, found, keys)]


ADA = row("1", "1", "Ada", "10.50")
BOB = row("1", "2", "Bob", None)


def test_equal_rows_differ_in_nothing_in_any_order() -> None:
    assert differences(written(BOB, ADA), table(ADA, BOB)) == []


def test_a_cell_is_named_by_the_keys_of_its_row() -> None:
    found = table({**ADA, "price": "10.51"}, {**BOB, "name": ""})

    assert differences(written(ADA, {**BOB, "name": None}), found) == [
        ((1, 13), "{id: '1', line: '1'}: price: expected '10.50', found '10.51'"),
        ((2, 12), "{id: '1', line: '2'}: name: expected NULL, found ''"),
    ]


def test_a_key_that_is_wrong_is_named_as_a_cell_of_the_row_that_is_most_alike() -> None:
    assert differences(written({**ADA, "id": "7"}, BOB), table(ADA, BOB)) == [
        ((1, 10), "{id: '7', line: '1'}: id: expected '7', found '1'")
    ]


def test_rows_too_many_and_too_few_are_named() -> None:
    carl = row("9", "9", "Carl", "3")

    assert differences(written(ADA, carl), table(ADA, BOB)) == [
        ((2, 1), "missing row {id: '9', line: '9', name: 'Carl', price: '3'}"),
        ((0, 0), "unexpected row {id: '1', line: '2', name: 'Bob', price: NULL}"),
    ]


def test_equal_rows_are_counted() -> None:
    assert differences(written(ADA), table(ADA, ADA), keys=()) == [
        ((0, 0), "unexpected row {id: '1', line: '1', name: 'Ada', price: '10.50'}")
    ]


def test_without_keys_the_most_similar_rows_are_compared() -> None:
    found = table({**BOB, "name": "Rob"}, {**ADA, "price": "1"})

    assert [place for place, _ in differences(written(ADA, BOB), found, keys=())] == [(1, 13), (2, 12)]


def test_only_columns_that_are_named_are_compared() -> None:
    assert differences(written({"id": "1", "name": "Ada"}), table(ADA)) == []


def test_a_column_that_is_not_there_is_named_once_with_the_one_that_may_be_meant() -> None:
    expected = written(*({"id": number, "nam": "x"} for number in "12"))
    found = table(ADA, row("2", "1", "x", None))

    assert differences(expected, found, keys=("id",)) == [
        ((1, 11), "the table has no column 'nam'; did you mean 'name'?")
    ]


def test_a_table_that_is_not_there_is_one_difference() -> None:
    assert differences(written(ADA), Outcome((), (), {})) == [((0, 0), "there is no table")]


def test_many_rows_are_named_in_part() -> None:
    many = [row(str(number), "1", None, None) for number in range(3_000)]

    found = differences(written(*many), table(row("9999", "2", "Ada", "1")))

    assert len(found) == MOST_SHOWN + 2
    assert found[-1] == ((0, 0), "and 2,980 more missing rows")


cells = st.one_of(st.none(), st.sampled_from(["", "a", "b"]))
rows = st.builds(row, st.sampled_from("123"), st.sampled_from("12"), cells, st.sampled_from([None, "1", "1.00", "2"]))


@given(st.lists(rows, max_size=6), st.lists(rows, max_size=6), st.sampled_from([(), ("id",), ("id", "line")]))
def test_there_is_a_difference_if_and_only_if_the_rows_are_not_the_same(
    expected: list[Row], found: list[Row], keys: tuple[str, ...]
) -> None:
    def values(each: list[Row]) -> list[tuple[str, ...]]:
        return sorted(tuple(repr(cell and cell.removesuffix(".00")) for cell in one.values()) for one in each)

    assert (differences(written(*expected), table(*found), keys) == []) == (values(expected) == values(found))
