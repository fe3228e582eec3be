"""Shells complete commands, options, files and the names of a project's pipelines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from framework.cli import main
from framework.cli.commands.completion import SHELLS
from framework.cli.main import COMMANDS

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[3]
PROGRAM = f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m framework "$@"\n'
COMPLETE = """\
eval "$(feedway completion bash)"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_shtab_feedway 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two feeds, with a program `feedway` in its folder."""
    (tmp_path / "environments.yml").touch()
    (tmp_path / "pipelines").mkdir()
    for name in ("orders", "outlets"):
        (tmp_path / "pipelines" / f"{name}.yml").touch()
    (tmp_path / "feedway").write_text(PROGRAM)
    (tmp_path / "feedway").chmod(0o755)
    return tmp_path


def completed(project: Path, *words: str) -> set[str]:
    """Return what bash proposes for the last word of a command line, in a folder of the project."""
    ended = subprocess.run(
        ["bash", "-c", COMPLETE, "bash", "feedway", *words],
        cwd=project / "pipelines",
        env={"PATH": f"{project}:/usr/bin:/bin"},
        check=True,
        capture_output=True,
        text=True,
    )
    return set(ended.stdout.split())


def test_commands_are_completed(project: Path) -> None:
    assert completed(project, "") == set(COMMANDS)
    assert completed(project, "res") == {"restore-views"}


def test_options_are_completed(project: Path) -> None:
    assert completed(project, "plan", "--s") == {"--sample", "--sql"}
    assert completed(project, "run", "--output", "j") == {"json"}
    assert completed(project, "quarantine", "") == {"list", "show", "export"}
    assert completed(project, "quarantine", "export", "--t") == {"--to"}


@pytest.mark.exhaustive(every=5)
@pytest.mark.parametrize(
    "words",
    [("run",), ("run", "orders"), ("skip", "--for"), ("replay", "--file", "x"), ("quarantine", "show")],
)
def test_names_of_pipelines_are_completed(project: Path, words: tuple[str, ...]) -> None:
    assert completed(project, *words, "o") == {"orders", "outlets"}
    assert completed(project, *words, "ou") == {"outlets"}


def test_files_are_completed(project: Path) -> None:
    assert completed(project, "run", "orders", "--result", "or") == {"orders.yml"}


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out

    assert [command for command in COMMANDS if command not in script] == []
    assert "feedway completion names" in script


def test_in_a_folder_without_a_project_there_is_no_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert (main(["completion", "names"]), capsys.readouterr().out) == (0, "")
