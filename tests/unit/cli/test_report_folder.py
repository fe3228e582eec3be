"""The folder of a report: a report that cannot be written whole leaves the earlier one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from framework.cli.report_folder import MARKER, Written, check_folder, write_pages
from framework.errors import MachineError, SpecError


def test_a_report_replaces_an_earlier_one_and_deletes_its_other_pages(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "site"
    assert write_pages(check_folder(str(folder)), [("feed-a.html", "1"), ("index.html", "ä")]) == Written(2, 3)
    (folder / "own.txt").write_text("kept")

    write_pages(check_folder(str(folder)), [("feed-b.html", "2"), ("index.html", "3")])

    found = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.name != MARKER}
    assert found == {"feed-b.html": "2", "index.html": "3", "own.txt": "kept"}


def test_pages_that_fail_leave_the_earlier_report(tmp_path: Path) -> None:
    write_pages(tmp_path, [("feed-a.html", "1"), ("index.html", "2")])

    def failing() -> Iterator[tuple[str, str]]:
        yield "feed-b.html", "3"
        yield "index.html", "4"
        raise OSError(28, "No space left on device", "x")

    with pytest.raises(MachineError, match="No space left on device"):
        write_pages(tmp_path, failing())

    found = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir() if path.name != MARKER}
    assert found == {"feed-a.html": "1", "index.html": "2"}


def test_an_empty_folder_is_free_and_one_with_something_is_not(tmp_path: Path) -> None:
    assert check_folder(str(tmp_path)) == tmp_path
    (tmp_path / "index.html").write_text("somebody's")
    (tmp_path / "nowhere").symlink_to("missing")

    with pytest.raises(SpecError, match="no report of Feedway's"):
        check_folder(str(tmp_path))
    with pytest.raises(SpecError, match="is not a folder"):
        check_folder(str(tmp_path / "nowhere"))
