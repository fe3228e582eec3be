"""Places that a result cannot be kept in are refused before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.cli.result_file import check_result_place
from framework.errors import SpecError


@pytest.mark.parametrize("place", ["s3://", "s3://bucket", "s3://bucket/", "s3://bucket/folder/", "", "{folder}"])
def test_a_place_that_is_no_file_is_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"names no (object|file): write .*s3://BUCKET/KEY"):
        check_result_place(place.replace("{folder}", str(tmp_path)))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"there is no folder .*/none\. Make it first"):
        check_result_place(str(tmp_path / "none" / "result.json"))


def test_files_and_objects_are_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for place in ("result.json", str(tmp_path / "result.json"), "s3://bucket/result.json"):
        check_result_place(place)
