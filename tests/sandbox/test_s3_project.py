"""A project that lies in S3: a new feed needs no new build."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from framework.cli import main
from tests.harness import FeedHarness, tagged_spec


class S3Project:
    """A project below a prefix of the lake's bucket, and the command line of a machine that holds none."""

    def __init__(self, feed: FeedHarness) -> None:
        self.feed = feed
        self.place = f"s3://lake/projects/{feed.name}"
        self.environments = (feed.root / "environments.yml").read_text(encoding="utf-8")
        for folder_file in ("environments.yml", f"pipelines/{feed.name}.yml"):
            (feed.root / folder_file).unlink()

    def put(self, path: str, text: str) -> None:
        self.feed.s3.put_object(Bucket="lake", Key=f"projects/{self.feed.name}/{path}", Body=text.encode())

    def run(self, *argv: str) -> tuple[int, str, str]:
        self.feed.capsys.readouterr()
        code = main([*argv, "--project", self.place], home=self.feed.root)
        captured = self.feed.capsys.readouterr()
        return code, captured.out, captured.err


@pytest.fixture
def project(feed: FeedHarness) -> S3Project:
    """A project with one spec, which the machine does not have."""
    made = S3Project(feed)
    made.put("environments.yml", made.environments)
    made.put(f"pipelines/{feed.name}.yml", tagged_spec(feed.name))
    return made


def test_a_feed_loads_by_its_spec_in_s3_and_job_sts_says_by_which(project: S3Project, feed: FeedHarness) -> None:
    spec = f"# added today\r\n{tagged_spec(feed.name)}"
    project.put(f"pipelines/{feed.name}.yml", spec)
    feed.land("1.csv", "id,a\n1,x\n")

    code, _, _ = project.run("--pipeline", feed.name)
    query = f"select distinct spec_sha256 from feedway.job_sts where pipeline = '{feed.name}'"
    _, audited = feed.json("sandbox", "sql", query)

    assert code == 0
    assert audited["rows"] == [[hashlib.sha256(spec.encode()).hexdigest()]]


def test_problems_of_specs_in_s3_have_their_lines(project: S3Project, feed: FeedHarness) -> None:
    project.put("pipelines/other.yml", "pipeline: other\nsource: {prefix: data/in/other/}\nlod: {}\n")
    project.put("pipelines/last.yaml", "")
    project.put("pipelines/old/other.yml", "pipeline: [\n")

    code, out, _ = project.run("validate", "--output", "text")

    assert code == 2
    assert f"{project.place}/pipelines/other.yml:3:1: " in out
    assert f"{project.place}/pipelines/last.yaml: specs end in .yml" in out
    assert "old/" not in out


def test_an_unknown_name_is_reported_with_the_address(project: S3Project) -> None:
    code, _, err = project.run("run", "no_such_feed")

    assert code == 2
    assert f"there is no pipeline 'no_such_feed' in {project.place}/pipelines" in err


def test_specs_beyond_one_page_of_a_listing_are_found(project: S3Project, feed: FeedHarness) -> None:
    folder = feed.s3_folder / "lake" / "projects" / feed.name / "pipelines"
    for number in range(1100):
        name = f"p{number}"
        spec = tagged_spec(name)
        (folder / f"{name}.yml").write_text(spec, encoding="utf-8")

    code, out, _ = project.run("run", "p1099", "--output", "text")

    assert (code, out.partition(" to do")[0]) == (0, "p1099: nothing")


@pytest.mark.parametrize(
    ("has", "missing"), [("pipelines/a.yml", "environments.yml"), ("environments.yml", "pipelines/NAME.yml")]
)
def test_a_place_without_the_one_or_the_other_is_no_project(feed: FeedHarness, has: str, missing: str) -> None:
    project = S3Project(feed)
    project.put(has, "")

    code, _, err = project.run("validate")

    assert code == 2
    assert f"{project.place}/ is not a project: there is no {project.place}/{missing}. Put " in err


def test_a_bucket_that_is_not_there_is_reported(feed: FeedHarness) -> None:
    code = main(["validate", "--project", "s3://no-such-bucket/x"], home=feed.root)

    assert code == 5
    assert "S3 refused to list s3://no-such-bucket/x/pipelines/" in feed.capsys.readouterr().err


def test_a_bucket_may_be_the_project(feed: FeedHarness, s3: Any) -> None:
    bucket = feed.name.replace("_", "-")
    s3.create_bucket(Bucket=bucket)
    project = S3Project(feed)
    s3.put_object(Bucket=bucket, Key="environments.yml", Body=project.environments.encode())
    s3.put_object(Bucket=bucket, Key="pipelines/a.yml", Body=tagged_spec("a").encode())
    project.place = f"s3://{bucket}/"

    assert project.run("validate", "--output", "text")[:2] == (0, "1 pipeline is valid\n")


def test_tests_of_feeds_are_on_this_machine_and_no_specs(project: S3Project, feed: FeedHarness) -> None:
    project.put(f"pipelines/tests/{feed.name}.yml", "tests: {}\n")

    assert project.run("validate")[:2] == (0, "1 pipeline is valid\n")
    code, _, err = project.run("test")
    assert (code, "test reads tests on this machine" in err) == (2, True)
