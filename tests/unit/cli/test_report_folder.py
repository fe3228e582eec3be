"""The folder of a report: a report that cannot be written whole leaves the earlier one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from framework.cli.report_folder import MARKER, Contents, Written, check_folder, write_pages
from framework.errors import MachineError, SpecError

ALL = Contents("prod", "")


def test_a_report_replaces_an_earlier_one_and_deletes_its_other_pages(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "site"
    assert write_pages(check_folder(str(folder), ALL), [("feed-a.html", "1"), ("index.html", "ä")], ALL) == Written(
        2, 3
    )
    (folder / "own.txt").write_text("kept")

    write_pages(check_folder(str(folder), ALL), [("feed-b.html", "2"), ("index.html", "3")], ALL)

    found = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.name != MARKER}
    assert found == {"feed-b.html": "2", "index.html": "3", "own.txt": "kept"}


def test_pages_that_fail_leave_the_earlier_report(tmp_path: Path) -> None:
    write_pages(tmp_path, [("feed-a.html", "1"), ("index.html", "2")], ALL)

    def failing() -> Iterator[tuple[str, str]]:
        yield "feed-b.html", "3"
        yield "index.html", "4"
        raise OSError(28, "No space left on device", "x")

    with pytest.raises(MachineError, match="No space left on device"):
        write_pages(tmp_path, failing(), ALL)

    found = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir() if path.name != MARKER}
    assert found == {"feed-a.html": "1", "index.html": "2"}


def test_an_empty_folder_is_free_and_one_with_something_is_not(tmp_path: Path) -> None:
    assert check_folder(str(tmp_path), ALL) == tmp_path
    (tmp_path / "index.html").write_text("somebody's")
    (tmp_path / "nowhere").symlink_to("missing")

    with pytest.raises(SpecError, match="no report of Feedway's"):
        check_folder(str(tmp_path), ALL)
    with pytest.raises(SpecError, match="is not a folder"):
        check_folder(str(tmp_path / "nowhere"), ALL)


def test_only_a_report_of_the_same_feeds_is_replaced(tmp_path: Path) -> None:
    one = Contents("prod", "orders")
    write_pages(tmp_path, [("index.html", "x")], one)

    for contents in (one, ALL):
        check_folder(str(tmp_path), contents)
    for contents in (
        Contents("prod", "customers"),
        Contents("dev", "orders"),
        Contents("dev", ""),
        Contents("pro", ""),
    ):
        with pytest.raises(SpecError, match="environment: prod, feeds: orders"):
            check_folder(str(tmp_path), contents)
    write_pages(tmp_path, [("index.html", "x")], ALL)
    with pytest.raises(SpecError, match="environment: prod, feeds: all"):
        check_folder(str(tmp_path), one)
    (tmp_path / MARKER).write_bytes(b"\xff")
    with pytest.raises(SpecError, match="which is not known"):
        check_folder(str(tmp_path), ALL)
    with pytest.raises(SpecError, match="name the folder to write"):
        check_folder("", ALL)


def test_what_a_killed_run_left_is_removed_and_the_pages_of_a_live_one_stay(tmp_path: Path) -> None:
    stale, live = tmp_path / f"{MARKER}-stale", tmp_path / f"{MARKER}-live"
    for folder in (stale, live):
        folder.mkdir()
        (folder / "feed-a.html").write_text("x")
    os.utime(stale, (0, 0))

    write_pages(tmp_path, [("index.html", "x")], Contents("prod", ""))

    assert not stale.exists()
    assert (live / "feed-a.html").exists()
