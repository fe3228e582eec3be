"""An editor with the YAML language server checks and completes every example of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from framework.spec.json_schema import json_schema
from tests.editor.language_server import LanguageServer, language_server
from tests.examples import ROOT, Example, examples

EXAMPLES = tuple(examples())
SHIPPED = ("environments.yml", *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("pipelines/**/*.yml")))
FILE = ROOT / "pipelines" / "example.yml"


@pytest.fixture(scope="module")
def editor() -> Iterator[LanguageServer]:
    """A server for this project."""
    with language_server(ROOT) as server:
        yield server


def with_schema(example: Example) -> str:
    """Return the example as a file whose first line names its schema, as that of a draft does."""
    text = "\n".join(line for line in example.text.splitlines() if "yaml-language-server" not in line)
    return f"# yaml-language-server: $schema=../schemas/{example.schema}.schema.json\n{text}\n"


def values(node: yaml.Node | None, schema: Mapping[str, Any]) -> Iterator[tuple[yaml.ScalarNode, Mapping[str, Any]]]:
    """Yield each value of a document that is a scalar, with its schema."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            others = schema.get("additionalProperties") or {}
            yield from values(value, schema.get("properties", {}).get(key.value, others))
    elif isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            yield from values(entry, schema.get("items", {}))
    elif isinstance(node, yaml.ScalarNode):
        yield node, schema


def suggested(schema: Mapping[str, Any], root: Mapping[str, Any]) -> set[str]:
    """Return the labels that an editor must suggest for a value: of an enumeration, and of what a text may be."""
    defined = root.get("$defs", {}).get(schema.get("$ref", "").removeprefix("#/$defs/"), {})
    words = {each if isinstance(each, str) else yaml.safe_dump(each).split("\n")[0] for each in schema.get("enum", ())}
    return words | {snippet["label"] for snippet in defined.get("defaultSnippets", ())}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.place)
def test_an_example_has_no_mistake_but_what_a_part_of_a_file_lacks(editor: LanguageServer, example: Example) -> None:
    mistakes = editor.mistakes(FILE, with_schema(example))

    assert [each for each in mistakes if not each.startswith("Missing property")] == []
    assert not (mistakes and example.is_whole)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.place)
def test_each_value_of_an_example_is_suggested_with_its_description(editor: LanguageServer, example: Example) -> None:
    text, root = with_schema(example), json_schema(example.schema)
    for node, schema in values(yaml.compose(text), root):
        expected = suggested(schema, root)
        if expected:
            found = editor.suggestions(FILE, text, node.start_mark.line, node.start_mark.column)
            assert expected <= {label.strip("'") for label in found}, (node.value, found)
            described = {label.strip("'") for label, (_, description) in found.items() if description}
            assert expected <= described, node.value


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.place)
def test_fields_that_an_example_lacks_are_suggested_with_their_descriptions(
    editor: LanguageServer, example: Example
) -> None:
    text, root = with_schema(example), json_schema(example.schema)
    given = set(yaml.safe_load(text))

    found = editor.suggestions(FILE, text, text.count("\n"), 0)

    lacking = {name: field["description"] for name, field in root["properties"].items() if name not in given}
    assert {label: description for label, (_, description) in found.items() if label in lacking} == lacking


def mappings(schema: Mapping[str, Any], lines: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield the lines that lead to each mapping of a schema, and the names of its fields."""
    indent = "  " * len(lines)
    if fields := schema.get("properties", {}):
        yield (*lines, indent), list(fields)
    others = schema.get("additionalProperties")
    for name, field in (*fields.items(), *([("x", others)] if isinstance(others, dict) else [])):
        yield from mappings(field, (*lines, f"{indent}{name}:"))
        if entries := field.get("items", {}).get("properties"):
            yield (*lines, f"{indent}{name}:", f"{indent}  - "), list(entries)


@pytest.mark.parametrize("schema", ["pipeline", "environments", "feed_tests"])
def test_each_mapping_offers_all_of_its_fields(editor: LanguageServer, schema: str) -> None:
    found = list(mappings(json_schema(schema)))
    for lines, fields in found:
        text = f"# yaml-language-server: $schema=../schemas/{schema}.schema.json\n" + "\n".join(lines)
        suggested_fields = editor.suggestions(FILE, text + "\n", len(lines), len(lines[-1]))
        assert set(fields) <= set(suggested_fields), lines
    assert found


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_names_the_schema_that_it_is_checked_by(editor: LanguageServer, name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    broken = f"{text}\nno_field_of_any_schema: 1\n"

    assert editor.mistakes(ROOT / name, text) == []
    assert editor.mistakes(ROOT / name, broken) == ["Property no_field_of_any_schema is not allowed."]


@pytest.mark.parametrize(
    "written", ["types: {columns: {a: @}}", "types:\n  columns:\n    a: @", "types: {rules: [{type: @}]}"]
)
def test_a_suggestion_is_valid_where_it_is_inserted(editor: LanguageServer, written: str) -> None:
    head = "# yaml-language-server: $schema=../schemas/pipeline.schema.json\n"
    before, after = (head + written).split("@")
    line, column = before.count("\n"), len(before.rpartition("\n")[2])

    found = editor.suggestions(FILE, before + after + "\n", line, column)

    assert len(found) > 10
    for inserted, _ in found.values():
        plain = re.sub(r"\$\{\d+:(.*?)\}", r"\1", inserted)
        assert yaml.safe_load(before + plain + after)["types"], plain
