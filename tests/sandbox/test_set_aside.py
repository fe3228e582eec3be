"""`run` and `plan` tell what is set aside, and each feed of several."""

from __future__ import annotations

from typing import Any

import pytest

from tests.command_line import SPEC, Shop
from tests.workshop import new_name

BAD = "id,a\n,x\n"


def waiting(document: Any, shop: Shop) -> list[tuple[int, bool]]:
    return [(each["files"], each["is_minimum"]) for each in document["set_aside"] if each["pipeline"] == shop.name]


@pytest.mark.parametrize("command", ["run", "plan"])
def test_files_that_are_set_aside_are_told_with_the_command_that_goes_on(shop: Shop, command: str) -> None:
    shop.land("1.csv", BAD)
    shop.land("sub/1.csv", BAD.replace("x", "y"))
    for _ in range(2):
        assert shop.run("run", shop.name)[0] == 3

    code, out, _ = shop.run(command, shop.name)
    _, document = shop.json(command, shop.name)

    assert code == 0
    assert out.splitlines() == [
        f"{shop.name}: nothing to do: no file below s3://lake/data/in/{shop.name}/ matches *",
        f"{shop.name}: 2 files in data/unprocessed; continue with: replay {shop.name}",
    ]
    assert waiting(document, shop) == [(2, False)]


def test_one_file_is_one_file_and_is_told_beside_those_that_load(shop: Shop) -> None:
    shop.land("bad.csv", BAD)
    shop.run("run", shop.name)
    shop.land("good.csv", "id,a\n1,x\n")

    _, planned, _ = shop.run("plan", shop.name)
    _, out, _ = shop.run("run", shop.name)

    told = f"{shop.name}: 1 file in data/unprocessed; continue with: replay {shop.name}"
    assert planned.splitlines()[-1] == told
    assert out.splitlines()[-1] == told


def test_the_command_that_is_told_goes_on(shop: Shop) -> None:
    shop.land("bad.csv", BAD)
    shop.run("run", shop.name)
    _, out, _ = shop.run("run", shop.name)
    command = out.splitlines()[-1].partition("continue with: ")[2].split()

    code, _, err = shop.run(*command)

    assert code == 3
    assert "/bad." in err


def test_files_of_another_feed_are_not_this_ones(shop: Shop) -> None:
    other = new_name("command")
    shop.write(f"pipelines/{other}.yml", SPEC.format(name=other))
    shop.land("bad.csv", BAD)
    shop.run("run", shop.name)

    _, document = shop.json("run", other)

    assert document["set_aside"] == []


def test_a_plan_of_several_feeds_reports_each(shop: Shop) -> None:
    good, broken, missing = new_name("good"), new_name("broken"), new_name("missing")
    shop.write(f"pipelines/{good}.yml", SPEC.format(name=good))
    shop.write(f"pipelines/{broken}.yml", "pipeline: [\n")
    shop.land("bad.csv", BAD)
    key = f"data/in/{good}/1.csv"
    shop.s3.put_object(Bucket="lake", Key=key, Body=b"id,a\n1,x\n")
    names = [shop.name, broken, missing, good]

    code, out, err = shop.run("plan", *names)
    _, document = shop.json("plan", *names)

    assert code == 1
    assert [line.partition(": ")[0] for line in out.splitlines() if not line.startswith(" ")] == names
    assert f"{good}: s3://lake/{key}" in out
    assert f"{shop.name}: would fail: " in out
    assert [(load["pipeline"], load["rows"]) for load in document["loads"]] == [(good, 1)]
    assert [(each["pipeline"], each["error"]["type"]) for each in document["failed"]] == [
        (shop.name, "SourceFileError"),
        (broken, "SpecError"),
        (missing, "SpecError"),
    ]
    for name in names[:3]:
        assert f"\npipeline={name} file=" in err


def test_a_plan_of_one_file_takes_one_pipeline(shop: Shop) -> None:
    code, _, err = shop.run("plan", shop.name, "other", "--file", "data/in/x.csv")

    assert code == 2
    assert "--file KEY goes with the name of one pipeline" in err


def test_all_pipelines_of_a_project_without_any_are_a_mistake(shop: Shop) -> None:
    (shop.root / "pipelines" / f"{shop.name}.yml").unlink()

    run, _, told = shop.run("run", "--all")
    code, out, _ = shop.run("validate")

    assert (run, code) == (2, 2)
    assert f"{shop.root}/pipelines: there is no pipeline" in told
    assert out.splitlines()[-1] == "1 problem"
    assert f"{shop.root}/pipelines: there is no pipeline (spec/empty-project). Put the spec of a feed there" in out


def test_a_project_that_is_not_there_is_named(shop: Shop) -> None:
    nowhere = shop.root / "nope"

    code, _, err = shop.run("validate", "--project", str(nowhere))
    without, out, _ = shop.run("validate", "--project", str(shop.s3_folder))

    assert (code, without) == (2, 2)
    assert f"--project {nowhere}: {nowhere} is no folder" in err
    assert f"Create {shop.s3_folder}/environments.yml" in out
