"""How a command ends in an AWS Glue job, which knows no exit codes and shows one line."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from framework.cli import main
from framework.cli.main import LONGEST_LINE
from framework.errors import PipelineError, SpecError

JOB = ("--JOB_NAME", "etl", "--env", "sandbox", "--pipeline")


def test_a_failure_of_several_lines_is_raised_in_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "environments.yml").write_text("environments: {a: {lake: {}, warehouse: {}}}\n")

    with pytest.raises(SpecError) as raised:
        main([*JOB, "orders", "--project", str(tmp_path)])

    first, *problems, last = capsys.readouterr().err.removeprefix("error: ").splitlines()
    assert len(problems) > 1
    assert last.startswith("See docs/spec.md#")
    assert str(raised.value) == " | ".join([first, *(problem.strip() for problem in problems)])
    assert raised.value.exit_code == 2


def test_the_line_is_no_longer_than_a_console_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "x" * 2 * LONGEST_LINE
    with pytest.raises(PipelineError) as raised:
        main([*JOB, name], home=tmp_path)

    assert len(str(raised.value)) == LONGEST_LINE
    assert str(raised.value).startswith("pipeline=xxx")
    assert f"there is no pipeline '{name}'" in capsys.readouterr().err


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert (ended.value.code, capsys.readouterr().out) == (0, f"feedway {importlib.metadata.version('feedway')}\n")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--output", "sarif", "plan", "orders"], "--output sarif is for validate; plan does not print it"),
        (["run", "orders", "--output", "github"], "--output github is for plan, validate; run does not print it"),
    ],
)
def test_a_form_of_some_commands_is_refused_by_the_others(
    argv: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(argv, home=tmp_path)

    printed = capsys.readouterr()
    assert (code, printed.out) == (2, "")
    assert words in printed.err


def test_an_argument_that_may_be_left_out_is_not_among_those_that_are_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["report"])

    assert (code, capsys.readouterr().err.splitlines()[0]) == (
        2,
        "error: feedway report: the following arguments are required: DIR",
    )
