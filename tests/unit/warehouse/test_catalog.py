"""What is made of the catalog's columns: their types, and the whole text of those that cannot be loaded."""

from __future__ import annotations

from typing import Any

import pytest

from framework.errors import WarehouseError
from framework.model.column_type import parse_type
from framework.model.observation import TableColumn
from framework.plan.render import render
from framework.plan.steps import MAX_STATEMENT_BYTES, Transaction
from framework.spec.load import load_pipeline_text
from framework.warehouse.catalog import ToObserve, observe, observe_all

SPEC = "pipeline: p\nsource: {prefix: data/in/p/}\ntarget: {table: t}\nload: {keys: [id]}\n"


class Catalog:
    """A warehouse that shows some rows, by template; keeps the transactions that asked for them."""

    control_schema = "feedway"

    def __init__(self, rows: dict[str, list[tuple[Any, ...]]]) -> None:
        self.rows = rows
        self.asked: list[Transaction] = []

    def run(self, transaction: Transaction, attempts: int | None) -> list[list[tuple[Any, ...]]]:
        self.asked.append(transaction)
        return [self.rows.get(statement.template, []) for statement in transaction.statements]


def observed(data_type: str, length: int | None, whole_type: str) -> TableColumn:
    """Return a column as svv_columns and svv_redshift_columns show it."""
    rows: dict[str, list[tuple[Any, ...]]] = {
        "select_relation": [("public", "t", "BASE TABLE")],
        "select_columns": [("public", "t", "x", data_type, length, None, None, "YES", None)],
        "select_column_design": [("public", "t", "x", "none", False, 0, None, whole_type)],
    }

    warehouse: Any = Catalog(rows)
    table = observe(warehouse, load_pipeline_text(SPEC, "p.yml", "p"), []).table
    assert table is not None
    return table.columns[0]


@pytest.mark.parametrize(
    ("data_type", "length", "whole_type", "type_text"),
    [
        ("binary varying", 200, "binary varying(200)", "binary varying(200)"),
        ("binary varying", None, "binary varying(200)", "binary varying(200)"),
        ("binary varying", None, "binary varying", "binary varying"),
        ("geometry", None, "geometry", "geometry"),
        ("time with time zone", None, "time with time zone", "time with time zone"),
        ("interval", None, "interval day to second(6)", "interval day to second(6)"),
    ],
)
def test_a_type_that_cannot_be_loaded_keeps_its_whole_text(
    data_type: str, length: int | None, whole_type: str, type_text: str
) -> None:
    column = observed(data_type, length, whole_type)

    assert (column.type, column.type_text) == (None, type_text)


@pytest.mark.parametrize(("data_type", "type_text"), [("super", "super"), ("time without time zone", "time")])
def test_super_and_time_are_known(data_type: str, type_text: str) -> None:
    column = observed(data_type, None, data_type)

    assert (column.type, column.type_text) == (parse_type(type_text), type_text)


def feed(number: int, etags: int = 1, more: str = "") -> ToObserve:
    text = SPEC.replace("pipeline: p", f"pipeline: p{number}").replace("table: t", f"table: t{number}")
    spec = load_pipeline_text(text + more, f"p{number}.yml", f"p{number}")
    return ToObserve(spec, [f"{number:05}-{etag:027}" for etag in range(etags)])


def test_a_target_that_cannot_be_loaded_fails_its_own_feed_only() -> None:
    kinds = [("public", "t1", "VIEW"), ("public", "t2", "BASE TABLE"), ("public", "t3", "BASE TABLE")]
    columns = [("public", "t3", "id", "integer", None, None, None, "YES", None)]
    warehouse: Any = Catalog({"select_relation": kinds, "select_columns": columns})

    absent, view, hidden, there = observe_all(warehouse, [feed(number) for number in range(4)])

    assert isinstance(view, WarehouseError)
    assert "public.t1 is a view" in str(view)
    assert isinstance(hidden, WarehouseError)
    assert "svv_columns shows none of its columns" in str(hidden)
    assert not isinstance(absent, WarehouseError)
    assert absent.table is None
    assert not isinstance(there, WarehouseError)
    assert there.table is not None
    assert [column.name for column in there.table.columns] == ["id"]


@pytest.mark.parametrize(("feeds", "etags"), [(1, 1), (40, 3), (40, 100), (400, 3), (3, 1500)])
def test_the_texts_of_a_submission_for_many_feeds_stay_within_what_a_statement_may_have(feeds: int, etags: int) -> None:
    name = "é" * 50
    more = "views: [{{name: v_{}_{}, definition: select 1}}]\ngrants: {{select: [public]}}"
    warehouse: Any = Catalog({})

    found = observe_all(warehouse, [feed(number, etags, more.format(name, number)) for number in range(feeds)])

    assert len(found) == feeds
    sizes = [sum(len(render(each, "_", "r").encode()) for each in asked.statements) for asked in warehouse.asked]
    assert all(size <= MAX_STATEMENT_BYTES for size in sizes), sizes
    # Not so far below it that more submissions are made than the texts need.
    assert len(sizes) <= -(-sum(sizes) // (MAX_STATEMENT_BYTES // 2)), sizes
