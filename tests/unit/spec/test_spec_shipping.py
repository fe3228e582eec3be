"""Texts that ship with the code are found, and specs load quickly."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from framework.resources import read_text
from framework.spec.project import Project, check_project

SPEC = """\
pipeline: p{n}
source: {{prefix: in/{n}}}
target: {{table: t}}
load: {{keys: [a]}}
columns: {columns}
"""


def test_a_text_that_does_not_ship_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"schemas/none\.json does not ship"):
        read_text("schemas/none.json")


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
