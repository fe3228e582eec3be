"""`plan NAME --from FILE` plans files of this machine as if they had arrived; nothing is written anywhere."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.harness import SHIPPED_ENVIRONMENTS, FeedHarness

FIRST, SECOND = "id,a\n1,x\n2,y\n", "id,a,b\n3,z,7\n"


def local(feed: FeedHarness, name: str, content: str | bytes) -> str:
    """Write a file beside the project and return its path."""
    path = feed.root / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return str(path)


def objects(feed: FeedHarness) -> list[str]:
    """Return the keys of all objects of the lake."""
    found = feed.s3.get_paginator("list_objects_v2").paginate(Bucket="lake")
    return [item["Key"] for page in found for item in page.get("Contents", [])]


def test_local_files_are_planned_in_order_and_nothing_arrives(feed: FeedHarness) -> None:
    paths = [local(feed, "2.csv", FIRST), local(feed, "1.csv", SECOND)]
    before = objects(feed)

    code, document = feed.json("plan", feed.name, "--from", *paths)

    loads = document["loads"]
    assert code == 0
    assert [(load["source_files"], load["rows"]) for load in loads] == [([paths[0]], 2), ([paths[1]], 1)]
    assert [[change["kind"] for change in load["schema_changes"]] for load in loads] == [
        ["create_table"],
        ["add_column"],
    ]
    assert {load["engine"] for load in loads} == {"embedded"}
    assert objects(feed) == before


def test_a_plan_of_a_local_file_is_that_of_the_landed_one(feed: FeedHarness) -> None:
    """Also of a packed one; what is pending beside it does not count."""
    path = local(feed, "new.csv.gz", gzip.compress(SECOND.encode()))
    _, planned = feed.json("plan", feed.name, "--from", path)
    feed.command("land", feed.name, path)
    _, landed = feed.json("plan", feed.name)
    feed.land("other.csv", FIRST)
    _, beside = feed.json("plan", feed.name, "--from", path)

    compared = ("rows", "source_bytes", "rows_rewritten", "columns", "schema_changes", "fills", "warnings")
    assert [[load[name] for name in compared] for load in planned["loads"]] == [
        [load[name] for name in compared] for load in landed["loads"]
    ]
    assert len(beside["loads"]) == 1


def test_a_local_file_is_compared_with_the_table_as_it_is(feed: FeedHarness) -> None:
    feed.land("1.csv", FIRST)
    feed.command("run", feed.name)

    _, document = feed.json("plan", feed.name, "--from", local(feed, "2.csv", SECOND))

    assert [change["column"] for change in document["loads"][0]["schema_changes"]] == ["b"]
    assert feed.rows("id, a", "id") == [(1, "x"), (2, "y")]


def test_a_local_file_that_would_be_rejected_fails_with_its_path(feed: FeedHarness) -> None:
    path = local(feed, "bad.csv", "id,a\n,no key\n")

    code, out, err = feed.command("plan", feed.name, "--from", path)

    assert code == 3
    assert f"{feed.name}: would fail: {path}" in out
    assert path in err


def test_what_cannot_arrive_is_not_planned(feed: FeedHarness) -> None:
    path = local(feed, "_1.csv", FIRST)
    refused = {
        f"plan {feed.name} --from {path}": "nothing was planned:",
        f"plan {feed.name} --from {feed.root}/none.csv": "No such file",
        f"plan {feed.name} --from {path} {path}": "have the name _1.csv",
        f"plan --from {path} {feed.name}": "plan NAME --from FILE",
        f"plan --all --from {path}": "plan NAME --from FILE",
        f"plan {feed.name} --from s3://lake/x.csv": "plan --file plans an object of the lake",
        f"plan {feed.name} other --from {path}": "--from FILE goes with the name of one pipeline",
        f"plan {feed.name} --file x --from {path}": "leave out one of them",
        f"plan {feed.name} --again --from {path}": "--again is for one file",
        f"plan none --from {path}": "there is no pipeline 'none'",
    }

    for command, message in refused.items():
        code, _, err = feed.command(*command.split())
        assert (code, message in err) == (2, True), err


def test_files_that_replace_a_table_are_superseded_by_the_last(feed: FeedHarness) -> None:
    spec = feed.spec_text.replace("load: {keys: [id]}", "load: {mode: replace}")
    feed.write(f"pipelines/{feed.name}.yml", spec)
    paths = [local(feed, name, FIRST) for name in ("9.csv", "1.csv")]

    _, document = feed.json("plan", feed.name, "--from", *paths)

    assert [(load["source_files"], load["rows"]) for load in document["loads"]] == [([paths[1]], 2), ([paths[0]], None)]


def test_with_spark_the_plan_says_that_it_read_the_file_itself(feed: FeedHarness, tmp_path: Path) -> None:
    feed.write(
        "environments.yml", SHIPPED_ENVIRONMENTS.replace("kind: sandbox\n", "kind: sandbox\n    engine: spark\n")
    )

    _, document = feed.json("plan", feed.name, "--from", local(feed, "1.csv", FIRST))

    (load,) = document["loads"]
    assert load["engine"] == "embedded"
    assert load["notes"] == [
        "files of this machine are read by the embedded engine; once they are in the lake, spark reads them"
    ]


def test_a_local_file_that_is_loaded_already_would_be_skipped(feed: FeedHarness) -> None:
    path = local(feed, "1.csv", FIRST)
    feed.command("land", feed.name, path)
    feed.command("run", feed.name)

    _, document = feed.json("plan", feed.name, "--from", path)

    (load,) = document["loads"]
    assert any("would be skipped: already loaded" in note for note in load["notes"])


def test_files_of_several_options_are_all_planned(feed: FeedHarness) -> None:
    paths = [local(feed, "1.csv", FIRST), local(feed, "2.csv", SECOND)]

    _, document = feed.json("plan", feed.name, "--from", paths[0], "--from", paths[1])

    assert [load["source_files"] for load in document["loads"]] == [[path] for path in paths]
