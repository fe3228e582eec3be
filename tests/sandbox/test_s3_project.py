"""A project that lies in S3: a new feed needs no new build."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from framework.cli import main
from tests.command_line import SPEC, Shop


class S3Project:
    """A project below a prefix of the lake's bucket, and the command line of a machine that holds none."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.place = f"s3://lake/projects/{shop.name}"
        self.environments = (shop.root / "environments.yml").read_text(encoding="utf-8")
        for folder_file in ("environments.yml", f"pipelines/{shop.name}.yml"):
            (shop.root / folder_file).unlink()

    def put(self, path: str, text: str) -> None:
        self.shop.s3.put_object(Bucket="lake", Key=f"projects/{self.shop.name}/{path}", Body=text.encode())

    def run(self, *argv: str) -> tuple[int, str, str]:
        self.shop.capsys.readouterr()
        code = main([*argv, "--project", self.place], home=self.shop.root)
        captured = self.shop.capsys.readouterr()
        return code, captured.out, captured.err


@pytest.fixture
def project(shop: Shop) -> S3Project:
    """A project with one spec, which the machine does not have."""
    made = S3Project(shop)
    made.put("environments.yml", made.environments)
    made.put(f"pipelines/{shop.name}.yml", SPEC.format(name=shop.name))
    return made


def test_a_feed_loads_by_its_spec_in_s3_and_job_sts_says_by_which(project: S3Project, shop: Shop) -> None:
    spec = f"# added today\r\n{SPEC.format(name=shop.name)}"
    project.put(f"pipelines/{shop.name}.yml", spec)
    shop.land("1.csv", "id,a\n1,x\n")

    code, _, _ = project.run("--pipeline", shop.name)
    query = f"select distinct spec_sha256 from feedway.job_sts where pipeline = '{shop.name}'"
    _, audited = shop.json("sandbox", "sql", query)

    assert code == 0
    assert audited["rows"] == [[hashlib.sha256(spec.encode()).hexdigest()]]


def test_problems_of_specs_in_s3_have_their_lines(project: S3Project, shop: Shop) -> None:
    project.put("pipelines/other.yml", "pipeline: other\nsource: {prefix: data/in/other/}\nlod: {}\n")
    project.put("pipelines/last.yaml", "")
    project.put("pipelines/old/other.yml", "pipeline: [\n")

    code, out, _ = project.run("validate", "--output", "text")

    assert code == 2
    assert f"{project.place}/pipelines/other.yml:3:1: " in out
    assert f"{project.place}/pipelines/last.yaml: specs end in .yml" in out
    assert "old/" not in out


def test_an_unknown_name_is_told_with_the_address(project: S3Project) -> None:
    code, _, err = project.run("run", "no_such_feed")

    assert code == 2
    assert f"there is no pipeline 'no_such_feed' in {project.place}/pipelines" in err


def test_specs_beyond_one_page_of_a_listing_are_found(project: S3Project, shop: Shop) -> None:
    folder = shop.s3_folder / "lake" / "projects" / shop.name / "pipelines"
    for number in range(1100):
        name = f"p{number}"
        spec = SPEC.format(name=name)
        (folder / f"{name}.yml").write_text(spec, encoding="utf-8")

    code, out, _ = project.run("run", "p1099", "--output", "text")

    assert (code, out.partition(" to do")[0]) == (0, "p1099: nothing")


@pytest.mark.parametrize(
    ("has", "missing"), [("pipelines/a.yml", "environments.yml"), ("environments.yml", "pipelines/NAME.yml")]
)
def test_a_place_without_the_one_or_the_other_is_no_project(shop: Shop, has: str, missing: str) -> None:
    project = S3Project(shop)
    project.put(has, "")

    code, _, err = project.run("validate")

    assert code == 2
    assert f"{project.place}/ is no project: there is no {project.place}/{missing}. Put " in err


def test_a_bucket_that_is_not_there_is_told(shop: Shop) -> None:
    code = main(["validate", "--project", "s3://no-such-bucket/x"], home=shop.root)

    assert code == 5
    assert "S3 refused to list s3://no-such-bucket/x/pipelines/" in shop.capsys.readouterr().err


def test_a_bucket_may_be_the_project(shop: Shop, s3: Any) -> None:
    bucket = shop.name.replace("_", "-")
    s3.create_bucket(Bucket=bucket)
    project = S3Project(shop)
    s3.put_object(Bucket=bucket, Key="environments.yml", Body=project.environments.encode())
    s3.put_object(Bucket=bucket, Key="pipelines/a.yml", Body=SPEC.format(name="a").encode())
    project.place = f"s3://{bucket}/"

    assert project.run("validate", "--output", "text")[:2] == (0, "1 pipeline is valid\n")
