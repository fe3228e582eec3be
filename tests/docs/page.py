"""Reads the blocks of a Markdown page: what a reader would copy into a shell or a file, and what is printed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from framework.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))))
_FENCE = re.compile(r" *```(\w*)")
_FILE = re.compile(r"(?P<is_result>\bwrites )?`(?P<path>[\w./-]+\.\w+)`:$")
_COMMENT = re.compile(r"\s+# .*")
_PROGRAMS = r"(feedway|python3?(\.11)?|run\.py|make|mkdir|cp|mv|cd|cat|export|gh|aws|pip|eval|spark-submit|\S*/bin/\S+)"


@dataclass(frozen=True)
class Block:
    """A block of a page, without its margin. `section` is the anchor of the heading above; `line` counts from 1.

    `language` is the word behind the fence, empty for a block that is only indented. `file` is the path that the text
    above ends with, such as `pipelines/orders.yml`: the block is the content of that file; None for other blocks. If
    the text says that a command writes it, `is_result` is true.
    """

    page: str
    section: str
    line: int
    language: str
    text: str
    file: str | None = None
    is_result: bool = False

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def is_synopsis(self) -> bool:
        """Whether the block shows how a command is written, with its options in brackets."""
        if self.language or not self.text:
            return False
        is_command = self.text.split()[0] in COMMANDS
        return is_command or re.match(r"feedway [^'\"\n]*[\[…]", self.text) is not None

    @property
    def is_transcript(self) -> bool:
        """Whether the block shows what commands print: its commands follow the prompt `$`."""
        return self.text.startswith("$ ")

    @property
    def is_script(self) -> bool:
        """Whether the block is of commands without what they print: each of its lines is one."""
        if self.language or self.is_synopsis:
            return self.language == "sh"
        return bool(self.text) and all(re.match(f"{_PROGRAMS} ", line) for line in self._lines())

    def _lines(self) -> list[str]:
        """Return the command lines of a script, without comments."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [_COMMENT.sub("", line) for line in lines if line[:1] not in ("", "#")]

    def commands(self) -> Iterator[Command]:
        """Yield the commands of a script or transcript, in order."""
        if self.is_transcript:
            for shown in re.split(r"^\$ ", self.text.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
                line, _, printed = shown.partition("\n")
                yield Command(line, printed.strip("\n"))
        elif self.is_script:
            yield from (Command(line, None) for line in self._lines())


@dataclass(frozen=True)
class Command:
    """A command line, and what it prints; None where the page does not show that."""

    line: str
    printed: str | None


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page, in order."""
    return list(_blocks(page, (ROOT / page).read_text(encoding="utf-8").splitlines()))


def as_block(name: str, text: str) -> Block:
    """Return the commands of a file as a block."""
    return Block(name, "", 1, "sh", text.strip("\n"))


def anchor(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def headings(page: str) -> set[str]:
    """Return the anchors of a page's headings."""
    text = re.sub(r"^ *```.*?^ *```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def _blocks(page: str, lines: list[str]) -> Iterator[Block]:
    section, place = "", 0
    while place < len(lines):
        line, begin = lines[place], place
        if fence := _FENCE.match(line):
            place = next(end for end in range(begin + 1, len(lines)) if _FENCE.match(lines[end]))
            block = _block(page, section, begin + 2, fence[1], lines[begin + 1 : place])
            above = None if fence[1] == "sh" else _FILE.search(" ".join(lines[max(0, begin - 4) : begin]).strip())
            yield block if above is None else replace(block, file=above["path"], is_result=bool(above["is_result"]))
        elif line.startswith("    ") and not lines[begin - 1].strip():
            while place + 1 < len(lines) and (lines[place + 1].startswith("    ") or not lines[place + 1].strip()):
                place += 1
            yield _block(page, section, begin + 1, "", lines[begin : place + 1])
        elif heading := re.match(r"#+ (.+)", line):
            section = anchor(heading[1])
        place += 1


def _block(page: str, section: str, line: int, language: str, lines: list[str]) -> Block:
    return Block(page, section, line, language, textwrap.dedent("\n".join(lines)).strip("\n"))
