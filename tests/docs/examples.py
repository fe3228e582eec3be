"""Prepares a project for a section of a page, and runs the section's examples in it, in order.

An example is a block of command lines, or a transcript: its commands follow the prompt `$`, and what each prints on
stdout follows the command; nothing follows one that prints nothing. `2>&1` behind a command adds stderr, and `> FILE`
works too. A command must succeed, unless `$ echo $?` follows it, with its exit code. The page shows what is printed, to
the letter, but for what changes from one run to the next (see `_VARYING`), and the rest of a line that it cuts with ….
In rows that `sandbox sql` prints nothing may change: their times and numbers are those of the example.
A month in keys, /2026/01/, stands for the current one.

Beside this module the folder `commands/` belongs to docs/commands.md, `readme/` to README.md, and `cookbook/` to
docs/cookbook.md and all pages of docs/cookbook/. Such a folder holds

- `project/`: what every section's project has: `pipelines/`, and files to land;
- a folder for a section that needs more, named by the anchor of its heading: files that are added to the project;
  `before.txt`, commands and transcripts to run before those of the section; `after.txt`, the same for what is
  checked afterwards. None of them becomes a part of the project.

A fenced block below a line that ends with a path, such as `pipelines/orders.yml`:, is written to that file. If the line
ends with: writes `pipelines/orders.yml`:, a command above has written the file, and the block must be its content.

To add an example, write it into the page. If it needs something, add it to the section's folder; until it is right, the
test fails with what its commands print. An example that cannot run here is listed in `not_run.yml`, with the reason.
Each page that has a folder here is executed in full: a block that is neither run nor listed fails.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import yaml

from tests.docs.page import PAGES, Block, Command, as_block, blocks
from tests.docs.shell import Shell

HERE = Path(__file__).parent
NOT_RUN: dict[str, dict[str, str]] = yaml.safe_load((HERE / "not_run.yml").read_text(encoding="utf-8"))
"""The beginning of a block or command that is not run, and why, by page."""
_VARYING = {
    "RUN_ID": r"\b([0-9a-f]{32}|[0-9a-f]{8})\b",
    "TIME": r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?",
    "SECONDS": r"(< )?\b\d+(\.\d+)? m?s\b",
}
BEFORE, AFTER = "before.txt", "after.txt"
IN_ONE_PROJECT = (
    "README.md",
    "docs/operations.md",
    "docs/testing.md",
    "docs/tutorial.md",
    *(page for page in PAGES if page.startswith("docs/cookbook/")),
)
"""Pages whose sections share a project, because they follow each other or each has a feed of its own. Elsewhere each
section has its own project."""


def folder_of(page: str) -> Path:
    """Return the folder with what the examples of a page need."""
    return HERE / Path(page).with_suffix("").parts[:2][-1].lower()


EXECUTED = tuple(page for page in PAGES if folder_of(page).is_dir())


def why_not(block: Block, command: Command | None = None) -> str | None:
    """Return why a block, or one command of a script, is not run; None if it is to be."""
    text = block.text if command is None or command.printed is not None else command.line
    return next((why for begin, why in NOT_RUN.get(block.page, {}).items() if text.startswith(begin)), None)


def sections(page: str) -> dict[str, list[Block]]:
    """Return the blocks of a page that are commands to run or files to write, by section."""
    found: dict[str, list[Block]] = {}
    for block in blocks(page):
        if (block.is_script or block.is_transcript or block.file) and why_not(block) is None:
            found.setdefault(block.section, []).append(block)
    return found


def stories() -> list[tuple[str, tuple[str, ...]]]:
    """Return the sections that share a project, in order: each section of a page, or all of one page."""
    return [
        (page, chosen)
        for page in EXECUTED
        for chosen in ([tuple(sections(page))] if page in IN_ONE_PROJECT else [(each,) for each in sections(page)])
    ]


def run_story(page: str, chosen: Sequence[str], home: Path, sandbox: Path) -> None:
    """Run the examples of sections in one project, each between what stands before and after them."""
    project = home / "project"
    project.mkdir()
    _add_files(folder_of(page) / "project", project)
    shell = Shell(home, project, sandbox)
    for section in chosen:
        own = folder_of(page) / section
        _add_files(own, shell.folder)
        for block in [*_part(own / BEFORE), *sections(page)[section], *_part(own / AFTER)]:
            if block.file:
                _write_or_compare(block, shell.folder / block.file)
            else:
                _run(block, shell)


def _write_or_compare(block: Block, path: Path) -> None:
    if block.is_result:
        assert path.read_text(encoding="utf-8") == f"{block.text}\n", block
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{block.text}\n", encoding="utf-8")


def _add_files(source: Path, project: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, project, dirs_exist_ok=True, ignore=shutil.ignore_patterns(BEFORE, AFTER))


def _part(path: Path) -> Iterator[Block]:
    if path.is_file():
        yield as_block(path.relative_to(HERE).as_posix(), path.read_text(encoding="utf-8"))


def _run(block: Block, shell: Shell) -> None:
    commands = [command for command in block.commands() if why_not(block, command) is None]
    following = [*(command.line for command in commands[1:]), ""]
    for command, next_line in zip(commands, following, strict=True):
        printed = shell.run(_today(command.line))
        found = f"{block}: {command.line}\nprints\n{printed}{shell.errors}"
        assert shell.code == 0 or next_line == "echo $?", found
        varies = not command.line.startswith("feedway sandbox sql ")
        assert command.printed is None or is_as_shown(printed, _today(command.printed), varies), found


def _today(text: str) -> str:
    return text.replace("/2026/01/", f"/{datetime.now(UTC):%Y/%m}/")


def is_as_shown(printed: str, shown: str, varies: bool = True) -> bool:
    """Return whether a page shows what is printed, but for the ends of lines that it cuts, and for what `varies`."""
    settled = _settled if varies else _trimmed
    pattern = "\n".join(
        f"{re.escape(line.removesuffix('…'))}.*" if line.endswith("…") else re.escape(line)
        for line in settled(shown).splitlines()
    )
    return re.fullmatch(pattern, settled(printed)) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def _settled(text: str) -> str:
    """Return a text without what varies; columns beside a duration, whose width varies, are two blanks apart."""
    plain = text.strip("\n")
    for name, pattern in _VARYING.items():
        plain, count = re.subn(pattern, name, plain)
        if name == "SECONDS" and count:
            plain = re.sub(r" {2,}", "  ", re.sub(r"-{3,}", "---", plain))
    return _trimmed(plain)
