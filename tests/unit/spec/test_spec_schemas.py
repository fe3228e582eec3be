"""The JSON Schemas, the values and the documentation say the same."""

from __future__ import annotations

import dataclasses
import json
import re
import runpy
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from framework.model.file_options import FileOptions
from framework.model.notation import Notation
from framework.resources import read_text
from framework.spec.document import read_document
from framework.spec.environment import Environment
from framework.spec.json_schema import _DESCRIPTIONS, json_schema, schema_findings
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import PipelineSpec, TypeRule, ViewSpec
from tests.examples import Example, examples

ROOT = Path(__file__).parents[3]
NAMES = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "schemas").rglob("*.json"))]
ANNOTATIONS = {
    "$schema",
    "title",
    "description",
    "default",
    "examples",
    "patternErrorMessage",
    "replacedFields",
    "markdownEnumDescriptions",
}
STRUCTURE = {"properties", "items", "$defs", "$ref"}
WRITTEN = ("pipeline", "environments", "feed_tests")
"""The schemas of what people write, in editors that describe and suggest."""


def subschemas(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a schema and all that stand in it, with where they stand."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from subschemas(field, f"{path}.{name}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from subschemas(schema[keyword], f"{path}.{keyword}")


@pytest.mark.parametrize("name", NAMES)
def test_every_field_has_one_sentence_and_valid_examples(name: str) -> None:
    schema = json.loads(read_text(name))
    Draft202012Validator.check_schema(schema)
    for path, field in subschemas(schema):
        if path.endswith(".items") or (path.endswith(".additionalProperties") and "properties" not in field):
            continue
        assert re.fullmatch(r"[^\n]+\.", field["description"]), path
        examples = field["examples"] if path else []
        for value in (*examples, *([field["default"]] if "default" in field else [])):
            Draft202012Validator({**field, "$defs": schema.get("$defs", {})}).validate(value)
        assert examples or not path, path


@pytest.mark.parametrize("name", ["pipeline", "environments"])
def test_every_field_is_required_or_has_a_default(name: str) -> None:
    computed = {".source.on_failure"}
    for path, schema in subschemas(json_schema(name)):
        if path in (".evolution.columns.additionalProperties", ".types.columns.additionalProperties"):
            # What is left out is the table's.
            continue
        for field_name, field in schema.get("properties", {}).items():
            required = field_name in schema.get("required", ())
            filled = "default" in field or "properties" in field
            assert required or filled or f"{path}.{field_name}" in computed


@pytest.mark.parametrize("name", ["pipeline", "environments"])
def test_every_keyword_has_its_words(name: str) -> None:
    used = {keyword for _, schema in subschemas(json_schema(name)) for keyword in schema}
    assert used - ANNOTATIONS - STRUCTURE == set(_DESCRIPTIONS) & used


@pytest.mark.parametrize("name", WRITTEN)
def test_each_value_of_an_enumeration_is_described(name: str) -> None:
    enumerations = [(path, field) for path, field in subschemas(json_schema(name)) if "enum" in field]

    assert enumerations
    for path, field in enumerations:
        descriptions = field.get("markdownEnumDescriptions", ())
        assert len(descriptions) == len(field["enum"]), path
        assert all(re.fullmatch(r"[A-Z][^\n]+\.|`[^`]+`", text) for text in descriptions), path


@pytest.mark.parametrize("name", WRITTEN)
def test_no_text_is_null_by_default_for_an_editor(name: str) -> None:
    # yaml-language-server suggests no field behind a mapping in which a text, its first type, is null by default.
    wrong = [
        path
        for path, field in subschemas(json_schema(name))
        if isinstance(field.get("type"), list) and field.get("default", ...) is None and field["type"][0] != "null"
        if field["type"][0] == "string"
    ]
    assert wrong == []


def suggestions(name: str) -> list[str]:
    """Return what editors suggest under a name, as it is written."""
    return [snippet["body"] for snippet in json_schema("pipeline")["$defs"][name]["defaultSnippets"]]


@pytest.mark.parametrize(
    ("field", "written"),
    [
        *(("column_type", f"types: {{columns: {{a: {text}}}}}") for text in suggestions("column_type")),
        *(("encoding", f"source: {{prefix: a, options: {{encoding: {text}}}}}") for text in suggestions("encoding")),
        *(("delimiter", f"source: {{prefix: a, options: {{delimiter: {text}}}}}") for text in suggestions("delimiter")),
        *(("missing", f"evolution: {{missing_columns: {text}}}") for text in suggestions("missing_columns")),
    ],
)
def test_a_suggestion_is_accepted(field: str, written: str) -> None:
    source = "" if written.startswith("source") else "source: {prefix: a}\n"
    load_pipeline_text(f"pipeline: p\n{source}target: {{table: t}}\nload: {{keys: [id]}}\n{written}\n", "p.yml", "p")


def test_both_schemas_suggest_the_same_types() -> None:
    assert json_schema("feed_tests")["$defs"]["column_type"] == json_schema("pipeline")["$defs"]["column_type"]


FIELDS_OF_TARGET = {
    "table": {"schema", "table"},
    "view": {"schema", "name"},
    "key": {"only", "unless"},
    "memory_bytes": {"memory"},
    "formats": {"formats", "locale"},
    "numbers": {"decimal", "thousands", "negatives", "currency", "percent"},
    "notation": {"parse"},
    "notations": set(),
    "written_for": set(),
    "place": set(),
    "max_unpacked_bytes": {"max_unpacked"},
    "encodings": set(),
    "csv": {"options"},
    **{name: set() for name in ("json", "parquet", "excel", "fixed")},
    "is_lines": set(),
    "skip_until": set(),
    "footer_from": set(),
}
"""Values that a spec writes in two fields, under another name, or not at all."""


def assert_same_fields(schema: dict[str, Any], value_class: type, besides: set[str]) -> None:
    """Check the fields of a mapping against those of its dataclass, and of the mappings in it."""
    hints = typing.get_type_hints(value_class)
    fields = [field.name for field in dataclasses.fields(value_class)]
    expected = {name for field in fields for name in FIELDS_OF_TARGET.get(field, {field})}
    if value_class is PipelineSpec:
        expected = set(fields)
    assert set(schema["properties"]) == expected ^ besides, value_class
    for name in fields:
        if dataclasses.is_dataclass(hints[name]) and "properties" in schema["properties"].get(name, {}):
            assert_same_fields(schema["properties"][name], typing.cast(type, hints[name]), set())


def test_specs_and_their_values_have_the_same_fields() -> None:
    schema = json_schema("pipeline")
    assert_same_fields(dict(schema), PipelineSpec, {"path", "sha256", "places"})
    fields = {field.name for each in typing.get_args(FileOptions) for field in dataclasses.fields(each)}
    written = {name for field in fields for name in FIELDS_OF_TARGET.get(field, {field})}
    assert set(schema["properties"]["source"]["properties"]["options"]["properties"]) == written
    types = schema["properties"]["types"]["properties"]
    assert_same_fields(types["parse"], Notation, set())
    assert_same_fields(types["columns"]["additionalProperties"], Notation, {"type"})
    assert_same_fields(types["rules"]["items"], TypeRule, set())
    assert_same_fields(schema["properties"]["views"]["items"], ViewSpec, set())


def test_environments_and_their_values_have_the_same_fields() -> None:
    entry = json_schema("environments")["properties"]["environments"]["additionalProperties"]
    assert_same_fields(entry, Environment, {"name"})


def test_the_reference_is_current() -> None:
    generated = runpy.run_path(str(ROOT / "docs" / "generate_spec.py"))["generate"]()
    assert generated == (ROOT / "docs" / "spec.md").read_text(encoding="utf-8"), "run python docs/generate_spec.py"


@pytest.mark.parametrize("example", tuple(examples()), ids=lambda example: example.place)
def test_an_example_of_the_documentation_is_accepted(example: Example) -> None:
    document = read_document(example.text, example.place)
    found = schema_findings(document.value, example.schema)

    assert [finding for finding in found if finding.rule != "spec/required"] == []
    if example.is_whole:
        load_pipeline_text(example.text, example.place, yaml.safe_load(example.text)["pipeline"])
