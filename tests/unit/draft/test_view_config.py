"""Older JSON files of views."""

from __future__ import annotations

import json
from typing import Any

import pytest

from framework.draft.view_config import read_view_config
from framework.errors import SpecError

VIEW = {"schema": "reporting", "name": "v_a", "definition": "select 1"}


@pytest.mark.parametrize(
    "document",
    [
        [VIEW],
        VIEW,
        {"views": [VIEW]},
        {"view_config": {"v_a": {"schema": "reporting", "sql": "select 1"}}},
        {"v_a": {"view_schema": "reporting", "query": "select 1;"}},
        {"reporting.v_a": "select 1 ; "},
        [{"view_name": "reporting.v_a", "sql": ["select 1"]}],
    ],
)
def test_every_known_form_gives_the_same_view(document: Any) -> None:
    assert read_view_config(json.dumps(document), "it") == [VIEW]


def test_lines_and_late_binding_are_kept() -> None:
    text = json.dumps([{"name": "v", "sql": ["select a", "from {source_table}"], "no_schema_binding": True}])

    assert read_view_config(text, "it") == [
        {"name": "v", "definition": "select a\nfrom {source_table}", "late_binding": True}
    ]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([{**VIEW, "owner": "x", "colour": 1}], "'owner', 'colour'"),
        ([{**VIEW, "sql": "select 2"}], "'definition' and 'sql'"),
        ([{"name": "v"}], "the definition is missing"),
        ([{"definition": "select 1"}], "the name is missing"),
        ([{**VIEW, "late_binding": "yes"}], "must be true or false"),
        ([1], "is no object"),
        ({"v": 1}, "is no object"),
        (1, "neither a list nor an object"),
        ([], "has no view"),
    ],
)
def test_anything_else_is_refused_by_name(document: Any, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        read_view_config(json.dumps(document), "it")


@pytest.mark.parametrize("text", ["{", '{"a": "select 1", "a": "select 2"}', "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="is no JSON"):
        read_view_config(text, "it")
