"""Where the project is looked for; in S3: tests/sandbox/test_s3_project.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.cli.projects import open_project
from framework.cli.result_file import check_result_place
from framework.errors import SpecError

SHIPPED = ["customers", "orders"]
ENVIRONMENTS = "environments: {mine: {lake: {bucket: lake}, warehouse: {workgroup: w, database: dev}}}\n"


def test_what_ships_is_the_project_where_the_folder_of_run_py_holds_none(tmp_path: Path) -> None:
    project = open_project(None, tmp_path)

    assert project.pipeline_names() == SHIPPED
    assert list(project.environments()) == ["sandbox"]
    assert project.folder == tmp_path


def test_the_folder_of_run_py_comes_first_for_each_of_the_two(tmp_path: Path) -> None:
    (tmp_path / "environments.yml").write_text(ENVIRONMENTS)
    assert list(open_project(None, tmp_path).environments()) == ["mine"]
    assert open_project(None, tmp_path).pipeline_names() == SHIPPED

    (tmp_path / "pipelines").mkdir()
    assert open_project(None, tmp_path).pipeline_names() == []


def test_a_folder_that_is_named_is_the_whole_project(tmp_path: Path) -> None:
    project = open_project(str(tmp_path), tmp_path)

    assert project.pipeline_names() == []
    with pytest.raises(SpecError, match=r"environments\.yml: the file cannot be read"):
        project.environments()


@pytest.mark.parametrize("place", ["s3a://bucket/prefix", "S3://bucket/prefix", "https://bucket/prefix"])
def test_an_address_of_another_kind_is_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=f"--project {place} is neither a path nor an address s3://BUCKET/KEY"):
        open_project(place, tmp_path)
    with pytest.raises(SpecError, match=f"--result {place} is neither a path nor an address s3://BUCKET/KEY"):
        check_result_place(place)


def test_an_address_without_a_bucket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="names no bucket: write s3://BUCKET/PREFIX"):
        open_project("s3:///feeds", tmp_path)
