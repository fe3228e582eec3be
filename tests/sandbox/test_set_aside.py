"""`run` and `plan` show what is set aside, and each feed of several."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import FeedHarness, new_name, tagged_spec

BAD = "id,a\n,x\n"


def waiting(document: Any, feed: FeedHarness) -> list[tuple[int, bool]]:
    return [(each["files"], each["is_minimum"]) for each in document["set_aside"] if each["pipeline"] == feed.name]


@pytest.mark.parametrize("command", ["run", "plan"])
def test_files_that_are_set_aside_are_reported_with_the_command_that_goes_on(feed: FeedHarness, command: str) -> None:
    feed.land("1.csv", BAD)
    feed.land("sub/1.csv", BAD.replace("x", "y"))
    for _ in range(2):
        assert feed.command("run", feed.name)[0] == 3

    code, out, _ = feed.command(command, feed.name)
    _, document = feed.json(command, feed.name)

    advice = f"see what to do with: feedway --project {feed.root} status {feed.name}"
    assert code == 0
    assert out.splitlines()[:2] == [
        f"{feed.name}: nothing to do: no file below s3://lake/data/in/{feed.name}/ matches *",
        f"{feed.name}: 2 files in data/unprocessed; {advice}",
    ]
    assert waiting(document, feed) == [(2, False)]


def test_one_file_is_one_file_and_is_reported_beside_those_that_load(feed: FeedHarness) -> None:
    feed.land("bad.csv", BAD)
    feed.command("run", feed.name)
    feed.land("good.csv", "id,a\n1,x\n")

    _, planned, _ = feed.command("plan", feed.name)
    _, out, _ = feed.command("run", feed.name)

    command = f"feedway --project {feed.root} status {feed.name}"
    shown = f"{feed.name}: 1 file in data/unprocessed; see what to do with: {command}"
    assert planned.splitlines()[-1] == shown
    assert out.splitlines()[-3:] == [shown, "1 feed: 1 loaded", "1 file: 1 loaded (1 row); 1 file set aside"]


def test_the_command_that_is_shown_goes_on(feed: FeedHarness) -> None:
    feed.land("bad.csv", BAD)
    feed.command("run", feed.name)
    _, out, _ = feed.command("run", feed.name)
    command = out.partition("see what to do with: ")[2].splitlines()[0]

    code, shown, _ = feed.command(*feed.pasted(command))

    assert code == 6
    assert "/bad." in shown


def test_a_file_beyond_those_that_are_read_is_not_hidden(feed: FeedHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework.lake.unprocessed.MOST_COUNTED", 1)
    names = [f"data/unprocessed/2026/{month}/{feed.name}.csv" for month in ("01", "02")]
    for key in names:
        feed.s3.put_object(Bucket="lake", Key=key, Body=b"")

    _, ran = feed.json("run", feed.name)
    code, document = feed.json("status", feed.name)
    _, text, _ = feed.command("status", feed.name)
    feed.s3.delete_object(Bucket="lake", Key=names[0])
    feed.s3.delete_object(Bucket="lake", Key=names[1])

    assert waiting(ran, feed) == [(0, True)]
    assert (code, document["feeds"][0]["state"]) == (6, "unknown")
    assert "were not read" in document["notes"][-1]
    assert text.endswith("1 feed: 1 is not known, files that were not read need attention\n")


def test_files_of_another_feed_are_not_this_ones(feed: FeedHarness) -> None:
    other = new_name("command")
    feed.write(f"pipelines/{other}.yml", tagged_spec(other))
    feed.land("bad.csv", BAD)
    feed.command("run", feed.name)

    _, document = feed.json("run", other)

    assert document["set_aside"] == []


def test_a_plan_of_several_feeds_reports_each(feed: FeedHarness) -> None:
    good, broken, missing = new_name("good"), new_name("broken"), new_name("missing")
    feed.write(f"pipelines/{good}.yml", tagged_spec(good))
    feed.write(f"pipelines/{broken}.yml", "pipeline: [\n")
    feed.land("bad.csv", BAD)
    key = f"data/in/{good}/1.csv"
    feed.s3.put_object(Bucket="lake", Key=key, Body=b"id,a\n1,x\n")
    names = [feed.name, broken, missing, good]

    code, out, err = feed.command("plan", *names)
    _, document = feed.json("plan", *names)

    assert code == 1
    assert [line.partition(": ")[0] for line in out.splitlines() if not line.startswith(" ")] == names
    assert f"{good}: s3://lake/{key}" in out
    assert f"{feed.name}: would fail: " in out
    assert [(load["pipeline"], load["rows"]) for load in document["loads"]] == [(good, 1)]
    assert [(each["pipeline"], each["error"]["type"]) for each in document["failed"]] == [
        (feed.name, "SourceFileError"),
        (broken, "SpecError"),
        (missing, "SpecError"),
    ]
    for name in names[:3]:
        assert f"\npipeline={name} file=" in err


def test_a_plan_of_one_file_takes_one_pipeline(feed: FeedHarness) -> None:
    code, _, err = feed.command("plan", feed.name, "other", "--file", "data/in/x.csv")

    assert code == 2
    assert "--file KEY goes with the name of one pipeline" in err


def test_all_pipelines_of_a_project_without_any_are_a_mistake(feed: FeedHarness) -> None:
    (feed.root / "pipelines" / f"{feed.name}.yml").unlink()

    run, _, shown = feed.command("run", "--all")
    code, out, _ = feed.command("validate")

    assert (run, code) == (2, 2)
    assert f"environments.yml: there is no pipeline in {feed.root}/pipelines" in shown
    assert "1 problem" in out.splitlines()
    assert f"there is no pipeline in {feed.root}/pipelines (spec/empty-project). Put the spec of a feed there" in out


def test_a_spec_that_is_a_folder_or_a_link_to_nowhere_is_named_with_a_way_out(feed: FeedHarness) -> None:
    pipelines = feed.root / "pipelines"
    (pipelines / "dir.yml").mkdir()
    (pipelines / "link.yml").symlink_to("nowhere")

    code, out, _ = feed.command("validate")

    assert code == 2
    assert f"Rename the folder {pipelines}/dir.yml, because a name that ends so is that of a file." in out
    assert f"Point the link {pipelines}/link.yml to a file, or delete it." in out
    assert "Create " not in out


def test_a_project_that_is_not_there_is_named(feed: FeedHarness) -> None:
    nowhere = feed.root / "nope"

    code, _, err = feed.command("validate", "--project", str(nowhere))
    without, out, _ = feed.command("validate", "--project", str(feed.s3_folder))

    assert (code, without) == (2, 2)
    assert f"--project {nowhere}: {nowhere} is not a folder" in err
    assert f"Create {feed.s3_folder}/environments.yml" in out
