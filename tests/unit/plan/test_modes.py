"""What load modes do in the merge, and that each has its facts, its module and its place in the schema."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from framework.model.modes import APPEND, MODES, REPLACE, UPSERT, LoadMode
from framework.plan.merge import plan_merge
from framework.plan.modes import merge_mode
from framework.spec.pipeline import LoadSpec, MissingPolicy
from tests.unit.plan.test_merge import MOST

ROOT = Path(__file__).resolve().parents[3]
WRITES = ("delete_all_rows", "delete_matching_rows", "insert_rows")


def written(mode: LoadMode, keys: tuple[str, ...] = ("id",), columns: tuple[str, ...] = ("id",)) -> list[str]:
    merge = replace(MOST, files=MOST.files[:1], load=LoadSpec(mode, keys, (), "deduplicate"), columns=columns)
    return [statement.template for statement in plan_merge(merge).statements if statement.template in WRITES]


def test_every_mode_of_the_schema_has_facts_and_a_module() -> None:
    schema = json.loads((ROOT / "schemas" / "pipeline.schema.json").read_text(encoding="utf-8"))
    load = schema["properties"]["load"]["properties"]["mode"]

    assert list(MODES) == load["enum"]
    assert all(merge_mode(mode) for mode in MODES.values())


@pytest.mark.parametrize(
    ("mode", "with_rows", "without"),
    [
        (UPSERT, ["delete_matching_rows", "insert_rows"], []),
        (APPEND, ["insert_rows"], []),
        (REPLACE, ["delete_all_rows", "insert_rows"], ["delete_all_rows"]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_mode_deletes_what_it_replaces_and_nothing_else(
    mode: LoadMode, with_rows: list[str], without: list[str]
) -> None:
    assert written(mode) == with_rows
    assert written(mode, columns=()) == without


@pytest.mark.parametrize(
    ("mode", "has_order_by", "decides"),
    [
        (UPSERT, False, True),
        (UPSERT, True, False),
        (APPEND, False, False),
        (REPLACE, False, True),
        (REPLACE, True, True),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_the_order_of_loads_decides_where_a_later_one_takes_rows_away(
    mode: LoadMode, has_order_by: bool, decides: bool
) -> None:
    assert mode.order_decides(has_order_by=has_order_by) is decides


def test_columns_that_a_load_does_not_know_are_guarded_where_it_would_overwrite_them() -> None:
    keep, overwrite = MissingPolicy("default", "keep", None), MissingPolicy("default", "overwrite", "table")

    assert merge_mode(UPSERT).keeps_columns([overwrite, keep])
    assert not merge_mode(UPSERT).keeps_columns([overwrite])
    assert merge_mode(REPLACE).keeps_columns([keep])
    assert not merge_mode(REPLACE).keeps_columns([overwrite])
    assert not merge_mode(APPEND).keeps_columns([keep])
