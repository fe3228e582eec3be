"""Runs the commands of a page as their reader would: Feedway's in this process, all others by bash."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from framework.cli import main
from tests.documents import check_document

ROOT = Path(__file__).parents[2]
_PROGRAMS = {"feedway": f'"{sys.executable}" -m framework', "python": f'"{sys.executable}"'}
"""The programs of the environment that Feedway is installed in, and what runs them."""
_WORDS = r"""[^"'|&;<>`$*?\[{~#\\]|"[^"`$]*"|'[^']*'"""
_FEEDWAY = re.compile(
    r"feedway(?!.* --(?:help|version)\b)"
    rf"(?P<words>(?: (?:{_WORDS})*?)?)(?P<to>(?: 2>&1| > \S+)*)(?P<may_fail> \|\| true)?"
)
"""A command line of the program alone: nothing for bash to expand, and at most the redirections that `Shell` knows.

Help ends its process.
"""


@dataclass
class Shell:
    """A shell in a folder, with the program on its path. Each folder that it enters gets the sandbox of the test."""

    home: Path
    folder: Path
    sandbox: Path
    code: int = 0
    """The exit code of the last command, `$?`."""
    errors: str = field(default="", init=False)
    """What the last command printed on stderr."""

    def __post_init__(self) -> None:
        programs = self.home / "programs"
        programs.mkdir(exist_ok=True)
        for name, command in _PROGRAMS.items():
            (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
            (programs / name).chmod(0o755)

    def run(self, line: str) -> str:
        """Run a command line and return what it prints on stdout, and with `2>&1` on stderr."""
        if line == "echo $?":
            printed, self.code = f"{self.code}\n", 0
            return printed
        self._lend_sandbox()
        own = _FEEDWAY.fullmatch(line)
        return self._by_bash(line) if own is None else self._in_process(own)

    def _in_process(self, line: re.Match[str]) -> str:
        words = shlex.split(line["words"])
        terminal, hidden, out = io.StringIO(), io.StringIO(), io.StringIO()
        files: dict[str, io.StringIO] = {}
        stdout, stderr = terminal, hidden
        for both, file in re.findall(r" (2>&1)| > (\S+)", line["to"]):
            if both:
                stderr = stdout
            else:
                stdout = files[file] = out
        with chdir(self.folder), redirect_stdout(stdout), redirect_stderr(stderr):
            code = main(words)
        self.code = 0 if line["may_fail"] else code
        self.errors = hidden.getvalue()
        if stderr is not stdout:
            check_document(words, code, stdout.getvalue())
        for file, content in files.items():
            (self.folder / file).write_text(content.getvalue(), encoding="utf-8")
        return terminal.getvalue()

    def _by_bash(self, line: str) -> str:
        place = self.home / "working-directory"
        ended = self._bash(f"{line}\npwd > {place}")
        self.code, self.errors = ended.returncode, ended.stderr
        if ended.returncode == 0:
            self.folder = Path(place.read_text(encoding="utf-8").strip())
        return ended.stdout

    def _bash(self, script: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "HOME": str(self.home),
            "PATH": f"{self.home}/programs:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }
        command = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def _lend_sandbox(self) -> None:
        lent = self.folder / ".sandbox"
        if not lent.exists():
            lent.symlink_to(self.sandbox)
