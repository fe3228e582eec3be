"""Many feeds in one invocation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from framework.cli import main
from tests.harness import new_name

FEEDS = 9
SPEC = """\
pipeline: {name}
source: {{prefix: data/in/{name}/}}
target: {{table: {name}}}
load: {{keys: [id]}}
"""


@pytest.fixture
def names(sandbox: Any, s3: Any, tmp_path: Path) -> list[str]:
    """A project of its own, with a control schema that does not exist yet, and a file for every feed."""
    (tmp_path / ".sandbox").symlink_to(sandbox.folder)
    (tmp_path / "pipelines").mkdir()
    environment = (Path(__file__).parents[2] / "environments.yml").read_text(encoding="utf-8")
    schema = new_name("control")
    environment = environment.replace("copy_role: default}", f"copy_role: default, control_schema: {schema}}}", 1)
    environment = environment.replace("    kind: sandbox\n", "    kind: sandbox\n    engine: embedded\n", 1)
    (tmp_path / "environments.yml").write_text(environment, encoding="utf-8")
    made = [new_name("side") for _ in range(FEEDS)]
    for number, name in enumerate(made):
        (tmp_path / "pipelines" / f"{name}.yml").write_text(SPEC.format(name=name), encoding="utf-8")
        rows = "".join(f"{n},{number}\n" for n in range(10 + number))
        s3.put_object(Bucket="lake", Key=f"data/in/{name}/1.csv", Body=f"id,a\n{rows}".encode())
    return made


def run(root: Path, capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, Any, list[dict[str, Any]]]:
    capsys.readouterr()
    code = main(["--project", str(root), *argv, "--output", "json"])
    captured = capsys.readouterr()
    log = [json.loads(line) for line in captured.err.splitlines() if line.startswith("{")]
    return code, json.loads(captured.out), log


def test_feeds_load_side_by_side_each_by_itself(
    names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = names[::-1]

    code, document, log = run(tmp_path, capsys, "run", *asked)

    assert code == 0
    loads = document["loads"]
    assert [load["pipeline"] for load in loads] == asked
    assert {load["pipeline"]: load["records_inserted"] for load in loads} == {
        name: 10 + number for number, name in enumerate(names)
    }
    # Each run has a log of its own, whole lines of which mingle in the stream: the loads overlapped.
    runs = {load["run_id"]: load["pipeline"] for load in loads}
    assert {(entry["run_id"], entry["pipeline"]) for entry in log} == set(runs.items())
    ended = [place for place, entry in enumerate(log) if entry["msg"] == "loaded"]
    begun = [next(place for place, e in enumerate(log) if e["run_id"] == run_id) for run_id in runs]
    assert sorted(begun)[1] < min(ended)
    for name, number in zip(names, range(FEEDS), strict=True):
        _, found, _ = run(tmp_path, capsys, "sandbox", "sql", f"select count(*), max(a) from {name}")
        assert found["rows"] == [[10 + number, number]]


def test_one_feed_that_fails_stops_no_other(
    names: list[str], s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3.put_object(Bucket="lake", Key=f"data/in/{names[3]}/1.csv", Body=b'id,a\n"1"x,2\n')

    code, document, _ = run(tmp_path, capsys, "run", "--all")

    assert code == 3
    assert {load["pipeline"]: load["status"] for load in document["loads"]} == {
        name: "FAILED" if name == names[3] else "SUCCESS" for name in names
    }
