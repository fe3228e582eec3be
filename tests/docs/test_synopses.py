"""docs/commands.md has every command with its options and exit codes, as the program takes and returns them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

import pytest

from framework import errors
from framework.cli import exit_codes
from framework.cli.commands.test import FAILED_EXIT_CODE
from framework.cli.help import EXIT_CODES
from framework.cli.main import COMMANDS, build_parser
from framework.load.check.checks import CHECKS, SPARK
from tests.docs.page import PAGES, ROOT, Block, blocks

PAGE = "docs/commands.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
HEADINGS = re.findall(r"^#+ .*`(.+)`$", TEXT, re.MULTILINE)
COMMON = {"--help", "--project", "--env", "--output"}
"""Options of every command, which the page describes once."""


def parsers() -> dict[str, argparse.ArgumentParser]:
    (commands,) = (each for each in build_parser()._actions if isinstance(each, argparse._SubParsersAction))
    return dict(commands.choices)


PARSERS = parsers()


def arguments(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a command, and those of its actions."""
    for each in parser._actions:
        yield each
        if isinstance(each, argparse._SubParsersAction):
            for action in each.choices.values():
                yield from arguments(action)


def taken(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Return the options that a command takes, with the names of their values, empty for flags.

    An ellipsis marks those that take several values, or may be given several times.
    """
    return {
        option: "" if action.nargs == 0 else _value(action)
        for action in arguments(parser)
        for option in action.option_strings
        if option.startswith("--") and option not in COMMON
    }


def _value(action: argparse.Action) -> str:
    name = str(action.metavar).replace("...", "…")
    return f"{name}…" if action.nargs == "+" or isinstance(action, argparse._AppendAction) else name


def written(synopsis: str) -> dict[str, str]:
    """Return the options of a synopsis, with what stands for their values."""
    value = r"(?: ([A-Z][A-Z.,…]*))?"
    return dict(re.findall(rf"(--[a-z][a-z0-9-]*){value}", synopsis))


def command_of(synopsis: str) -> str:
    return synopsis.removeprefix("feedway ").split()[0]


def synopses_of(command: str) -> str:
    """Return the synopses of a command: in the heading of its section, and below."""
    below = [block.text for block in blocks(PAGE) if block.is_synopsis]
    return "\n".join(each for each in [*HEADINGS, *below] if command_of(each) == command)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_synopsis_has_the_options_of_its_command(command: str) -> None:
    assert written(synopses_of(command)) == taken(PARSERS[command])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_synopsis_has_the_arguments_of_its_command(command: str) -> None:
    synopsis = re.sub(r"--[a-z-]+ [A-Z.,…]+", "", synopses_of(command))
    for action in arguments(PARSERS[command]):
        if not action.option_strings:
            expected = [*action.choices] if action.choices and action.dest == "action" else [str(action.metavar)]
            assert [name for name in expected if not re.search(rf"\b{re.escape(name)}\b", synopsis)] == []


def test_the_page_begins_with_the_options_of_every_command() -> None:
    first = blocks(PAGE)[0].text
    (forms,) = (each.choices for each in build_parser([])._actions if each.dest == "output")

    assert set(re.findall(r"--[a-z]+", first)) == COMMON - {"--help"}
    assert f"[--output {'|'.join(forms or ())}]" in first


OTHERS = [block for page in PAGES for block in blocks(page) if block.is_synopsis and command_of(block.text) in COMMANDS]


@pytest.mark.parametrize("block", OTHERS, ids=str)
def test_a_synopsis_of_any_page_has_options_that_exist(block: Block) -> None:
    assert written(block.text).items() <= taken(PARSERS[command_of(block.text)]).items()


def mentions(page: str) -> list[tuple[str, str]]:
    """Return the command and an option of each mention in a page's text, such as `run --fail-fast`."""
    text = (ROOT / page).read_text(encoding="utf-8")
    codes = re.findall(rf"`(?:feedway )?({'|'.join(COMMANDS)})( [^`\n]*)`", text)
    return [(command, option) for command, rest in codes for option in re.findall(r"--[a-z][a-z0-9-]*", rest)]


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md"])
def test_options_that_the_text_names_exist(page: str) -> None:
    assert [each for each in mentions(page) if each[1] not in {*taken(PARSERS[each[0]]), *COMMON}] == []


def test_mentions_are_found() -> None:
    assert ("plan", "--detailed-exitcode") in mentions(PAGE)


def test_the_page_has_the_items_of_check() -> None:
    items = [check.item.replace("_", " ") for check in CHECKS]
    shown = re.findall(r"^    (?:ok|failed|skipped) +(\w+(?: \w+)?)  ", TEXT, re.MULTILINE)
    items_text = TEXT.partition("An item fails if:")[2].partition("\n#")[0]
    explained = re.findall(r"^- \*\*([a-z ]+)\*\*: ", items_text, re.MULTILINE)

    assert shown == items
    assert explained == [*items, SPARK.item]


def test_the_page_has_the_exit_codes_of_errors_and_commands() -> None:
    """Each is the number of an error's class, or of a constant; --help lists the same."""
    classes = [each for each in vars(errors).values() if isinstance(each, type)]
    kinds = [each for each in classes if issubclass(each, errors.PipelineError)]
    constants = [value for name, value in vars(exit_codes).items() if name.isupper()]
    documented = [int(code) for code in re.findall(r"^\| ([0-9]+) \|", TEXT, re.MULTILINE)]

    assert documented == list(EXIT_CODES)
    assert set(documented) == {0, FAILED_EXIT_CODE, *constants, *(kind.exit_code for kind in kinds)}
