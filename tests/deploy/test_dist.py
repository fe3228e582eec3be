"""What is put on AWS holds what it should; that it runs there: tests/glue."""

from __future__ import annotations

import configparser
import email
import re
import zipfile
from pathlib import Path

import pytest

from deploy.dist import GLUE_REQUIREMENTS, ROOT, build_wheel, write_zip
from framework.cli.process import run_process
from framework.spec.load import load_environments_text

BESIDE = ("templates", "schemas", "pipelines")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_the_code_and_all_that_ships_with_it_and_nothing_else(wheel: Path) -> None:
    sources = [*ROOT.glob("framework/**/*"), *(path for folder in BESIDE for path in ROOT.glob(f"{folder}/**/*"))]
    files = [
        path.relative_to(ROOT).as_posix() for path in sources if path.is_file() and "__pycache__" not in path.parts
    ]
    docs = [path for pattern in ("*.md", "*.svg", "*.png") for path in ROOT.glob(f"docs/**/{pattern}")]
    expected = {"framework/environments.yml", *(f"framework/{path.relative_to(ROOT).as_posix()}" for path in docs)}
    shipped = [name for name in files if not name.startswith("pipelines/tests/")]
    expected |= {name if name.startswith("framework/") else f"framework/{name}" for name in shipped}

    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert names == expected


def test_the_wheel_installs_the_program(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
        scripts = configparser.ConfigParser()
        scripts.read_string(archive.read(name).decode("utf-8"))

    assert dict(scripts["console_scripts"]) == {"feedway": "framework.cli.process:run_process"}
    assert callable(run_process)


def test_the_wheel_carries_its_license_and_is_typed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (folder,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        metadata = email.message_from_string(archive.read(f"{folder}/METADATA").decode("utf-8"))
        texts = {name: archive.read(f"{folder}/licenses/{name}").decode("utf-8") for name in ("LICENSE", "NOTICE")}
        typed = archive.read("framework/py.typed")

    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == list(texts)
    assert texts == {name: (ROOT / name).read_text(encoding="utf-8") for name in texts}
    assert (typed, "Typing :: Typed" in metadata.get_all("Classifier", [])) == (b"", True)
    assert metadata.get_payload() == (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_environments_in_the_wheel_are_the_projects(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("framework/environments.yml").decode("utf-8")

    assert text == (ROOT / "environments.yml").read_text(encoding="utf-8")
    assert load_environments_text(text, "environments.yml")


def test_everything_brought_along_is_pinned_and_nothing_of_boto3s() -> None:
    lines = [line for line in GLUE_REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]

    assert all(re.fullmatch(r"[A-Za-z0-9.-]+==[0-9.]+", line) for line in lines)
    assert not {line.partition("==")[0].lower() for line in lines} & {"boto3", "botocore", "s3transfer", "urllib3"}


def test_the_same_files_make_the_same_zip(tmp_path: Path) -> None:
    files = [("b", b"2"), ("a/c", b"1")]
    write_zip(tmp_path / "1.zip", files)
    write_zip(tmp_path / "2.zip", reversed(files))

    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        assert archive.namelist() == ["a/c", "b"]
