"""The examples of the docs do what the docs show: tests/docs/examples.py describes how they are prepared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from framework import sandbox as local_sandbox
from framework.sandbox.emptying import Emptying
from tests.docs.examples import EXECUTED, HERE, NOT_RUN, folder_of, is_as_shown, run_story, stories, why_not
from tests.docs.page import blocks


@pytest.fixture(scope="module")
def own_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Callable[[], None]]]:
    """The folder of a sandbox for this module alone, and what empties it: examples have well-known names."""
    folder = tmp_path_factory.mktemp("sandbox")
    try:
        address = local_sandbox.start(folder)
        yield folder, Emptying(address.database_url, address.s3_folder)
    finally:
        local_sandbox.reset(folder)


@pytest.mark.parametrize(("page", "chosen"), [pytest.param(*each, id=f"{each[0]}-{each[1][0]}") for each in stories()])
def test_examples_print_what_the_page_shows(
    page: str, chosen: tuple[str, ...], own_sandbox: tuple[Path, Callable[[], None]], tmp_path: Path
) -> None:
    folder, empty = own_sandbox
    empty()

    run_story(page, chosen, tmp_path, folder)


@pytest.mark.parametrize("page", EXECUTED)
def test_every_block_of_an_executed_page_is_run_checked_or_listed(page: str) -> None:
    """YAML, JSON and synopses are checked by test_pages.py and test_synopses.py."""
    kinds = ("is_synopsis", "is_transcript", "is_script", "file")
    unknown = [
        block
        for block in blocks(page)
        if block.language in ("", "text", "console")
        and not any(getattr(block, kind) for kind in kinds)
        and why_not(block) is None
    ]

    assert [f"{block}: write its command with the prompt $, or list it in not_run.yml" for block in unknown] == []


@pytest.mark.parametrize("page", NOT_RUN)
def test_what_is_listed_is_on_the_page(page: str) -> None:
    texts = [text for block in blocks(page) for text in (block.text, *(each.line for each in block.commands()))]

    assert [begin for begin in NOT_RUN[page] if not any(text.startswith(begin) for text in texts)] == []


@pytest.mark.parametrize("folder", sorted({folder_of(page) for page in EXECUTED}), ids=lambda folder: folder.name)
def test_every_folder_of_data_is_that_of_a_section(folder: Path) -> None:
    sections = {block.section for page in EXECUTED if folder_of(page) == folder for block in blocks(page)}

    assert {path.name for path in folder.iterdir()} - {"project"} <= sections


def test_data_is_for_pages_that_exist() -> None:
    assert {path for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"} == {
        folder_of(page) for page in EXECUTED
    }


@pytest.mark.parametrize(
    ("printed", "shown", "is_same"),
    [
        ("run 4be07a15 at 2026-12-01 02:10, 0.4 s\n", "run 91d0c6f2 at 2026-01-31 02:10, 12 s", True),
        ("file  time\n----  -----\na     < 1 s\n", "file  time\n----  ----\na     2 s", True),
        ("removed 3 rows: 1 FAILED\n", "removed 3 rows: …", True),
        ("1 file, 3 rows\n", "1 file, 4 rows", False),
        ("a  b\n", "a b", False),
        ("one line\nand another\n", "one line", False),
        ("", "one line", False),
    ],
)
def test_only_what_varies_may_differ(printed: str, shown: str, is_same: bool) -> None:
    assert is_as_shown(printed, shown) is is_same


def test_a_time_that_a_query_returns_must_be_the_one_that_the_page_shows() -> None:
    printed, shown = "changed_at\n---\n2026-01-03 08:00:00.0\n", "changed_at\n---\n2026-01-05 08:00:00.0"

    assert is_as_shown(printed, shown)
    assert not is_as_shown(printed, shown, varies=False)
