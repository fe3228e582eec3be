"""A file replaced at any moment of its load: what was read is loaded whole or not at all, what replaced it once."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import boto3
import pytest

from framework.load.first_look import WHOLE_BYTES
from framework.load.request import Unprocessed
from framework.model.files import SourceBatch, SourceFile
from framework.rows.protocol import NOTHING_READ, RowEngine, SourceRows, Watch
from tests.call_hooks import CallHook, through
from tests.harness import FeedHarness, MakeFeed, csv_text

APPEND = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {mode: append}
metadata_columns: {run_date: null, file_name: null}
"""
OLD, NEW = csv_text("id,a", "1,old", "2,old"), csv_text("id,a", "1,new", "2,new")
OLD_ROWS, NEW_ROWS = [(1, "old"), (2, "old")], [(1, "new"), (2, "new")]


def of_feed(feed: FeedHarness) -> Callable[[Any], bool]:
    """Say of the context of an S3 call whether it is about the feed's file where it arrived."""
    return lambda context: f"/data/in/{feed.name}/1.csv" in str(context["params"].get("url_path", ""))


def archived(feed: FeedHarness) -> set[str]:
    """Return the contents of the feed's files in the archive."""
    found = feed.s3.list_objects_v2(Bucket="lake", Prefix="data/archive/").get("Contents", [])
    objects = [feed.s3.get_object(Bucket="lake", Key=item["Key"]) for item in found]
    return {each["Body"].read().decode() for each in objects if feed.name in each["Metadata"].values()}


@pytest.mark.parametrize(
    ("event", "number", "is_loaded"),
    [
        ("before-call.s3.GetObject", 1, False),  # between list and header
        ("before-call.s3.HeadObject", 1, True),  # between merge and archive
        ("before-call.s3.CopyObject", 1, True),  # between the head before the copy and the copy
        ("before-call.s3.DeleteObject", 1, True),  # between the head of the copy and the deletion
    ],
)
def test_a_file_replaced_at_any_call_is_neither_lost_nor_half_loaded(
    make_feed: MakeFeed, other_s3: Any, event: str, number: int, is_loaded: bool
) -> None:
    feed = make_feed(APPEND, wrap_lake=through(other_s3))
    # A copy names where it goes to.
    is_meant = (lambda _: True) if "Copy" in event else of_feed(feed)
    moment = CallHook(other_s3, event, number, is_meant)
    feed.land("1.csv", OLD)
    moment.action = partial(feed.land, "1.csv", NEW)

    first = feed.run()
    rows_after_first = feed.rows("id, a", "a desc, id") if feed.types() else []
    second = feed.run()

    assert moment.action is None, "the moment has come"
    assert [result.status for result in first] == ["SUCCESS" if is_loaded else "SKIPPED"], first
    assert rows_after_first == (OLD_ROWS if is_loaded else [])
    assert [result.status for result in second] == ["SUCCESS"], second
    assert feed.rows("id, a", "a desc, id") == (OLD_ROWS if is_loaded else []) + NEW_ROWS
    assert feed.keys("data/in/") == []
    assert NEW in archived(feed)


class Watched:
    """A row engine that does something before a batch is read, or after."""

    def __init__(self, engine: RowEngine, before: Callable[[], object], after: Callable[[], object]) -> None:
        self._engine = engine
        self._before = before
        self._after = after
        self.name = engine.name

    @contextmanager
    def open(
        self, batch: SourceBatch, watch: Watch, contents: Mapping[SourceFile, bytes] = NOTHING_READ
    ) -> Iterator[SourceRows]:
        """Yield the rows of the engine below."""
        self._before()
        with self._engine.open(batch, watch, contents) as rows:
            yield rows
        self._after()


def of_size(text: str, size_bytes: int) -> str:
    """Return a CSV file with a third column of long texts, and so many more rows that it has this size at least."""
    header, *rows = text.splitlines()
    rows += ["3,more"] * (size_bytes // 60_000)
    return csv_text(f"{header},c", *(f"{row},{'x' * 60_000}" for row in rows))


def replacing_once(feed: FeedHarness, content: str) -> Callable[[], object]:
    """Return what replaces the feed's file, the first time it is called."""
    contents = iter([content])
    return lambda: [feed.land("1.csv", content) for content in contents]


def nothing() -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    ("when", "size_bytes", "was_loaded"),
    [
        ("before", WHOLE_BYTES, False),
        ("before", 0, True),  # its header came with all of it
        ("after", 0, True),
    ],
)
def test_a_file_replaced_around_its_reading_is_loaded_once(
    make_feed: MakeFeed, embedded_engine: RowEngine, when: str, size_bytes: int, was_loaded: bool
) -> None:
    feed = make_feed(APPEND)
    replace = replacing_once(feed, of_size(NEW, size_bytes))
    feed.frames = Watched(
        embedded_engine, replace if when == "before" else nothing, replace if when == "after" else nothing
    )
    feed.land("1.csv", of_size(OLD, size_bytes))

    first = feed.run()
    second = feed.run()

    assert [result.status for result in first] == ["SUCCESS" if was_loaded else "SKIPPED"], first
    assert [result.status for result in second] == ["SUCCESS"], second
    rows = feed.sql(f"select id, a from {feed.table} where id < 3 order by a desc, id")
    assert rows == (OLD_ROWS if was_loaded else []) + NEW_ROWS
    assert feed.keys("data/in/") == []


