"""`land` puts local files into a feed's inbox and replaces nothing there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from framework.lake.lake import Lake
from tests.harness import FeedHarness
from tests.unit.spec.test_output_schemas import output_schema

ROWS = "id,a\n1,x\n"
PATTERN = "source: {prefix: data/in/{name}/, pattern: 'orders_*.csv', ignore: ['*_old.csv']}"


def local(feed: FeedHarness, name: str, content: str = ROWS) -> str:
    """Write a file beside the project and return its path."""
    path = feed.root / "exports" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return str(path)


def read(feed: FeedHarness, name: str) -> str:
    """Return the content of an object in the feed's inbox."""
    body = feed.s3.get_object(Bucket="lake", Key=f"data/in/{feed.name}/{name}")["Body"]
    return str(body.read().decode("utf-8"))


def test_files_are_in_the_inbox_and_the_printed_command_loads_them(feed: FeedHarness) -> None:
    first, second = local(feed, "1.csv"), local(feed, "2.csv", "id,a\n2,y\n")

    code, out, err = feed.command("land", feed.name, first, second)

    inbox = f"s3://lake/data/in/{feed.name}"
    assert (code, out.splitlines()) == (
        0,
        [
            f"{inbox}/1.csv  9 bytes",
            f"{inbox}/2.csv  9 bytes",
            f"{feed.name}: 2 files landed; load with: feedway --project {feed.root} run {feed.name}",
        ],
    ), err
    assert feed.command("run", feed.name)[0] == 0
    assert feed.rows("id, a", "id") == [(1, "x"), (2, "y")]


def test_the_document_is_that_of_its_schema(feed: FeedHarness) -> None:
    path = local(feed, "1.csv")

    code, document = feed.json("land", feed.name, path)

    Draft202012Validator(output_schema("land")).validate(document)
    url = f"s3://lake/data/in/{feed.name}/1.csv"
    assert code == 0
    assert document["landed"] == [{"pipeline": feed.name, "file": path, "url": url, "size_bytes": 9}]
    assert feed.pasted(document["command"]) == ["run", feed.name]


def test_a_name_that_is_taken_keeps_all_files_from_landing(feed: FeedHarness) -> None:
    feed.land("2.csv", "id,a\n9,kept\n")
    paths = local(feed, "1.csv"), local(feed, "2.csv")

    code, out, err = feed.command("land", feed.name, *paths)

    assert (code, out) == (2, "")
    assert f"s3://lake/data/in/{feed.name}/2.csv is there already" in err
    assert f"feedway --project {feed.root} run {feed.name}" in err
    assert feed.keys("data/in/") == [f"data/in/{feed.name}/2.csv"]
    assert read(feed, "2.csv") == "id,a\n9,kept\n"


def test_what_cannot_arrive_is_listed_and_nothing_is_landed(feed: FeedHarness) -> None:
    spec = feed.spec_text.replace(f"source: {{prefix: data/in/{feed.name}/}}", PATTERN.replace("{name}", feed.name))
    feed.write(f"pipelines/{feed.name}.yml", spec)
    (feed.root / "exports").mkdir()
    os.mkfifo(feed.root / "exports" / "orders_pipe.csv")
    missing, folder, pipe = (str(feed.root / "exports" / name) for name in ("orders_none.csv", "", "orders_pipe.csv"))
    good, other, ignored, hidden = (
        local(feed, name) for name in ("orders_1.csv", "customers.csv", "orders_old.csv", "_orders_2.csv")
    )

    code, out, err = feed.command(
        "land", feed.name, good, missing, folder, pipe, other, ignored, hidden, "s3://a/b.csv"
    )

    lines = err.splitlines()
    assert (code, out, lines[0], len(lines)) == (2, "", "error: nothing was landed:", 8)
    assert "No such file" in lines[1]
    assert "is a folder" in lines[2]
    assert "no regular file" in lines[3]
    assert "source.pattern, which is 'orders_*.csv'" in lines[4]
    assert f"change pipelines/{feed.name}.yml" in lines[4]
    assert "source.ignore has '*_old.csv'" in lines[5]
    assert "begin with _ or ." in lines[6]
    assert "s3://a/b.csv is in S3" in lines[7]
    assert feed.keys("data/in/") == []


