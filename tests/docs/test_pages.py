"""Every block of every page is what it claims: YAML is valid, commands are the program's, code can be read."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml

from framework.cli.main import parse_arguments
from framework.errors import SpecError
from framework.resources import read_text
from framework.spec.document import read_document
from framework.spec.load import load_environments_text, load_feed_tests_text, load_pipeline_text
from tests.docs.examples import folder_of, sections, why_not
from tests.docs.page import PAGES, ROOT, Block, blocks

SPEC = {"pipeline": "x", "source": {"prefix": "data/in/x/"}, "target": {"table": "x"}, "load": {"keys": ["id"]}}
ENVIRONMENT = {"lake": {"bucket": "lake"}, "warehouse": {"workgroup": "w", "database": "d"}}
"""What makes a part of a spec, or of an environment, a whole one."""
EVERY = [block for page in PAGES for block in blocks(page)]
_CALL = re.compile(
    r"(?:^|[;&|(] ?|^spark-submit .* )(?:\.venv/bin/)?(?:feedway|python -m framework|run\.py)"
    r"""(?P<words>(?: (?:[^\s"'|&;<>()]|"[^"]*"|'[^']*')+)*)(?=\)| [|&>]|$)"""
)


def of_language(*languages: str) -> pytest.MarkDecorator:
    chosen = [block for block in EVERY if block.language in languages]
    return pytest.mark.parametrize("block", chosen, ids=str)


def merged(base: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Return the base with the part's values; mappings of both are merged."""
    inner = {
        name: merged(base[name], value) if isinstance(value, dict) and isinstance(base.get(name), dict) else value
        for name, value in part.items()
    }
    return base | inner


def check_spec(block: Block, fields: dict[str, Any]) -> None:
    whole = merged(SPEC, fields)
    load_pipeline_text(block.text if whole == fields else yaml.safe_dump(whole), str(block), whole["pipeline"])


def check_environments(block: Block, fields: dict[str, Any]) -> None:
    entries = {name: merged(ENVIRONMENT, entry) for name, entry in fields["environments"].items()}
    load_environments_text(yaml.safe_dump({"environments": entries}), str(block))


def check_environment(block: Block, fields: dict[str, Any]) -> None:
    check_environments(block, {"environments": {"prod": fields}})


def check_tests(block: Block, text: str) -> None:
    load_feed_tests_text(text, str(block), "x", folder_of(block.page) / block.section)


def check_test(block: Block, fields: dict[str, Any]) -> None:
    given, expect = "given: {files: [{none.csv: id}]}", "expect: {rows: []}"
    rest = [part for part in (given, expect) if part.partition(":")[0] not in fields]
    check_tests(block, "tests:\n  example:\n" + textwrap.indent("\n".join([block.text, *rest]), "    "))


def check_expectation(block: Block, fields: dict[str, Any]) -> None:
    expect = replace(block, text=f"expect:\n{textwrap.indent(block.text, '  ')}")
    check_test(expect, {"expect": fields})


def kinds() -> list[tuple[set[str], Callable[[Block, dict[str, Any]], None]]]:
    """Return the fields of each kind of YAML that pages show, and what checks it."""
    names = ("pipeline", "environments", "feed_tests")
    schemas = {name: json.loads(read_text(f"schemas/{name}.schema.json")) for name in names}
    entry = schemas["environments"]["properties"]["environments"]["additionalProperties"]
    test = schemas["feed_tests"]["properties"]["tests"]["additionalProperties"]
    return [
        (set(schemas["pipeline"]["properties"]), check_spec),
        ({"environments"}, check_environments),
        (set(entry["properties"]), check_environment),
        ({"tests"}, lambda block, _: check_tests(block, block.text)),
        (set(test["properties"]), check_test),
        (set(test["properties"]["expect"]["properties"]), check_expectation),
    ]


@of_language("yaml")
def test_yaml_is_valid_as_what_it_is(block: Block) -> None:
    """A part of a spec, of an environment or of a test is completed by the least there can be."""
    if why_not(block) is not None:
        return None
    fields: Any = read_document(block.text, str(block)).value
    problems = []
    for known, check in kinds():
        if set(fields) <= known:
            try:
                return check(block, fields)
            except SpecError as error:
                problems.append(str(error))
    pytest.fail("\n".join(problems) or f"{block}: neither of a spec, nor of environments.yml, nor of tests: {fields}")


@of_language("json")
def test_json_can_be_read(block: Block) -> None:
    """A block may hold one document, or one per line."""
    try:
        json.loads(block.text)
    except ValueError:
        assert [json.loads(line) for line in block.text.splitlines()]


@of_language("python")
def test_python_can_be_read(block: Block) -> None:
    assert ast.parse(block.text).body


@of_language("sh")
def test_a_script_can_be_read_by_bash(block: Block) -> None:
    ended = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)

    assert ended.stderr == ""


def test_every_language_is_checked() -> None:
    assert {block.language for block in EVERY} <= {"", "text", "console", "sh", "yaml", "json", "python", "csv"}


def calls(block: Block) -> Iterator[list[str]]:
    """Yield the arguments with which a block calls the program, also amid what it prints."""
    lines = [command.line for command in block.commands()]
    if not (lines or block.language or block.is_synopsis):
        lines = [line for line in block.text.splitlines() if line.startswith("feedway ")]
    for line in lines:
        yield from (shlex.split(call["words"]) for call in _CALL.finditer(line))


@pytest.mark.parametrize("block", [block for block in EVERY if any(calls(block))], ids=str)
def test_commands_are_understood(block: Block) -> None:
    for argv in calls(block):
        parse_arguments(argv)


def test_calls_are_found() -> None:
    """The number is that of lines on all pages; an extraction that found none would pass every page."""
    found = [argv for block in EVERY for argv in calls(block)]

    assert len(found) > 20
    assert ["run", "--pipeline", "customers", "--env", "prod"][1:] in found


def test_the_readme_loads_a_file_in_ten_lines_at_most() -> None:
    scripts = [block.text for block in blocks("README.md") if block.language == "sh"]

    assert len("\n".join(scripts).splitlines()) <= 10


def test_the_cookbook_lists_its_recipes_in_order() -> None:
    listed = re.findall(r"\]\((cookbook/[\w.#-]+)\)", (ROOT / "docs" / "cookbook.md").read_text(encoding="utf-8"))
    pages = dict.fromkeys(link.partition("#")[0] for link in listed)

    assert {f"docs/{page}" for page in pages} == {page for page in PAGES if page.startswith("docs/cookbook/")}
    assert listed == [f"{page}#{recipe}" for page in pages for recipe in sections(f"docs/{page}")]
