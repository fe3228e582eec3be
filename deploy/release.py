"""Builds the wheel and the source distribution into `dist/release/`, and checks each in an empty environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.dist import ROOT, copy_sources

FOLDER = ROOT / "dist" / "release"
SAMPLE = ROOT / "samples" / "invoices_2026-01.csv"
NAMED = ("AWS_", "PYTHON")
"""How variables begin that an empty environment does not have."""


def build(folder: Path) -> list[Path]:
    """Build the source distribution, and the wheel from it, into a folder that is emptied first; return their paths.

    Raises:
        subprocess.CalledProcessError: one of them cannot be built, or would not look right in an index.
    """
    shutil.rmtree(folder, ignore_errors=True)
    with TemporaryDirectory(prefix="feedway-build-") as scratch:
        copy_sources(Path(scratch))
        _run([sys.executable, "-m", "build", "--quiet", "--outdir", str(folder), scratch], ROOT)
    files = sorted(folder.iterdir())
    _run([sys.executable, "-m", "twine", "check", "--strict", *map(str, files)], ROOT)
    wheels = [str(file) for file in files if file.suffix == ".whl"]
    _run([sys.executable, "-m", "check_wheel_contents", "--toplevel", "framework", *wheels], ROOT)
    return files


def try_out(file: Path) -> None:
    """Install a distribution into an empty environment, and load the README's sample there.

    Raises:
        subprocess.CalledProcessError: it cannot be installed, or a command fails.
    """
    with TemporaryDirectory(prefix="feedway-release-") as scratch:
        environment, project = Path(scratch, "environment"), Path(scratch, "project")
        project.mkdir()
        venv.create(environment, with_pip=True)
        programs = environment / "bin"
        pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        feedway = str(programs / "feedway")
        _run([*pip, str(file)], project)
        _run([feedway, "--version"], project)
        _run([*pip, f"{file}[sandbox]"], project)
        _run([feedway, "init", "invoices", "--from", str(SAMPLE)], project)
        for command in ("validate", "land", "run"):
            _run([feedway, command, "invoices", *([str(SAMPLE)] if command == "land" else [])], project)


def _run(command: Sequence[str], folder: Path) -> None:
    print(f"$ {' '.join(command)}", flush=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NAMED)}
    subprocess.run(command, cwd=folder, env=inherited, check=True)


def main() -> None:
    """Build and check both; print their paths."""
    files = build(FOLDER)
    for file in files:
        try_out(file)
    print("\n".join(map(str, files)))


if __name__ == "__main__":
    main()
