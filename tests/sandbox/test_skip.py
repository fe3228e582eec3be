"""`skip` archives one file without loading it, with a row that says why."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import FeedHarness, new_name, tagged_spec

BAD = "id,a\n,no key\n"


def statuses(feed: FeedHarness, key: str) -> list[tuple[str, str | None]]:
    """Return the final rows of a file, newest first."""
    _, document = feed.json("history", feed.name, "--file", key)
    return [(load["status"], load["error_message"]) for load in document["loads"]]


def keys(feed: FeedHarness, prefix: str) -> list[str]:
    """Return the keys of this feed's files below a prefix."""
    found = feed.s3.list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])
    return [item["Key"] for item in found if feed.heads(item["Key"]).get("feedway-pipeline") == feed.name]


def test_an_unprocessed_file_is_recorded_and_archived(feed: FeedHarness) -> None:
    arrived = feed.land("1.csv", BAD)
    assert feed.command("run", feed.name)[0] == 3
    (moved,) = keys(feed, "data/unprocessed/")

    code, document = feed.json("skip", moved, "--reason", "sent by mistake")

    (load,) = document["loads"]
    assert (code, load["status"], load["reason"], load["pipeline"]) == (0, "SKIPPED", "sent by mistake", feed.name)
    assert statuses(feed, arrived)[0] == ("SKIPPED", "sent by mistake")
    assert keys(feed, "data/unprocessed/") == []
    assert len(keys(feed, "data/archive/")) == 1
    assert feed.json("replay", feed.name)[1]["loads"] == []


def test_a_pending_file_is_named_by_its_key_and_no_run_loads_it(feed: FeedHarness) -> None:
    key = feed.land("1.csv", "id,a\n1,x\n")

    code, _, err = feed.command("skip", f"s3://lake/{key}")

    assert code == 0, err
    assert statuses(feed, key) == [("SKIPPED", "skipped on request")]
    assert feed.json("run", feed.name)[1]["loads"] == []


def test_an_unprocessed_file_is_found_by_where_it_arrived(feed: FeedHarness) -> None:
    arrived = feed.land("1.csv", BAD)
    feed.command("run", feed.name)
    feed.land("1.csv", BAD + "\n")
    feed.command("run", feed.name)
    first, second = keys(feed, "data/unprocessed/")

    code, _, err = feed.command("skip", arrived)
    feed.command("skip", first)
    last, _, _ = feed.command("skip", arrived)

    assert code == 2
    assert first in err
    assert second in err
    assert last == 0
    assert keys(feed, "data/unprocessed/") == []


def test_what_cannot_be_skipped_is_explained(feed: FeedHarness) -> None:
    loaded = feed.land("1.csv", "id,a\n1,x\n")
    body = feed.s3.get_object(Bucket="lake", Key=loaded)["Body"].read()
    feed.command("run", feed.name)
    (archived,) = keys(feed, "data/archive/")
    feed.s3.put_object(Bucket="lake", Key=loaded, Body=body)
    stray, none = f"data/elsewhere/{feed.name}.csv", f"data/in/{feed.name}/none.csv"
    feed.s3.put_object(Bucket="lake", Key=stray, Body=b"id\n")

    refusals = {key: feed.command("skip", key) for key in (loaded, archived, stray, none)}

    assert {code for code, _, _ in refusals.values()} == {2}
    words = [err.strip().splitlines()[-1] for _, _, err in refusals.values()]
    for key, refused, mark in (
        (loaded, words[0], "archives it: "),
        (archived, words[1], "See "),
        (none, words[3], "See "),
    ):
        assert feed.pasted(refused.partition(mark)[2])[-2:] == ["--file", key]
    assert f"is loaded into public.{feed.name} already" in words[0]
    assert "is in the archive" in words[1]
    assert "it matches no pipeline's source.prefix and source.pattern" in words[2]
    assert "does not exist, neither pending nor unprocessed" in words[3]
    assert [status for status, _ in statuses(feed, loaded)] == ["SUCCESS"]
    assert feed.s3.head_object(Bucket="lake", Key=loaded)


def test_a_file_of_several_pipelines_needs_the_name_of_one(feed: FeedHarness) -> None:
    other = new_name("command")
    nested = tagged_spec(other).replace(f"data/in/{other}/", f"data/in/{feed.name}/inner/")
    feed.write(f"pipelines/{other}.yml", nested)
    key = feed.land("inner/1.csv", BAD)

    code, _, err = feed.command("skip", key)
    wrong, _, shown = feed.command("skip", key, "--for", "nobody")
    right, document = feed.json("skip", key, "--for", other)

    assert (code, wrong, right) == (2, 2, 0)
    assert f"may belong to {', '.join(sorted((feed.name, other)))}" in err
    assert feed.pasted(err.partition("Name the pipeline: ")[2]) == ["skip", key, "--for", "NAME"]
    assert "no pipeline 'nobody'" in shown
    assert document["loads"][0]["pipeline"] == other


def test_a_file_set_aside_by_one_of_several_pipelines_is_that_ones(feed: FeedHarness) -> None:
    other = new_name("command")
    nested = tagged_spec(other).replace(f"data/in/{other}/", f"data/in/{feed.name}/inner/")
    feed.write(f"pipelines/{other}.yml", nested)
    key = feed.land("inner/1.csv", BAD)
    assert feed.command("run", other)[0] == 3

    _, document = feed.json("skip", key)

    assert document["loads"][0]["pipeline"] == other


def test_no_file_is_skipped_while_a_load_of_its_feed_is_under_way(feed: FeedHarness) -> None:
    key = feed.land("1.csv", "id,a\n1,x\n")
    sign = f"staging/_alive/{'f' * 32}"
    feed.s3.put_object(Bucket="lake", Key=sign, Body=f"another\n{feed.name}".encode())

    code, _, err = feed.command("skip", key)
    feed.s3.delete_object(Bucket="lake", Key=sign)

    assert code == 2
    assert "under way" in err
    assert feed.pasted(err.partition("has ended: ")[2]) == ["history", feed.name, "--status", "RUNNING"]
    assert feed.command("skip", key)[0] == 0


def test_a_file_that_does_not_say_whose_it_is_needs_the_pipeline(feed: FeedHarness) -> None:
    key = f"data/unprocessed/2026/01/{feed.name}.csv"
    feed.s3.put_object(Bucket="lake", Key=key, Body=b"id\n")

    code, _, err = feed.command("skip", key)

    assert code == 2
    assert "--for NAME" in err
    assert feed.command("skip", key, "--for", feed.name)[0] == 0


@pytest.mark.parametrize("argv", [["skip"], ["skip", "k", "--reason", " "], ["skip", "k", "--env", "nowhere"]])
def test_a_command_line_that_says_too_little_is_refused(feed: FeedHarness, argv: list[Any]) -> None:
    assert feed.command(*argv)[0] == 2
