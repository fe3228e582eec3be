"""Documents read as the style guide asks: links lead somewhere, lines are short, retired phrases do not come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.page import headings

ROOT = Path(__file__).parents[2]

PLACES = (
    "README.md",
    "CHANGELOG.md",
    "environments.yml",
    "pipelines",
    "docs",
    "deploy",
    "demo",
    "schemas",
    "templates",
    "framework",
    "tests",
)
"""Files and folders that keep to the words of the style guide."""
ELSEWHERE = {"tests/unit/test_prose.py"}
"""This module holds the phrases."""
SUFFIXES = {".md", ".py", ".j2", ".json", ".yml", ".txt"}

RETIRED = {
    "heartbeat": r"\bsigns? of life\b",
    "expired run, live run": r"\bdead (runs?|ones?)\b|\bruns? (that|which) (has )?died\b|\bliving runs?\b",
    "drop": r"\b(taken?|takes|took|taking) (\w+ ){0,3}down\b|\bviews? (\w+ ){0,3}down\b|\bleft down\b",
    "restore": r"\b(puts?|putting) (\w+ ){0,3}back\b|\bsee them back\b",
    "skip": r"\b(lets?|letting) (\w+ ){0,4}go\b",
    "report, show, name": r"\btold\b|(?<!file\.)\btells?\b|\btelling\b",
    "concurrently, together, immediately": r"\bat once\b",
    "control tables, audit, run": r"\bbooks\b",
    "superseded": r"\bovert(ake|aken|akes|aking|ook)\b",
    "(say why it needs no action)": r"\bharmless\b",
    "replan": r"\b(is|are|be|was|were) made again\b|\bplanned again\b",
    "retry": r"\b(tried|tries|try) (\w+ )?again\b",
    "check, read": r"\blook(s|ed|ing)? at\b",
    "noise, faults": r"\bmoods?\b|\bweather\b",
    "row count mismatch": r"\badds? up\b",
    "may not belong to": r"\bnot surely\b|\bunsure\b",
    "feedway, which a shell finds": r"\brun\.py (--env|validate|plan|run|replay|skip|history|restore-views|sandbox)\b",
}
"""What to write, and the phrases that it replaces, in prose and in names (see `words`)."""
QUOTED = ("retrying AWS call", "retrying after a transient failure")
"""Messages of `framework` that documents quote."""

CHANGELOG_HEADINGS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
"""Source: https://keepachangelog.com/en/1.1.0/"""
LONGEST_LINE = 120
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
FIGURES = re.compile(r"<!-- figures -->.*?<!-- end of figures -->", re.DOTALL)
"""A table that benchmarks write."""


def files() -> Iterator[str]:
    """Yield the texts in the places, by their paths in the project."""
    for place in PLACES:
        path = ROOT / place
        for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
            name = each.relative_to(ROOT).as_posix()
            if each.suffix in SUFFIXES and name not in ELSEWHERE:
                yield name


FILES = tuple(files())
PAGES = tuple(name for name in FILES if name.endswith(".md"))
PATTERNS = {word: re.compile(phrases, re.IGNORECASE) for word, phrases in RETIRED.items()}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def links(name: str) -> Iterator[tuple[str, str]]:
    """Yield file and anchor of each link into the project; either may be empty."""
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", read(name))):
        if "://" not in target:
            file, _, anchor = target.partition("#")
            yield file, anchor


def words(text: str) -> str:
    """Return a text in one line, with the words of names and of comments over several lines apart by one blank."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", text)
    return re.sub(r"\s*\n\s*(?:#|--)?\s*|\s+", " ", apart)


def retired_phrases(text: str) -> list[str]:
    """Return each retired phrase in a text, with what to write instead."""
    plain = words(text)
    return [f"{found[0]!r}: write {word}" for word, pattern in PATTERNS.items() for found in pattern.finditer(plain)]


@pytest.mark.parametrize("name", [*PAGES, "docs/architecture.md"])
def test_every_link_leads_somewhere(name: str) -> None:
    for file, anchor in links(name):
        linked = (ROOT / name).parent.joinpath(file).resolve() if file else ROOT / name
        assert linked.is_file(), (name, file)
        if anchor:
            assert anchor in headings(linked.relative_to(ROOT).as_posix()), (name, file, anchor)


@pytest.mark.parametrize("name", PAGES)
def test_lines_are_short(name: str) -> None:
    lines = FIGURES.sub("", read(name)).splitlines()
    assert [line for line in lines if len(line) > LONGEST_LINE] == []


def test_retired_phrases_do_not_come_back() -> None:
    found = {name: retired_phrases(read(name)) for name in FILES}

    assert {name: phrases for name, phrases in found.items() if phrases} == {}


@pytest.mark.parametrize(
    "text",
    [
        "the dead run's sign of life",
        "views are taken\n    down, and put back",
        "PUT_BACK",
        "test_a_dead_runs_remains",
        "class SignOfLife",
        "    # Nothing of this is\n    # tried again.",
        "it lets the file go",
        "eight runs at once",
        "see run.py history --stale",
    ],
)
def test_a_retired_phrase_is_found_across_lines_and_in_names(text: str) -> None:
    assert retired_phrases(text)


def test_the_changelog_says_of_the_first_version_only_what_there_is() -> None:
    """Nobody has used an earlier one, of which something could be changed, removed or fixed."""
    versions = re.split(r"^## ", read("CHANGELOG.md"), flags=re.MULTILINE)[1:]
    headings = [re.findall(r"^### (.+)$", version, re.MULTILINE) for version in versions]

    assert headings[-1] == ["Added"]
    assert all(set(each) <= CHANGELOG_HEADINGS and len(set(each)) == len(each) for each in headings)


@pytest.mark.parametrize("message", QUOTED)
def test_quoted_messages_are_printed(message: str) -> None:
    assert any(message in path.read_text(encoding="utf-8") for path in (ROOT / "framework").rglob("*.py"))
