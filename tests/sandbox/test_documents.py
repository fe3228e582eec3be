"""A command prints one JSON document that is as its schema has it, or none, with the reason on stderr.

The commands are all that there are, also new ones; `tests/documents.py` has the rule, which `FeedHarness.json` checks
of every command of every test.
"""

from __future__ import annotations

import argparse
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from framework.cli.main import COMMANDS, WITHOUT_DOCUMENT, build_parser
from tests.documents import check_document, schema_name
from tests.harness import FeedHarness

ROOT = Path(__file__).parents[2]
OUTPUT = ROOT / "schemas" / "output"
BROKEN_YAML = "environments: ["
ELSEWHERE = "environments: {{sandbox: {{kind: sandbox, engine: embedded, lake: {lake}, warehouse: {warehouse}}}}}"
REPORTING = frozenset({"run", "replay", "plan", "check", "validate"})
"""Commands for which a place that cannot be reached is something to report."""
SITUATIONS = {
    "a wrong option": ("--no-such-option",),
    "a wrong environment": ("--env", "nowhere"),
    "a wrong project": ("--project", "/no/such/folder"),
}
"""What a command line ends with."""
PROJECTS = {
    "an environments.yml that is no YAML": BROKEN_YAML,
    "a bucket that does not exist": ELSEWHERE.format(
        lake="{bucket: no-such}", warehouse="{workgroup: sandbox, database: dev}"
    ),
    "a warehouse that does not exist": ELSEWHERE.format(
        lake="{bucket: lake}", warehouse="{workgroup: no-such, database: dev}"
    ),
}
"""What environments.yml is."""


def parser_of(command: str) -> argparse.ArgumentParser:
    (commands,) = (each for each in build_parser([command])._actions if isinstance(each, argparse._SubParsersAction))
    parser: argparse.ArgumentParser = commands.choices[command]
    return parser


def actions_of(command: str) -> list[str | None]:
    """Return what a command can do, such as `sandbox up`; None for a command that does one thing."""
    arguments = parser_of(command)._actions
    return next(([*each.choices] for each in arguments if each.dest == "action" and each.choices), [None])


def least_words(parser: argparse.ArgumentParser, values: Mapping[str, str]) -> Iterator[str]:
    """Yield the words that a command needs. Of actions it gets one that changes nothing."""
    for each in parser._actions:
        if each.dest == "action" and each.choices is not None:
            (chosen,) = {"status", "list"} & {*each.choices}
            yield chosen
            if isinstance(each, argparse._SubParsersAction):
                yield from least_words(each.choices[chosen], values)
        elif each.option_strings and each.required:
            yield from (each.option_strings[-1], values[str(each.metavar)])
        elif not each.option_strings and (each.metavar == "NAME" or each.nargs not in ("*", "?")):
            yield values[str(each.metavar)]


def least_line(command: str, values: Mapping[str, str]) -> list[str]:
    """Return the shortest command line that the command understands."""
    return [command, *least_words(parser_of(command), values)]


@pytest.fixture
def values(feed: FeedHarness) -> dict[str, str]:
    """A value of each kind of argument; that of a new command may be another kind."""
    key = feed.land("1.csv", "id,a\n1,x\n")
    feed.write("local.csv", "id,a\n2,y\n")
    return {
        "NAME": feed.name,
        "FILE": str(feed.root / "local.csv"),
        "KEY": key,
        "RUN": feed.name,
        "WHEN": "400d",
        "SHELL": "bash",
        "COLUMN": "id",
        "DIR": str(feed.root / "pages"),
    }


def lines(command: str, values: Mapping[str, str]) -> Iterator[list[str]]:
    """Yield command lines that may work, and some that cannot."""
    least = least_line(command, {**values, "NAME": "drafted"} if command == "init" else values)
    yield least
    yield [*least, "--project", "s3://no-such-bucket/feedway"]
    yield [values["NAME"] + "_misspelt" if word in (values["NAME"], values["KEY"]) else word for word in least]
    yield from ([*least, *ending] for ending in SITUATIONS.values())


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("form", ["json", "lines"])
def test_a_command_prints_one_valid_document_or_none(
    feed: FeedHarness, values: dict[str, str], command: str, form: str
) -> None:
    """With none the command fails, and stderr has the reason."""
    environments = (feed.root / "environments.yml").read_text(encoding="utf-8")
    for text in (environments, *PROJECTS.values()):
        feed.write("environments.yml", text)
        for line in lines(command, values) if text == environments else [least_line(command, values)]:
            argv = ["--output", form, *line]
            code, out, err = feed.command(*argv)
            document = check_document(argv, code, out)
            assert "Traceback" not in err, argv
            assert document is not None or "error: " in err, (argv, err)
            assert document is None or command not in WITHOUT_DOCUMENT
            is_reported = command in REPORTING and line[1:] in ([], [values["NAME"]])
            assert document is not None or text == BROKEN_YAML or not is_reported, argv


SCHEMAS = {path.name.partition(".")[0]: json.loads(path.read_text("utf-8")) for path in OUTPUT.iterdir()}


def test_every_document_has_a_schema_and_every_schema_a_document() -> None:
    printing = [command for command in COMMANDS if command not in WITHOUT_DOCUMENT]
    printed = {schema_name(command, action) for command in printing for action in actions_of(command)}

    assert set(SCHEMAS) == printed | {"notification"}


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield the schemas of objects in a schema."""
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
        yield schema
    for part in inner:
        yield from objects(part)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_allows_no_other_field_and_leaves_none_out(name: str) -> None:
    for each in objects(SCHEMAS[name]):
        # An entry of the log has fields of its event.
        assert each.get("additionalProperties", True) is (name == "logs" and "msg" in each["properties"])
        assert name == "logs" or set(each["required"]) == set(each["properties"])


def test_fields_that_the_docs_name_are_in_the_schemas() -> None:
    text = (ROOT / "docs" / "commands.md").read_text("utf-8")
    named = re.findall(r"(?:In JSON (?:this|it|they) (?:is|are)|The document of `\w+` lists [^(]*\() ?`(\w+)`", text)

    assert len(named) >= 3
    assert set(named) <= {field for each in objects(list(SCHEMAS.values())) for field in each["properties"]}


def test_a_value_that_json_has_no_word_for_is_text(feed: FeedHarness) -> None:
    code, document = feed.json("sandbox", "sql", "select 'nan'::float8, 'infinity'::float8, 1.5::float8")

    assert (code, document["rows"]) == (0, [["NaN", "Infinity", 1.5]])


def test_actions_of_the_sandbox_print_documents(feed: FeedHarness, tmp_path_factory: pytest.TempPathFactory) -> None:
    """`down` and `reset` in a project whose sandbox never ran: the other one is that of all tests."""
    other = tmp_path_factory.mktemp("other")
    (other / "environments.yml").touch()
    elsewhere = ("--project", str(other))

    assert feed.json("sandbox", "up")[1]["folder"] == str(feed.s3_folder)
    assert feed.json("sandbox", "down", *elsewhere) == (0, {"stopped": []})
    assert feed.json("sandbox", "reset", "--yes", *elsewhere) == (0, {"reset": str(other / ".sandbox")})


def test_a_reset_that_is_declined_prints_a_document(feed: FeedHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO("n\n")
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)

    code, out, _ = feed.command("--output", "json", "sandbox", "reset")

    assert (code, feed.s3_folder.is_dir()) == (0, True)
    assert json.loads(out) == {"reset": None}
