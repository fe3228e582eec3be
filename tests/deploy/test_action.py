"""The action for GitHub and the hook for pre-commit do what they say, on a project in a repository."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "deploy" / "action" / "action.yml").read_text(encoding="utf-8"))
HOOKS = ROOT / ".pre-commit-hooks.yaml"
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
"""Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax (`shell: bash`)"""
PROGRAMS = {
    "feedway": f'exec "{sys.executable}" -m framework "$@"',
    "python": """printf '%s\\n' "$*" >> "$HOME/python.txt\"""",
    # Answers a request for comments with those of a file, through jq as gh does.
    "gh": """printf '%s\\n' "$*" >> "$HOME/gh.txt"
case "$*" in *--paginate*) jq -r "${@: -1}" "$HOME/comments.json";; esac""",
}
SPEC = "pipeline: orders\nsource: {prefix: data/in/orders/}\ntarget: {table: orders}\nload: {keys: [id]}\n"
TESTS = 'tests: {one row: {given: {files: [{a.csv: "id,n\\n1,2\\n"}]}, expect: {rows: [{id: 1}]}}}\n'
ENVIRONMENTS = (
    "environments: {sandbox: {kind: sandbox, lake: {bucket: lake}, warehouse: {workgroup: sandbox, database: dev}}}\n"
)
MARK = "<!-- feedway plan env=sandbox project=feeds -->"
COMMENTS = [
    {"id": 1, "user": {"type": "User"}, "body": f"{MARK} of a person"},
    {"id": 2, "user": {"type": "Bot"}, "body": f"{MARK.replace('feeds', 'other')}\n\n## Feedway plan"},
    {"id": 3, "user": {"type": "Bot"}, "body": f"{MARK}\n\n## Feedway plan"},
]


