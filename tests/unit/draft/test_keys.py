"""Keys are guessed only where one candidate is left."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from framework.draft.keys import KeyColumn, check_keys, guess_keys
from framework.model.column_type import ColumnType, Kind, varchar

INTEGER, DATE, NUMBER = ColumnType(Kind.INTEGER), ColumnType(Kind.DATE), ColumnType(Kind.DOUBLE)


def column(name: str, column_type: ColumnType = INTEGER, nulls: int = 0) -> KeyColumn:
    return KeyColumn(name, column_type, nulls)


def guess(columns: Sequence[KeyColumn], unique: Sequence[Sequence[str]], rows: int = 100) -> tuple[str, ...]:
    """Return the keys of a feed `orders` in which these columns identify a row, and all that contain them."""

    def repeated(names: Sequence[str]) -> int:
        return 0 if any(set(each) <= set(names) for each in unique) else 3

    return guess_keys("orders", columns, rows, repeated).names


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (("id", "customer_id"), "id"),
        (("customer_id", "order_id"), "order_id"),
        (("customer_id", "amount"), "customer_id"),
        (("amount", "kundennummer"), "kundennummer"),
        (("customer_id", "product_id"), None),
        (("amount", "units"), "amount"),
    ],
)
def test_of_unique_columns_the_one_that_is_named_so_is_the_key(names: Sequence[str], key: str | None) -> None:
    assert guess([column(name) for name in names], [[name] for name in names]) == ((key,) if key else ())


def test_a_unique_column_without_such_a_name_must_be_the_first_of_many_rows() -> None:
    columns = [column("state", varchar(256)), column("units")]

    assert guess(columns, [["state"]]) == ("state",)
    assert guess(columns, [["units"]]) == ()
    assert guess(columns, [["state"]], rows=19) == ()


def test_one_row_proves_nothing() -> None:
    assert guess([column("id")], [["id"]], rows=1) == ()


def test_a_column_with_nulls_or_of_another_kind_is_no_key() -> None:
    assert guess([column("id", nulls=1), column("x")], [["id"]]) == ()
    assert guess([column("id", NUMBER), column("x")], [["id"]]) == ()


def test_the_smallest_combination_is_taken_where_it_is_the_only_one() -> None:
    columns = [column("day", DATE), column("shop"), column("product_id"), column("units")]

    assert guess(columns, [["day", "shop"]]) == ("day", "shop")
    assert guess(columns, [["day", "shop"], ["day", "product_id"]]) == ()
    assert guess(columns, [["day", "shop", "product_id"]]) == ("day", "shop", "product_id")
    assert guess(columns, [["day", "units"]]) == ()


def test_the_reason_names_the_candidates_and_what_repeats() -> None:
    found = guess_keys("orders", [column("id"), column("x")], 5, lambda names: 2 if names == ["id"] else 1)

    assert "id repeats in 2 rows" in found.why


def test_keys_that_were_asked_for_are_checked() -> None:
    known = {"a": column("a"), "b": column("b", nulls=2), "s": column("s", ColumnType(Kind.SUPER))}

    assert check_keys(["a"], known, ["a", "b", "c", "s"], 0) == ""
    assert check_keys(["a"], known, ["a"], 1) == "1 row repeats the a of an earlier row of the file"
    faults = check_keys(["b", "c", "d", "s"], known, ["a", "b", "c", "s"], 0)
    for words in ("2 rows have no b", "'c' is not in every file", "no column 'd'", "s holds objects"):
        assert words in faults
