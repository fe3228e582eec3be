"""Texts in GitHub's Markdown: whatever they hold, they show as they are, and mention nobody.

Source: https://github.github.com/gfm/#entity-and-numeric-character-references (a reference stands for its character,
and is no part of the structure). GitHub links names and numbers in text, but not in code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from framework.model.words import visible

_PUNCTUATION = re.compile(r"[^\w\s,;()-]|_", re.ASCII)
_LINKING = re.compile("[@#]")
_NO_WIDTH = "&#8203;"
_BACKTICKS = re.compile("`+")


def prose(text: str) -> str:
    """Return a text on one line, for a table, a list or a paragraph."""
    return "".join(_escaped(each) + (_NO_WIDTH if _LINKING.match(each) else "") for each in visible(text))


def code(text: str) -> str:
    """Return a text on one line as code, for a table, a list or a paragraph; nothing for an empty text."""
    return f"<code>{''.join(map(_escaped, visible(text)))}</code>" if text else ""


def _escaped(character: str) -> str:
    return f"&#{ord(character)};" if character.isascii() and _PUNCTUATION.match(character) else character


def block(text: str, language: str) -> str:
    """Return lines as a block of code, with a fence that none of them closes."""
    longest = max((len(ticks) for ticks in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = "\n".join(visible(line) for line in text.split("\n"))
    return f"{fence}{language}\n{lines}\n{fence}"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def details(summary: str, content: str) -> str:
    """Return content that shows when its summary, which is Markdown already, is clicked."""
    return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>"