def test_a_file_replaced_just_before_the_merge_is_loaded_and_so_is_what_replaced_it(
    make_feed: MakeFeed, sandbox: Any
) -> None:
    client = boto3.session.Session().client("redshift-data")
    feed = make_feed(APPEND, redshift_data=client)
    event = "before-call.redshift-data.BatchExecuteStatement"
    moment = CallHook(client, event, 1, lambda context: '/merge"' in str(context["params"]["body"]))
    feed.land("1.csv", OLD)
    moment.action = partial(feed.land, "1.csv", NEW)

    results = feed.run() + feed.run()

    assert moment.action is None
    assert [result.status for result in results] == ["SUCCESS", "SUCCESS"]
    assert feed.rows("id, a", "a desc, id") == OLD_ROWS + NEW_ROWS
    assert feed.keys("data/in/") == []


def test_a_file_uploaded_in_parts_is_loaded_once(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    long = "x" * 60_000
    body = csv_text("id,a", *(f"{number},{long}" for number in range(150)))
    key = f"data/in/{feed.name}/1.csv"
    feed.s3.upload_fileobj(io.BytesIO(body.encode()), "lake", key)
    assert len(body) > 8 * 1024**2, "boto3 uploads it in parts"

    results = feed.run() + feed.run()

    assert [result.status for result in results] == ["SUCCESS"], results
    assert feed.sql(f"select count(*), count(distinct id), min(len(a)) from {feed.table}") == [(150, 150, 60_000)]
    assert feed.keys("data/in/") == []


def test_a_file_at_fault_that_was_replaced_meanwhile_leaves_no_copy_to_replay(
    make_feed: MakeFeed, other_s3: Any
) -> None:
    """The copy may hold what replaced the file, which would then be loaded under two identities."""
    feed = make_feed(APPEND, wrap_lake=through(other_s3))
    moment = CallHook(other_s3, "before-call.s3.CopyObject", 1, lambda _: True)
    feed.land("1.csv", "id,a\n1\n")
    moment.action = partial(feed.land, "1.csv", NEW)

    (failed,) = feed.run()
    (loaded,) = feed.run()

    assert (failed.status, loaded.status) == ("FAILED", "SUCCESS")
    assert [result.status for result in feed.run(Unprocessed())] == []
    assert feed.rows("id, a", "id") == NEW_ROWS


def test_a_name_that_is_taken_just_before_the_copy_is_not_overwritten(make_feed: MakeFeed, other_s3: Any) -> None:
    feed = make_feed(APPEND, wrap_lake=through(other_s3))
    name = f"{feed.name}.csv"
    taken: list[str] = []

    def take_name(params: Any, **_: Any) -> None:
        if not taken:
            taken.append(params["url_path"].removeprefix("/"))
            feed.s3.put_object(Bucket="lake", Key=taken[0], Body=b"theirs")

    other_s3.meta.events.register("before-call.s3.CopyObject", take_name)
    feed.land(name, OLD)

    (result,) = feed.run()

    assert (result.status, result.warnings) == ("SUCCESS", ())
    assert taken[0].endswith(f"/{name}")
    bodies = [feed.s3.get_object(Bucket="lake", Key=key)["Body"].read() for key in feed.keys("data/archive/")]
    assert sorted(bodies) == sorted([OLD.encode(), b"theirs"])


def test_files_of_one_name_in_several_folders_are_all_archived(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND.replace("/}", "/, batch: all}", 1))
    contents = {csv_text("id,a", f"{day},x") for day in range(4)}
    for day, content in enumerate(sorted(contents)):
        feed.land(f"day={day}/part-0.csv", content)

    results = feed.run()

    assert [result.status for result in results] == ["SUCCESS"] * 4
    assert archived(feed) == contents
    assert feed.keys("data/in/") == []


@pytest.mark.parametrize("batch", ["file", "all"])
def test_a_file_without_a_byte_goes_alone(make_feed: MakeFeed, batch: str) -> None:
    feed = make_feed(APPEND.replace("/}", f"/, batch: {batch}}}", 1))
    feed.land("1.csv", csv_text("id,a", "1,x"))
    empty = feed.land("2.csv", b"")
    feed.land("3.csv", csv_text("id,a", "3,x"))

    results = feed.run() + feed.run()

    assert [result.status for result in results if result.source_file == empty] == ["FAILED"]
    assert feed.rows("id", "id") == [(1,), (3,)]
    assert feed.keys("data/in/") == []
    (moved,) = [result for result in feed.run(Unprocessed()) if result.failure is not None]
    assert moved.failure is not None
    assert "the file is empty" in moved.failure.message
