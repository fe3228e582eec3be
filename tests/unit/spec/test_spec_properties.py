"""Whatever stands in a file, it is a spec or a SpecError with places inside the file."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from framework.errors import SpecError
from framework.spec.load import load_environments_text, load_pipeline_text

VALID: dict[str, Any] = {
    "pipeline": "p",
    "description": "d",
    "tags": ["t"],
    "source": {"prefix": "in/", "options": {"delimiter": ";", "encoding": "utf-8", "skip_lines": 1}},
    "target": {"schema": "s", "table": "t", "distkey": "a", "sortkey": ["b"]},
    "load": {"mode": "upsert", "keys": ["a"], "order_by": ["b desc"], "duplicates": "reject"},
    "columns": {"rename": {"x": "a"}, "exclude": ["c"]},
    "metadata_columns": {"run_date": "r", "file_name": None},
    "types": {
        "columns": {"b": {"type": "timestamp", "formats": ["yyyy-MM-dd"]}, "d": "bigint"},
        "rules": [{"name": "*", "inferred": "text", "only": "key", "type": "varchar(3)"}],
    },
    "evolution": {"missing_columns": {"stored_rows": "keep"}, "columns": {"d": {"type_conflicts": "to_text"}}},
    "bad_rows": {"action": "quarantine", "max_rows": 1, "max_fraction": 0.5, "log_samples": False},
    "views": [{"schema": "s", "name": "v", "definition": "select {{ target }}", "late_binding": True}],
}
TEXTS = st.text() | st.sampled_from(["", "a", "b", "A", "no", "{{", "{{ target }}", "date", "../x", "in/", "\0"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a document but itself."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for step, inner in steps for found in ((*path, step), *paths(inner, (*path, step)))]


def load_or_refuse(text: str) -> None:
    """Load a text as a spec and as environments; problems must stand inside it."""
    for load in (
        lambda: load_pipeline_text(text, "p.yml", "p"),
        lambda: load_environments_text(text, "e.yml"),
    ):
        refusal: SpecError | None = None
        try:
            load()
        except SpecError as error:
            refusal = error
        if refusal is not None:
            lines = len(re.split("\r\n|[\r\n\x85\u2028\u2029]", text))
            assert refusal.problems
            assert all(problem.line <= lines for problem in refusal.problems)


def test_the_valid_document_is_valid() -> None:
    assert load_pipeline_text(json.dumps(VALID), "p.yml", "p").views[0].late_binding


@given(st.text())
def test_any_text_is_refused_in_order(text: str) -> None:
    load_or_refuse(text)


@given(JSON)
def test_any_json_is_refused_in_order(value: Any) -> None:
    load_or_refuse(json.dumps(value))


@given(JSON)
def test_any_yaml_is_refused_in_order(value: Any) -> None:
    load_or_refuse(yaml.safe_dump(value))


@given(st.sampled_from(paths(VALID)), JSON)
def test_any_value_in_any_place_is_accepted_or_refused(path: tuple[Any, ...], value: Any) -> None:
    document = copy.deepcopy(VALID)
    parent: Any = document
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    load_or_refuse(json.dumps(document))


@given(st.sampled_from(paths(VALID)), TEXTS)
def test_any_name_in_any_place_is_accepted_or_refused(path: tuple[Any, ...], name: str) -> None:
    document = copy.deepcopy(VALID)
    parent: Any = document
    for step in path[:-1]:
        parent = parent[step]
    if isinstance(parent, dict):
        parent[name] = parent.pop(path[-1])
    load_or_refuse(json.dumps(document))
