"""Specs load wherever the code runs from, quickly, and without what they do not need."""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from framework.resources import list_files, read_text
from framework.spec.project import Project, check_project

ROOT = Path(__file__).parents[3]
SPEC = """\
pipeline: p{n}
source: {{prefix: in/{n}}}
target: {{table: t}}
load: {{keys: [a]}}
columns: {columns}
"""


def run_python(code: str, path: Path) -> str:
    """Run code in a fresh interpreter that finds the framework in `path`; return what it prints."""
    setup = f"import sys; sys.path.insert(0, {str(path)!r}); "
    command = [sys.executable, "-c", setup + code]
    return subprocess.run(command, cwd=path.parent, check=True, capture_output=True, text=True).stdout.strip()


def test_texts_are_read_from_a_zip(tmp_path: Path) -> None:
    archive = tmp_path / "job.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for source in (*(ROOT / "framework").rglob("*.py"), *(ROOT / "schemas").rglob("*.json")):
            target.write(source, source.relative_to(ROOT).as_posix())
    code = (
        "from framework.resources import list_files, read_text;"
        "from framework.spec.json_schema import json_schema;"
        "print(json_schema('pipeline')['title'], list_files('schemas'))"
    )
    assert run_python(code, archive) == "Feedway pipeline ['environments.schema.json', 'pipeline.schema.json']"


def test_a_text_that_does_not_ship_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"schemas/none\.json does not ship"):
        read_text("schemas/none.json")
    with pytest.raises(FileNotFoundError, match="none/ does not ship"):
        list_files("none")


def test_reading_specs_needs_neither_clients_nor_engines() -> None:
    code = (
        "import framework.spec.project;"
        "print(sorted({'boto3', 'pyspark', 'duckdb', 'jsonschema', 'jinja2'} & set(sys.modules)))"
    )
    assert run_python(code, ROOT) == "[]"


def test_a_hundred_specs_are_checked_in_under_a_second(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "environments.yml").write_text(
        "environments: {prod: {lake: {bucket: lake}, warehouse: {workgroup: w, database: dev}}}\n"
    )
    rename = {f"old_{n}": f"new_{n}" for n in range(10)}
    for n in range(100):
        (tmp_path / "pipelines" / f"p{n}.yml").write_text(SPEC.format(n=n, columns={"rename": rename}))
    started = time.process_time()
    assert check_project(Project(tmp_path)) == []
    assert time.process_time() - started < 1
