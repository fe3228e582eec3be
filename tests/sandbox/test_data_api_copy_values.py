"""COPY in the sandbox: random values of every type arrive as they are, NULLs among them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.data_api_caller import Caller, copy_sql, new_table

PLAIN_COLUMNS = {
    "s": ("smallint", pa.int16(), st.integers(-(2**15), 2**15 - 1)),
    "i": ("integer", pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    "b": ("bigint", pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "f": ("double precision", pa.float64(), st.floats(allow_nan=False)),
    "o": ("boolean", pa.bool_(), st.booleans()),
    "v": ("varchar(400)", pa.string(), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)),
    "d": ("date", pa.date32(), st.dates()),
    "t": ("timestamp", pa.timestamp("us"), st.datetimes()),
}

ROWS = st.tuples(*(st.none() | values for _, _, values in PLAIN_COLUMNS.values()))


def copied(caller: Caller, columns: dict[str, str], staged: pa.Table) -> list[tuple[Any, ...]]:
    """Copy into a new table, in the transaction that creates it, and return the rows in their order."""
    table = new_table()
    numbered = staged.append_column("place", pa.array(range(staged.num_rows), pa.int32()))
    definition = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    described = caller.run_batch(
        f"create table {table} ({definition}, place integer)", copy_sql(table, caller.stage(numbered))
    )
    assert described["Status"] == "FINISHED", described["Error"]
    return [row[:-1] for row in caller.rows(f"select * from {table} order by place")]


@st.composite
def decimal_columns(draw: st.DrawFn) -> tuple[int, int, list[Decimal | None]]:
    precision = draw(st.integers(1, 38))
    scale = draw(st.integers(0, min(precision, 37)))
    largest = 10**precision - 1
    units = st.one_of(st.integers(-largest, largest), st.sampled_from([0, largest, -largest, 1, -1]), st.none())
    values = draw(st.lists(units, min_size=1, max_size=30))
    return precision, scale, [None if unit is None else Decimal((unit < 0, digits(unit), -scale)) for unit in values]


def digits(unit: int) -> tuple[int, ...]:
    return tuple(int(digit) for digit in str(abs(unit)))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(column=decimal_columns())
def test_decimals_of_any_size_arrive_exactly(caller: Caller, column: tuple[int, int, list[Decimal | None]]) -> None:
    precision, scale, values = column
    staged = pa.table({"n": pa.array(values, pa.decimal128(precision, scale))})
    found = copied(caller, {"n": f"decimal({precision},{scale})"}, staged)
    assert found == [(None if value is None else f"{value:f}",) for value in values]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(*(st.none() | values for _, _, values in PLAIN_COLUMNS.values())), min_size=1, max_size=20)
)
def test_values_of_all_types_arrive_side_by_side(caller: Caller, rows: list[tuple[Any, ...]]) -> None:
    staged = pa.table(
        {
            name: pa.array([row[place] for row in rows], kind)
            for place, (name, (_, kind, _)) in enumerate(PLAIN_COLUMNS.items())
        }
    )
    found = copied(caller, {name: kind for name, (kind, _, _) in PLAIN_COLUMNS.items()}, staged)
    assert found == [shown(row) for row in rows]


def shown(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the values as the Data API returns them: days and moments as text."""
    return tuple(moment_text(value) if isinstance(value, date) else value for value in row)


def moment_text(value: date) -> str:
    if not isinstance(value, datetime):
        return f"{value:%Y-%m-%d}".rjust(10, "0")
    fraction = f"{value.microsecond:06}".rstrip("0") or "0"
    return f"{value.year:04}-{value:%m-%d %H:%M:%S}.{fraction}"


def test_rows_copied_into_a_new_table_go_with_its_transaction(caller: Caller) -> None:
    table, staged = new_table(), caller.stage(pa.table({"a": pa.array([1, 2], pa.int32())}))
    create = f"create table {table} (a integer)"
    failed = caller.run_batch(create, copy_sql(table, staged), "select cast('x' as integer)")
    assert failed["Status"] == "FAILED"
    caller.do(create)
    assert caller.rows(f"select count(*) from {table}") == [(0,)]
    assert caller.copy(table, staged)["Status"] == "FINISHED"
    assert caller.rows(f"select a from {table} order by a") == [(1,), (2,)]
