"""`--fail-fast`: after the first failure no load begins, and the summary lists what did not."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from tests.harness import FeedHarness, new_name, tagged_spec

CONTENT = b"id,a\n1,x\n"
WRONG = "types: {columns: {a: integer}}\n"


@pytest.fixture
def names(feed: FeedHarness) -> list[str]:
    """Return four feeds with two files each, one load at a time; the spec of the second one fits no file."""
    environments = (feed.root / "environments.yml").read_text(encoding="utf-8")
    feed.write("environments.yml", environments.replace("    kind: sandbox\n", "    kind: sandbox\n    parallel: 1\n"))
    made = [new_name("fast") for _ in range(4)]
    for number, name in enumerate(made):
        feed.write(f"pipelines/{name}.yml", tagged_spec(name) + (WRONG if number == 1 else ""))
        for file in ("1.csv", "2.csv"):
            feed.s3.put_object(Bucket="lake", Key=f"data/in/{name}/{file}", Body=CONTENT)
    return made


def pending(feed: FeedHarness, name: str) -> int:
    return len(feed.s3.list_objects_v2(Bucket="lake", Prefix=f"data/in/{name}/").get("Contents", []))


def unended(feed: FeedHarness, names: list[str]) -> list[tuple[Any, ...]]:
    """Return the recorded loads of the feeds that have no end."""
    listed = ", ".join(f"'{name}'" for name in names)
    return feed.sql(
        f"select run_id from feedway.job_sts where pipeline in ({listed}) group by run_id having count(*) <> 2"
    )


def test_feeds_that_have_not_begun_do_not_begin(feed: FeedHarness, names: list[str]) -> None:
    code, out, err = feed.command("--output", "json", "run", *names, "--fail-fast")

    document = json.loads(out)
    begun, summary = {load["pipeline"] for load in document["loads"]}, document["summary"]
    assert code == 3
    # Which feed comes first to a free slot is chance; nothing comes after the failure.
    assert document["loads"][-1]["status"] == "FAILED" or names[1] in begun
    assert summary["feeds"]["failed"] == 1
    assert set(summary["not_begun"]) == set(names) - begun - set(summary["stopped"])
    for name in names:
        loaded = sum(load["pipeline"] == name and load["status"] == "SUCCESS" for load in document["loads"])
        assert pending(feed, name) == 2 - loaded - (name == names[1])
    assert unended(feed, names) == []
    assert f"pipeline={names[1]} file=data/in/{names[1]}/1.csv" in err


def test_without_it_the_others_load(feed: FeedHarness, names: list[str]) -> None:
    code, document = feed.json("run", *names)

    assert code == 3
    assert document["summary"]["feeds"] == {
        "loaded": 3, "failed": 1, "skipped": 0, "idle": 0, "stopped": 0, "not_begun": 0
    }  # fmt: skip
    assert document["summary"]["files"] == {"loaded": 6, "failed": 1, "skipped": 0, "refused": 0}
    assert document["summary"]["rows_loaded"] == 6


def test_a_spec_that_is_broken_is_a_failure_before_any_load(feed: FeedHarness, names: list[str]) -> None:
    feed.write(f"pipelines/{names[0]}.yml", "pipeline: [\n")

    code, out, _ = feed.command("run", *names, "--fail-fast")

    assert code == 2
    assert out.splitlines()[-4:] == [
        f"not begun: {', '.join(names[1:])}",
        "4 feeds: 1 failed, 3 not begun",
        "retry with:",
        f"  feedway --project {feed.root} run {' '.join(names)}",
    ]
    assert [pending(feed, name) for name in names] == [2] * 4


def test_the_command_that_is_printed_loads_the_rest(feed: FeedHarness, names: list[str]) -> None:
    _, out, _ = feed.command("run", *names, "--fail-fast")
    commands = [shlex.split(line) for line in out.partition("retry with:\n")[2].splitlines()]
    feed.write(f"pipelines/{names[1]}.yml", tagged_spec(names[1]))

    codes = [feed.command(*arguments)[0] for program, *arguments in commands if program == "feedway"]
    last, document = feed.json("run", *names)

    assert [arguments[2] for _, *arguments in commands] == ["run", "replay"]
    assert (codes, last) == ([0, 0], 0)
    # Its other file was no part of the failure.
    assert [load["pipeline"] for load in document["loads"]] == [names[1]]
    assert [pending(feed, name) for name in names] == [0] * 4
    assert [feed.sql(f"select count(*) from public.{name}") for name in names] == [[(1,)]] * 4
