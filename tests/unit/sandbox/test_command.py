"""The `sandbox` command's arguments; what it does is tested in tests/sandbox."""

import argparse
import io
from pathlib import Path

import pytest

from framework.cli.commands.sandbox import add_arguments, run
from framework.cli.display import Display
from framework.cli.output import Output
from framework.errors import SpecError
from framework.spec.project import Project


def sandbox_command(root: Path, *argv: str) -> str:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    stdout = io.StringIO()
    run(parser.parse_args(argv), Project(root), Output("text", stdout, io.StringIO(), Display(io.StringIO())))
    return stdout.getvalue()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["sql"], "takes the statement"),
        (["up", "select 1"], "takes no statement; found 'select 1'"),
        (["down", "--s3-port", "9000"], "takes no ports"),
        (["status", "--yes"], "--yes belongs to sandbox reset"),
    ],
)
def test_an_option_of_another_action_is_refused(tmp_path: Path, argv: list[str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        sandbox_command(tmp_path, *argv)


def test_a_reset_that_nobody_can_confirm_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))

    with pytest.raises(SpecError, match="add --yes"):
        sandbox_command(tmp_path, "reset")


def test_a_sandbox_that_never_ran_can_be_asked_for_and_stopped(tmp_path: Path) -> None:
    assert sandbox_command(tmp_path, "status").count("stopped") == 3
    assert sandbox_command(tmp_path, "down") == "stopped: nothing was running\n"
    assert list(tmp_path.iterdir()) == []