@dataclass
class Job:
    """A job of GitHub's that has checked out a repository, in whose folder `feeds` the project is."""

    home: Path
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    out: str = ""

    @property
    def project(self) -> Path:
        return self.home / "repository" / "feeds"

    def run(self, **inputs: str) -> list[str]:
        """Run the action's scripts as GitHub does; return the steps that ran, up to the first that failed."""
        values = {name: each.get("default", "") for name, each in ACTION["inputs"].items()} | inputs
        known = {f"inputs.{name}": value for name, value in values.items()}
        known |= {"github.event_name": "pull_request", "github.event.pull_request.number": "7", "github.token": "t"}
        ran, is_failing = [], False
        for step in ACTION["runs"]["steps"]:
            steps = {f"steps.{i}.outputs.{k}": v for i, found in self.outputs.items() for k, v in found.items()}
            condition = step.get("if", "true")
            if "run" in step and (not is_failing or "always()" in condition) and holds(condition, {**known, **steps}):
                ran.append(step["name"])
                environment = {name: filled(text, {**known, **steps}) for name, text in step.get("env", {}).items()}
                is_failing = self.script(step, environment) != 0 or is_failing
        return ran

    def script(self, step: Mapping[str, Any], environment: Mapping[str, str]) -> int:
        """Run the script of a step with these variables; return its exit code."""
        output = self.home / "output.txt"
        output.write_text("")
        github = {
            "GITHUB_ACTION_PATH": "/actions/feedway/deploy/action",
            "GITHUB_WORKSPACE": str(self.home / "repository"),
            "GITHUB_REPOSITORY": "acme/feeds",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.home / "summary.md"),
            "RUNNER_TEMP": str(self.home),
        }
        ended = subprocess.run(
            [*BASH, step["run"]],
            cwd=self.home / "repository",
            env={**environ(self.home), **github, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        self.out += ended.stdout + ended.stderr
        written = dict(line.split("=", 1) for line in output.read_text().splitlines())
        self.outputs[step.get("id", step["name"])] = written
        return ended.returncode

    def calls(self, program: str) -> list[str]:
        """Return the arguments of each call of a program that stands in for another."""
        file = self.home / f"{program}.txt"
        return file.read_text().splitlines() if file.exists() else []


def environ(home: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_", "GIT_"))}
    path = f"{home}/programs:{os.environ['PATH']}"
    return {**inherited, "HOME": str(home), "PATH": path, "PYTHONPATH": str(ROOT)}


def filled(text: str, known: Mapping[str, str]) -> str:
    """Return a text with GitHub's expressions, which are names here, replaced by their values."""
    return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: known.get(found[1], ""), text)


def holds(condition: str, known: Mapping[str, str]) -> bool:
    """Return whether a condition of comparisons that are joined by `&&` is true."""
    for comparison in condition.split(" && "):
        if comparison not in ("true", "always()"):
            name, operator, value = comparison.strip().split(" ")
            if (known.get(name, "") == value.strip("'")) is not (operator == "=="):
                return False
    return True


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """A job on a project with one feed and its test."""
    job = Job(tmp_path)
    (job.project / "pipelines" / "tests").mkdir(parents=True)
    (job.project / "environments.yml").write_text(ENVIRONMENTS)
    (job.project / "pipelines" / "orders.yml").write_text(SPEC)
    (job.project / "pipelines" / "tests" / "orders.yml").write_text(TESTS)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in PROGRAMS.items():
        (programs / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
        (programs / name).chmod(0o755)
    (tmp_path / "comments.json").write_text(json.dumps(COMMENTS[:2]))
    yield job
    if (job.project / ".sandbox").is_dir():
        command = [str(programs / "feedway"), "--project", str(job.project), "sandbox", "reset", "--yes"]
        subprocess.run(command, env=environ(tmp_path), check=True, capture_output=True)


def test_a_sound_project_is_validated_tested_planned_and_commented_once(job: Job) -> None:
    inbox = job.project / ".sandbox" / "s3" / "lake" / "data" / "in" / "orders"
    inbox.mkdir(parents=True)
    (inbox / "orders_1.csv").write_text("id,amount\n1,2\n")

    ran = job.run(project="feeds", env="sandbox", feeds="'or*'\n--sql", version="0.1.0")

    plan, tests = Path(job.outputs["plan"]["file"]), Path(job.outputs["test"]["file"])
    comment = f"api --silent --method POST repos/acme/feeds/issues/7/comments --field body=@{plan}"
    scripts = [step["name"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert ran == [name for name in scripts if name != "Write problems for code scanning"], job.out
    assert job.calls("python") == ["-m pip install --quiet feedway[sandbox]==0.1.0"]
    assert ElementTree.parse(tests).getroot().attrib["tests"] == "1"
    assert plan.read_text() == (job.home / "summary.md").read_text()
    assert "orders_1.csv" in html_free(plan.read_text())
    assert "create table" in plan.read_text()
    # Neither a person's comment nor that of another job is changed.
    assert job.calls("gh")[1:] == [comment]


def test_a_project_whose_path_holds_characters_of_a_glob_is_tested_and_no_feeds_are_all(job: Job) -> None:
    job.project.rename(job.project.with_name("[a]*"))

    ran = job.run(project="[a]*", env="sandbox", feeds="", comment="false")
    (job.home / "repository" / "[a]*").rename(job.project)

    assert job.outputs["test"], job.out
    assert "orders" in Path(job.outputs["plan"]["file"]).read_text()
    assert ran[-1] == "Plan a run"


def test_the_project_may_be_the_repository_and_feeds_that_cannot_be_read_end_the_job(job: Job) -> None:
    for entry in list(job.project.iterdir()):
        entry.rename(job.home / "repository" / entry.name)

    job.run(project="", env="sandbox", feeds="it's")

    assert job.outputs["test"], job.out
    assert job.outputs["plan"] == {}
    assert "quote" in job.out


def html_free(text: str) -> str:
    """Return Markdown with the references to characters resolved."""
    return re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), text)


def test_a_plan_that_fails_shows_the_other_feeds_and_changes_the_earlier_comment(job: Job) -> None:
    (job.home / "comments.json").write_text(json.dumps(COMMENTS))
    (job.project / "pipelines" / "late.yml").write_text(SPEC.replace("orders", "late"))

    ran = job.run(project="feeds", env="sandbox", feeds="late missing", test="false")

    plan = job.outputs["plan"]["file"]
    comment = f"api --silent --method PATCH repos/acme/feeds/issues/comments/3 --field body=@{plan}"
    assert "Test feeds" not in ran
    assert "late" in Path(plan).read_text()
    assert "there is no pipeline" in html_free(Path(plan).read_text())
    assert job.calls("gh")[1:] == [comment]
    assert job.calls("python") == ["-m pip install --quiet /actions/feedway/deploy/action/../..[sandbox]"]


def test_a_broken_spec_is_a_log_and_annotations_and_ends_the_job(job: Job) -> None:
    (job.project / "pipelines" / "orders.yml").write_text(SPEC.replace("prefix", "prefx"))

    ran = job.run(project="feeds", env="sandbox", sarif="true")

    (run,) = json.loads((job.home / "feedway.sarif").read_text())["runs"]
    place = run["results"][1]["locations"][0]["physicalLocation"]
    assert ran == ["Install Feedway", "Write problems for code scanning", "Validate specs"]
    assert place["artifactLocation"]["uri"] == "feeds/pipelines/orders.yml"
    assert "::error file=feeds/pipelines/orders.yml,line=2,col=10,title=spec/unknown-field::" in job.out


def test_no_project_replaces_the_results_of_another_in_code_scanning() -> None:
    (upload,) = [step for step in ACTION["runs"]["steps"] if "upload-sarif" in step.get("uses", "")]
    categories = {filled(upload["with"]["category"], {"inputs.project": project}) for project in (".", "a", "b/a")}

    assert len(categories) == 3


def test_a_folder_without_a_project_ends_the_job_with_its_message(job: Job) -> None:
    ran = job.run(project="nowhere", sarif="true")

    assert ran == ["Install Feedway", "Write problems for code scanning"]
    assert "nowhere is not a folder" in job.out


def test_no_input_is_run_as_a_command(job: Job) -> None:
    hostile = "$(touch pwned)\"; touch pwned; `touch pwned`' #"

    for step in ACTION["runs"]["steps"]:
        if "run" in step:
            job.script(step, dict.fromkeys(step["env"], hostile))

    assert not list(job.home.rglob("pwned"))
    assert all("${{" not in step.get("run", "") for step in ACTION["runs"]["steps"])


def test_every_input_is_used_and_documented_and_every_step_is_one_that_github_takes() -> None:
    steps, text = ACTION["runs"]["steps"], json.dumps(ACTION["runs"])
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*?) ?\|", (ROOT / "docs" / "ci.md").read_text("utf-8"), re.MULTILINE)
    documented = {name: default.strip("`") for name, default in rows if name in ACTION["inputs"]}

    assert ACTION["runs"]["using"] == "composite"
    assert documented == {name: each["default"] for name, each in ACTION["inputs"].items()} | {"token": "the job's"}
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(ACTION["inputs"])
    assert all(("uses" in step) != ({"run", "shell"} <= set(step)) for step in steps)
    assert all(each["description"] for each in (*ACTION["inputs"].values(), *ACTION["outputs"].values()))


def test_the_hook_runs_for_specs_and_tests_and_for_nothing_else(job: Job) -> None:
    repository = job.home / "repository"
    (hook,) = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    # As pre-commit would run it, but with the program that is installed.
    local = {"repo": "local", "hooks": [{**hook, "language": "system", "entry": f"{hook['entry']} --project feeds"}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [local]}))
    (repository / "notes.txt").write_text("pipelines/ holds specs\n")
    git = ["git", "-c", "init.defaultBranch=main"]
    for arguments in (["init", "--quiet"], ["add", "."]):
        subprocess.run([*git, *arguments], cwd=repository, env=environ(job.home), check=True)

    def run(*files: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "pre_commit", "run", "--files", *files]
        ended = subprocess.run(
            command, cwd=repository, env=environ(job.home), capture_output=True, text=True, check=False
        )
        return ended.returncode, ended.stdout

    manifest = subprocess.run([sys.executable, "-m", "pre_commit", "validate-manifest", str(HOOKS)], check=False)
    code, out = run("feeds/environments.yml")
    (job.project / "pipelines" / "orders.yml").write_text(SPEC.replace("prefix", "prefx"))
    broken_code, broken_out = run("feeds/pipelines/tests/orders.yml")

    assert manifest.returncode == 0
    assert (code, "Passed" in out) == (0, True)
    assert (broken_code, "orders.yml:2:10: 'prefx' is not a field of source" in broken_out) == (1, True)
    assert "Skipped" in run("notes.txt")[1]
    assert not re.search(hook["files"], "docs/environments.yml.md")
