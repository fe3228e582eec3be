"""Where the project is looked for; in S3: tests/sandbox/test_s3_project.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.cli.projects import ensure_project, open_project
from framework.cli.result_file import check_result_place
from framework.errors import SpecError
from framework.spec.project import Project

ROOT = Path(__file__).parents[3]
SHIPPED = ["customers", "orders"]
ENVIRONMENTS = "environments: {mine: {lake: {bucket: lake}, warehouse: {workgroup: w, database: dev}}}\n"


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory that is in no project."""
    folder = tmp_path / "nowhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_the_nearest_folder_above_the_working_directory_is_the_whole_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "outer" / "inner"
    deeper = inner / "pipelines" / "old"
    deeper.mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "environments.yml").write_text(ENVIRONMENTS)
    (inner / "pipelines" / "mine.yml").touch()
    # A folder of that name is no file of environments.
    (deeper / "environments.yml").mkdir()
    monkeypatch.chdir(deeper)

    for home in (None, tmp_path):
        project = open_project(None, home)
        assert (project.folder, project.pipeline_names()) == (inner, ["mine"])
    monkeypatch.chdir(inner.parent)
    assert open_project(None).folder == inner.parent
    assert open_project(None).pipeline_names() == []


def test_where_there_is_no_project_the_way_to_begin_one_is_named(nowhere: Path) -> None:
    with pytest.raises(SpecError, match=r"there is no project: .* begin one from a file of yours: feedway init NAME"):
        open_project(None)

    assert open_project(None, begins=True).folder == nowhere
    assert list(nowhere.iterdir()) == []


def test_a_working_directory_that_was_removed_is_in_no_project(nowhere: Path) -> None:
    nowhere.rmdir()

    with pytest.raises(SpecError, match="there is no project"):
        open_project(None)
    with pytest.raises(SpecError, match="the working directory was removed"):
        open_project(None, begins=True)
    assert open_project(None, nowhere.parent).pipeline_names() == SHIPPED


def test_what_ships_is_the_project_of_a_script_beside_none(nowhere: Path, tmp_path: Path) -> None:
    project = open_project(None, tmp_path)

    assert project.pipeline_names() == SHIPPED
    assert list(project.environments()) == ["sandbox"]
    assert project.folder == tmp_path


@pytest.mark.usefixtures("nowhere")
def test_the_folder_of_a_script_comes_first_for_each_of_the_two(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "pipelines").mkdir(parents=True)
    assert open_project(None, home).pipeline_names() == []
    assert list(open_project(None, home).environments()) == ["sandbox"]


def test_a_script_that_runs_in_its_folder_takes_what_ships_for_what_is_not_there(nowhere: Path) -> None:
    """AWS Glue puts run.py and the files of --extra-files into the working directory of the job."""
    (nowhere / "environments.yml").write_text(ENVIRONMENTS)

    project = open_project(None, nowhere)

    assert list(project.environments()) == ["mine"]
    assert project.pipeline_names() == SHIPPED


def test_a_folder_becomes_a_project_whose_environment_is_the_sandbox(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "feeds"

    assert ensure_project(folder) == [folder / "environments.yml", folder / "pipelines"]
    assert ensure_project(folder) == []

    project = open_project(str(folder))
    shipped = Project(ROOT).environment("sandbox")
    assert project.environments() == {"sandbox": shipped}
    assert project.pipeline_names() == []


def test_what_a_folder_has_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "environments.yml").write_text(ENVIRONMENTS)
    (tmp_path / "pipelines").symlink_to("elsewhere")

    assert ensure_project(tmp_path) == []
    assert (tmp_path / "environments.yml").read_text() == ENVIRONMENTS


def test_a_file_cannot_become_a_project(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SpecError, match=f"{file} cannot become a project: File exists"):
        ensure_project(file)
    with pytest.raises(SpecError, match=f"{file}/inner cannot become a project: Not a directory"):
        ensure_project(file / "inner")


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
