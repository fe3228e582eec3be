"""Commands take the keys that messages print, whatever a file is called: as a shell passes them, and as addresses."""

from __future__ import annotations

import pytest

from tests.harness import FeedHarness, tagged_spec

NAMES = (
    "plain.csv",
    'it\'s  a "quoted" one .csv',
    "größe 분류 имя a+b%20c&d;e#f?g=h.csv",
    "$HOME `x` \\n.csv",
    "-dash (1) [2] {3} *.csv",
    "s3:.csv",
)
TYPED = "types: {columns: {a: integer}}\n"


def write_spec(feed: FeedHarness, more: str = "") -> None:
    feed.write(f"pipelines/{feed.name}.yml", tagged_spec(feed.name) + more)


def command_in(feed: FeedHarness, err: str, words: str) -> list[str]:
    """Return the command that a message ends in, as a shell would split it."""
    (line,) = {line.partition(words)[2] for line in err.splitlines() if words in line}
    return feed.pasted(line)


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize("name", NAMES)
def test_the_command_that_a_failure_prints_loads_the_file(feed: FeedHarness, name: str) -> None:
    write_spec(feed, TYPED)
    feed.land(name, "id,a\n1,x\n")
    code, _, err = feed.command("run", feed.name)
    assert code == 3
    command = command_in(feed, err, "Continue with: ")
    assert command[:3] == ["replay", feed.name, "--file"]
    write_spec(feed)

    replayed, document = feed.json(*command)

    assert replayed == 0, document
    assert [(load["status"], load["records_inserted"]) for load in document["loads"]] == [("SUCCESS", 1)]


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_loaded_again_and_skipped_by_its_key_or_address(feed: FeedHarness, name: str) -> None:
    key = feed.land(name, "id,a\n1,x\n")
    start = "s3://lake/" if NAMES.index(name) % 2 else ""

    loaded = feed.command("run", feed.name, "--file", start + key)[0]
    (archived,) = [
        found["Key"]
        for found in feed.s3.list_objects_v2(Bucket="lake", Prefix="data/archive/")["Contents"]
        if feed.heads(found["Key"]).get("feedway-pipeline") == feed.name
    ]
    again = feed.json("run", feed.name, "--file", start + archived, "--again")
    feed.land(name, "id,a\n2,y\n")
    skipped = feed.json("skip", start + key)
    _, history = feed.json("history", "--file", start + key)

    assert (loaded, again[0], skipped[0]) == (0, 0, 0)
    assert again[1]["loads"][0]["records_updated"] == 1
    assert [(load["status"], load["source_file"]) for load in skipped[1]["loads"]] == [("SKIPPED", key)]
    assert [load["status"] for load in history["loads"]] == ["SKIPPED", "SUCCESS", "SUCCESS"]


@pytest.mark.parametrize(
    "argv", [("run", "{name}", "--file", "{key}"), ("replay", "{name}", "--file", "{key}"), ("skip", "{key}")]
)
def test_an_address_in_another_bucket_is_refused_by_name(feed: FeedHarness, argv: tuple[str, ...]) -> None:
    key = "s3://other/data/in/1.csv"

    code, _, err = feed.command(*(part.format(name=feed.name, key=key) for part in argv))

    assert code == 2
    assert f"{key} is not in the lake, which is s3://lake/" in err


@pytest.mark.parametrize("key", ["", "s3://lake/"])
@pytest.mark.parametrize(
    "argv", [("run", "{name}", "--file", "{key}"), ("replay", "{name}", "--file", "{key}"), ("skip", "{key}")]
)
def test_an_empty_key_is_refused(feed: FeedHarness, argv: tuple[str, ...], key: str) -> None:
    code, _, err = feed.command(*(part.format(name=feed.name, key=key) for part in argv))

    assert code == 2
    assert "names no object: give the key of one in s3://lake/" in err
