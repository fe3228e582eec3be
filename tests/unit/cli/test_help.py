"""The program explains itself: what --help shows of each command, and what no command at all."""

from __future__ import annotations

import re
import shlex

import pytest

from framework.cli import main
from framework.cli.help import EXAMPLES, EXIT_CODES
from framework.cli.main import COMMANDS, parse_arguments

WIDTH = 80


def shown(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_the_program_without_arguments_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """As `git` does, with its exit code."""
    code = main([])
    printed = capsys.readouterr()

    assert (code, printed.err) == (1, "")
    assert printed.out == shown(capsys, "--help")


def test_a_command_line_without_a_command_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--env", "prod"]) == 2
    assert "error: feedway: the following arguments are required: COMMAND\nusage: feedway " in capsys.readouterr().err


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "--help")

    assert [name for name in COMMANDS if not re.search(rf"^    {name} ", text, re.MULTILINE)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_its_examples_and_the_exit_codes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))

    lines = shown(capsys, name, "--help").splitlines()

    assert lines[0].startswith(f"usage: feedway {name} ")
    examples = lines.index("examples:")
    codes = lines.index("exit codes:")
    assert [line.partition("  # ")[0].strip() for line in lines[examples + 1 : codes - 1]] == [
        example for example, _ in EXAMPLES[name]
    ]
    assert [int(line.split()[0]) for line in lines[codes + 1 :]] == list(EXIT_CODES)
    assert [line for line in lines if len(line) > WIDTH] == []


@pytest.mark.parametrize("line", [line for name in (None, *COMMANDS) for line, _ in EXAMPLES[name]])
def test_an_example_is_understood(line: str) -> None:
    words = shlex.split(line)
    # Such as eval "$(feedway completion bash)", and redirections.
    (command,) = re.findall(r"feedway [^|>)]*", line) if words[0] == "eval" or set(words) & {"|", ">"} else [line]
    program, *argv = shlex.split(command)

    assert program == "feedway"
    parse_arguments(argv)