def test_two_files_of_one_name_are_refused(feed: FeedHarness) -> None:
    first = local(feed, "1.csv")
    (feed.root / "other").mkdir()
    second = feed.root / "other" / "1.csv"
    second.write_text(ROWS, encoding="utf-8")

    code, _, err = feed.command("land", feed.name, first, str(second))

    assert code == 2
    assert "2 of the files have the name 1.csv" in err
    assert feed.keys("data/in/") == []


def test_odd_names_arrive_as_they_are_and_print_on_one_line(feed: FeedHarness) -> None:
    name = "ä 100%+?#&\n\x1b[31m.csv"

    code, out, err = feed.command("land", feed.name, local(feed, name))

    assert code == 0, err
    assert out.splitlines()[0].endswith("ä 100%+?#&\\n\\x1b[31m.csv  9 bytes")
    assert read(feed, name) == ROWS


def test_a_name_that_is_no_text_is_refused(feed: FeedHarness) -> None:
    path = os.fsencode(feed.root) + b"/\xff.csv"
    Path(os.fsdecode(path)).write_text(ROWS, encoding="utf-8")

    code, _, err = feed.command("land", feed.name, os.fsdecode(path))

    assert code == 2
    assert "not valid UTF-8" in err


@pytest.mark.parametrize("size_bytes", [0, 5, 9 * 1024**2])
def test_an_upload_never_replaces_an_object(feed: FeedHarness, size_bytes: int, tmp_path: Path) -> None:
    """Also where the object came after the name was found free; big files go in parts."""
    lake = Lake(feed.s3, feed.environment.lake)
    key, path = f"data/in/{feed.name}/1.csv", tmp_path / "1.csv"
    path.write_bytes(b"x" * size_bytes)
    heard: list[int] = []

    with path.open("rb") as content:
        assert lake.put_new(key, content, heard.append)
    path.write_bytes(b"y" * size_bytes)
    with path.open("rb") as content:
        assert not lake.put_new(key, content, lambda sent: None)

    assert sum(heard) == size_bytes
    assert feed.s3.get_object(Bucket="lake", Key=key)["Body"].read() == b"x" * size_bytes


def test_files_that_were_landed_before_a_failure_are_printed(feed: FeedHarness) -> None:
    """The sandbox refuses a name that is a folder of other keys."""
    feed.land("2.csv/part", ROWS)

    code, out, err = feed.command("land", feed.name, local(feed, "1.csv"), local(feed, "2.csv"))

    inbox = f"s3://lake/data/in/{feed.name}"
    assert code == 5
    assert out.splitlines() == [
        f"{inbox}/1.csv  9 bytes",
        f"{feed.name}: 1 file landed; load with: feedway --project {feed.root} run {feed.name}",
    ]
    assert f"write {inbox}/2.csv" in err


def test_an_upload_whose_reply_was_lost_has_landed(feed: FeedHarness, tmp_path: Path) -> None:
    """The retry of the call finds the object that the call itself has made."""
    lake = Lake(feed.s3, feed.environment.lake)
    (tmp_path / "1.csv").write_text(ROWS, encoding="utf-8")
    events: Any = lake._creating.meta.events
    lost: list[object] = []

    def lose_reply(response: object, **_: object) -> float | None:
        lost.append(response)
        return 0.0 if len(lost) == 1 else None

    events.register("needs-retry.s3.PutObject", lose_reply)
    with (tmp_path / "1.csv").open("rb") as content:
        assert lake.put_new(f"data/in/{feed.name}/1.csv", content, lambda sent: None)

    assert len(lost) == 2
