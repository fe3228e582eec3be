"""Keys that are proven to differ, in whatever collation the warehouse compares them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.model.column_type import parse_type
from framework.model.staging import FromFile, StagingColumn
from framework.rows.sql.expressions import duckdb_type
from framework.rows.sql.keys import are_distinct, hash_keys

Rows = Sequence[tuple[Any, ...]]
TYPES = ("bigint", "varchar(20)", "decimal(9,2)")
PLAIN = "aAbB .-1 "
ROW = st.tuples(
    st.integers(-2, 2),
    st.text(PLAIN, max_size=3),
    st.decimals(min_value=-2, max_value=2, places=2),
)


def hashed(rows: Rows, types: Sequence[str] = TYPES, most: int = 1000) -> bytes | None:
    """Return the hashes of rows all of whose columns are keys."""
    columns = [
        StagingColumn(f"k {place}", parse_type(text), FromFile(), required=True) for place, text in enumerate(types)
    ]
    created = ", ".join(f'"{column.name}" {duckdb_type(column.type)}' for column in columns)
    with duckdb.connect() as database:
        database.execute(f"create table staged ({created})")
        if rows:
            database.executemany(f"insert into staged values ({', '.join('?' * len(types))})", list(rows))
        return hash_keys(database.cursor(), columns, "from staged", most)


@pytest.mark.exhaustive
@given(st.lists(st.lists(ROW, max_size=6), max_size=3))
def test_parts_are_distinct_exactly_where_no_keys_are_equal_but_for_case_and_blanks(parts: list[Rows]) -> None:
    rows = [(number, text.rstrip(" ").lower(), amount) for part in parts for number, text, amount in part]
    assert are_distinct([hashed(part) for part in parts]) == (len(set(rows)) == len(rows))


@pytest.mark.parametrize("text", ["é", "ß", "ı", "a\u00ad", "a\tb", "a\x01", "\u00a0"])
def test_texts_that_a_collation_may_take_for_others_prove_nothing(text: str) -> None:
    assert hashed([(text,), ("b",)], ["varchar(20)"]) is None


@pytest.mark.parametrize(("kind", "values"), [("double precision", (0.0, 1.0)), ("time", ("10:00:00", "11:00:00"))])
def test_types_with_several_forms_of_one_value_prove_nothing(kind: str, values: Sequence[Any]) -> None:
    assert hashed([(value,) for value in values], [kind]) is None


def test_without_keys_nothing_is_proven() -> None:
    column = StagingColumn("a", parse_type("integer"), FromFile())
    with duckdb.connect() as database:
        assert hash_keys(database.cursor(), [column], "from (select 1 as a)", 1000) is None


def test_more_keys_than_may_be_kept_prove_nothing() -> None:
    rows = [(number, "", Decimal(0)) for number in range(11)]
    assert hashed(rows, most=10) is None
    assert are_distinct([hashed(rows[:10]), None]) is False


@pytest.mark.parametrize("copies", [0, 1])
def test_one_pair_among_many_keys_is_found(copies: int) -> None:
    column = StagingColumn("a", parse_type("bigint"), FromFile(), required=True)
    with duckdb.connect() as database:
        database.execute("create table staged as select range as a from range(60000)")
        whole = hash_keys(database.cursor(), [column], "from staged", 100_000)
        few = hash_keys(database.cursor(), [column], f"from staged where a between 60000 - {copies} and 60000", 10)
    assert are_distinct([whole, few]) == (copies == 0)
