"""What is made of the catalog's columns: their types, and the whole text of those that cannot be loaded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from framework.model.column_type import parse_type
from framework.model.observation import TableColumn
from framework.spec.load import load_pipeline_text
from framework.warehouse.catalog import observe

SPEC = "pipeline: p\nsource: {prefix: data/in/p/}\ntarget: {table: t}\nload: {keys: [id]}\n"


def observed(data_type: str, length: int | None, whole_type: str) -> TableColumn:
    """Return a column as svv_columns and svv_redshift_columns show it."""
    rows: dict[str, list[tuple[Any, ...]]] = {
        "select_relation": [("BASE TABLE",)],
        "select_columns": [("x", data_type, length, None, None, "YES", None)],
        "select_column_design": [("x", "none", False, 0, None, whole_type)],
    }

    def run(transaction: Any) -> list[list[tuple[Any, ...]]]:
        return [rows.get(statement.template, []) for statement in transaction.statements]

    warehouse: Any = SimpleNamespace(run=run, control_schema="feedway", control_table=lambda name: name)
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
