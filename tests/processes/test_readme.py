"""The README's way from nothing to a loaded table works as it is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = f'#!/bin/sh\nexec "{sys.executable}" -m framework "$@"\n'


def blocks() -> list[str]:
    """Return the README's blocks of shell commands."""
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The home of a user who has the checkout, and the program of the README's first block."""
    checkout, programs = tmp_path / "checkout", tmp_path / "programs"
    checkout.mkdir()
    (checkout / "samples").symlink_to(ROOT / "samples")
    programs.mkdir()
    (programs / "feedway").write_text(PROGRAM)
    (programs / "feedway").chmod(0o755)
    yield tmp_path
    if (tmp_path / "feeds").is_dir():
        shell(tmp_path, "cd ~/feeds && feedway sandbox reset --yes")


def shell(home: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script as the user, in the checkout; it ends at the first command that fails."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "HOME": str(home),
        "PATH": f"{home}/programs:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=home / "checkout", env=environment, capture_output=True, text=True, check=False)


def test_the_readme_loads_its_sample(home: Path) -> None:
    (script,) = [block for block in blocks() if "feedway init" in block]

    ended = shell(home, script)

    assert ended.returncode == 0, ended.stderr
    rows = [line.split() for line in ended.stdout.splitlines() if line.startswith("R-00")]
    assert [row[0] for row in rows] == [f"R-{number:04}" for number in range(1, 13)]
    assert {"2026-01-02", "True"} < set(rows[0])
    assert any(value.startswith("1234.5") for value in rows[0])


def test_a_way_of_ten_lines_at_most() -> None:
    lines = "".join(blocks()).splitlines()

    assert len(lines) <= 10
