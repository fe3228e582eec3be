"""`replay` loads what was set aside, in its order; what is too late for that stays and is reported."""

from __future__ import annotations

import pytest

from framework.errors import SpecError
from framework.load.request import Accepted, OneFile, Unprocessed
from tests.arrivals import drop, land
from tests.harness import FeedHarness, MakeFeed, csv_text, new_name, tagged_spec

LOADING = """
source: {prefix: data/in/{name}/, SOURCE}
target: {table: "{name}"}
load: {LOAD}
metadata_columns: {run_date: null, file_name: null}
"""
REJECTING = "expect: {min_rows: 1000}\n"
"""No file has so many rows."""


def loading(load: str, source: str = "") -> str:
    """Return the body of a spec with this `load` and more of `source`."""
    return LOADING.replace("LOAD", load).replace(", SOURCE", f", {source}" if source else "")


APPEND = loading("mode: append")


def set_aside(feed: FeedHarness, name: str, second: int) -> str:
    """Land a file that the pipeline refuses now and would take later; return the key it is moved to."""
    body = feed.spec_body
    feed.spec_body = body + REJECTING
    key = land(feed, name, second)
    before = set(unprocessed(feed))
    results = [result for result in feed.run() if result.source_file == key]
    feed.spec_body = body
    assert [result.status for result in results] == ["FAILED"], results
    (moved,) = set(unprocessed(feed)) - before
    return moved


def unprocessed(feed: FeedHarness) -> list[str]:
    """Return the keys of the files that the feed has set aside, sorted."""
    found = feed.s3.list_objects_v2(Bucket="lake", Prefix="data/unprocessed/").get("Contents", [])
    heads = {item["Key"]: feed.s3.head_object(Bucket="lake", Key=item["Key"])["Metadata"] for item in found}
    return sorted(key for key, metadata in heads.items() if feed.name in metadata.values())


def test_unprocessed_files_load_again_in_the_order_of_their_arrival(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    set_aside(feed, "z.csv", 1)
    set_aside(feed, "deep/a.csv", 2)

    results = feed.run(Unprocessed())

    assert [result.status for result in results] == ["SUCCESS", "SUCCESS"], results
    assert [str(result.source_file).rpartition("/")[2].partition(".")[0] for result in results] == ["z", "a"]
    assert feed.rows("a", "a") == [("deep/a.csv",), ("z.csv",)]
    assert unprocessed(feed) == []
    loaded = [row for row in feed.audit("source_filename, status") if row[1] == "SUCCESS"]
    assert [key for key, _ in loaded] == [f"data/in/{feed.name}/{name}" for name in ("z.csv", "deep/a.csv")]
    assert feed.run(Unprocessed()) == []


def test_a_replayed_file_that_fails_again_stays_where_it_is(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    first, second = set_aside(feed, "1.csv", 1), set_aside(feed, "2.csv", 2)
    feed.spec_body += REJECTING

    results = feed.run(Unprocessed())

    assert [(result.source_file, result.status) for result in results] == [(first, "FAILED"), (second, "FAILED")]
    assert unprocessed(feed) == [first, second]
    assert [row[0] for row in feed.audit("status")].count("FAILED") == 4


def test_a_replay_of_one_file_leaves_the_others(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    moved = [set_aside(feed, f"{number}.csv", number) for number in (1, 2, 3)]

    by_place = feed.run(Unprocessed(moved[1]))
    by_arrival = feed.run(Unprocessed(f"s3://lake/data/in/{feed.name}/3.csv"))

    assert [result.source_file for result in by_place + by_arrival] == moved[1:]
    assert unprocessed(feed) == moved[:1]
    with pytest.raises(SpecError, match=f"not an unprocessed file of {feed.name}. There is {moved[0]}"):
        feed.run(Unprocessed("data/in/other.csv"))


def test_a_replay_takes_no_file_of_another_pipeline(make_feed: MakeFeed) -> None:
    """All share the folder; the outer feed's spec would even take the inner feed's files."""
    outer = make_feed(APPEND)
    inner = make_feed(loading("mode: append").replace("data/in/{name}/", f"data/in/{outer.name}/inner/"))
    outer_key = set_aside(outer, "1.csv", 1)
    outer.s3.put_object(Bucket="lake", Key=f"data/in/{outer.name}/inner/2.csv", Body=b"")
    (failed,) = inner.run()
    assert failed.status == "FAILED"

    results = outer.run(Unprocessed())

    assert [(result.source_file, result.status) for result in results] == [(outer_key, "SUCCESS")]
    assert [result.status for result in inner.run(Unprocessed())] == ["FAILED"]


def test_a_file_older_than_a_loaded_one_is_refused_where_order_decides(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("keys: [id]"))
    old = set_aside(feed, "1.csv", 1)
    land(feed, "2.csv", 2)
    feed.run()
    new = set_aside(feed, "3.csv", 3)

    results = feed.run(Unprocessed())

    assert [(result.source_file, result.status) for result in results] == [(old, "REFUSED"), (new, "SUCCESS")]
    assert results[0].failure is not None
    assert f"data/in/{feed.name}/2.csv" in results[0].failure.message
    assert "--out-of-order" in results[0].failure.full_message
    assert feed.rows("a", "a") == [("3.csv",)]
    assert unprocessed(feed) == [old]
    assert [row for row in feed.audit("source_filename, status") if row[0].endswith("/1.csv")][2:] == []

    (forced,) = feed.run(Unprocessed(accepted=Accepted(out_of_order=True)))

    assert forced.status == "SUCCESS", forced
    assert feed.rows("a", "a") == [("1.csv",)]


def test_a_snapshot_older_than_the_loaded_one_is_refused(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("mode: replace"))
    old = set_aside(feed, "1.csv", 1)
    land(feed, "2.csv", 2)
    feed.run()

    assert [result.status for result in feed.run(Unprocessed())] == ["REFUSED"]
    assert feed.rows("a", "a") == [("2.csv",)]
    assert unprocessed(feed) == [old]


@pytest.mark.parametrize("load", ["keys: [id], order_by: [a desc]", "mode: append"])
def test_where_the_order_of_files_decides_nothing_an_old_one_is_loaded(make_feed: MakeFeed, load: str) -> None:
    feed = make_feed(loading(load))
    set_aside(feed, "1.csv", 1)
    land(feed, "2.csv", 2)
    feed.run()

    assert [result.status for result in feed.run(Unprocessed())] == ["SUCCESS"]
    assert ("2.csv",) in feed.rows("a", "a")


def test_files_ordered_by_name_are_older_by_name(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("keys: [id]", "order: name"))
    land(feed, "2.csv", 9)
    feed.run()
    later, earlier = set_aside(feed, "3.csv", 1), set_aside(feed, "1.csv", 20)

    results = feed.run(Unprocessed())

    assert [(result.source_file, result.status) for result in results] == [(earlier, "REFUSED"), (later, "SUCCESS")]


def test_a_file_asked_for_by_key_is_refused_when_a_newer_one_is_loaded(make_feed: MakeFeed) -> None:
    feed = make_feed()
    old = land(feed, "1.csv", 1)
    new = land(feed, "2.csv", 2)
    feed.run(OneFile(new))

    (refused,) = feed.run(OneFile(old))
    (allowed,) = feed.run(OneFile(old, accepted=Accepted(out_of_order=True)))

    assert refused.status == "REFUSED"
    assert refused.failure is not None
    assert refused.failure.type == "SpecError"
    assert allowed.status == "SUCCESS"
    assert feed.rows("a", "a") == [("1.csv",)]
    assert not feed.keys(f"data/in/{feed.name}/")


def test_a_loaded_file_asked_for_again_is_refused_when_a_newer_one_is_loaded(make_feed: MakeFeed) -> None:
    feed = make_feed()
    land(feed, f"{feed.name}_1.csv", 1)
    land(feed, f"{feed.name}_2.csv", 2)
    feed.run()
    archived = next(key for key in feed.keys("data/archive/") if key.endswith("_1.csv"))

    (known,) = feed.run(OneFile(archived))
    (refused,) = feed.run(OneFile(archived, again=True))
    (allowed,) = feed.run(OneFile(archived, again=True, accepted=Accepted(out_of_order=True)))

    assert [known.status, refused.status, allowed.status] == ["SKIPPED", "REFUSED", "SUCCESS"]


def test_a_file_that_does_not_say_whose_it_is_is_reported_and_left(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("mode: append", "pattern: '{name}_*.csv'"))
    nobodys = f"data/unprocessed/2026/01/{feed.name}_1.csv"
    feed.s3.put_object(Bucket="lake", Key=nobodys, Body=csv_text("id,a", "1,x").encode())

    (shown,) = feed.run(Unprocessed())

    assert (shown.source_file, shown.status, shown.failure) == (nobodys, "REFUSED", None)
    assert "does not say where it arrived" in str(shown.reason)
    with pytest.raises(SpecError, match="may not belong to"):
        feed.run(Unprocessed(nobodys))
    assert nobodys in feed.keys("data/unprocessed/")
    feed.s3.delete_object(Bucket="lake", Key=nobodys)


def test_a_file_that_the_spec_no_longer_takes_is_reported_and_left(make_feed: MakeFeed) -> None:
    feed = make_feed(APPEND)
    moved = set_aside(feed, "1.csv", 1)
    feed.spec_body = loading("mode: append", "pattern: 'orders_*.csv'")

    (shown,) = feed.run(Unprocessed())

    assert (shown.source_file, shown.status) == (moved, "REFUSED")
    assert f"data/in/{feed.name}/1.csv, which source.prefix and source.pattern" in str(shown.reason)


def test_a_file_at_fault_keeps_no_other_from_being_replayed_in_a_batch(make_feed: MakeFeed) -> None:
    feed = make_feed(loading("mode: append, keys: [id]", "batch: all"))
    land(feed, "1.csv", 1, "id,a\n,no key\n")
    feed.run()
    set_aside(feed, "2.csv", 2)

    results = feed.run(Unprocessed())

    assert sorted(result.status for result in results) == ["FAILED", "SUCCESS"]
    assert feed.rows("a", "a") == [("2.csv",)]


def test_the_commands_end_with_what_was_refused(feed: FeedHarness) -> None:
    feed.land("2.csv", "id,a\n1,new\n")
    feed.command("run", feed.name)
    drop(feed.s3_folder, f"data/in/{feed.name}/1.csv", "", 0)
    assert feed.command("run", feed.name)[0] == 3

    code, document = feed.json("replay", feed.name)
    text_code, text, err = feed.command("--output", "text", "replay", feed.name)
    other = new_name("command")
    feed.write(f"pipelines/{other}.yml", tagged_spec(other))
    nothing, said, _ = feed.command("--output", "text", "replay", other)

    (refused,) = document["loads"]
    assert (code, text_code, refused["status"], refused["error"]["type"]) == (2, 2, "REFUSED", "SpecError")
    assert f"data/in/{feed.name}/2.csv" in refused["reason"]
    assert "REFUSED" in text
    assert "--out-of-order" in err
    assert nothing == 0
    assert f"{other}: nothing to do: no file below s3://lake/data/unprocessed/" in said
    assert feed.command("replay", "nobody")[0] == 2
    assert feed.command("run", feed.name, "--out-of-order")[0] == 2
    assert feed.command("replay", feed.name, "--out-of-order")[0] == 3


def test_a_plan_says_that_a_file_would_be_refused(feed: FeedHarness) -> None:
    feed.land("2.csv", "id,a\n1,new\n")
    feed.command("run", feed.name)
    old = f"data/in/{feed.name}/1.csv"
    drop(feed.s3_folder, old, "id,a\n1,old\n", 0)

    _, refused = feed.json("plan", feed.name, "--file", old)
    _, planned = feed.json("plan", feed.name, "--file", old, "--out-of-order")

    assert "would be refused" in refused["loads"][0]["notes"][0]
    assert planned["loads"][0]["rows"] == 1


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(
    "identity",
    ["x", "7", "[]", '["a","b","c","d"]', '["a","b","c","7","2026-01-01"]', '["a","b","c","7","soon"]', "[" * 1500],
)
def test_metadata_that_somebody_has_broken_says_nothing(make_feed: MakeFeed, identity: str) -> None:
    feed = make_feed(APPEND)
    for folder in (f"in/{feed.name}", "unprocessed/2026/01"):
        feed.s3.put_object(
            Bucket="lake",
            Key=f"data/{folder}/{feed.name}.csv",
            Body=b"id,a\n1,x\n",
            Metadata={"feedway-identity": identity},
        )

    (loaded,) = feed.run()
    (left,) = feed.run(Unprocessed())
    feed.s3.delete_object(Bucket="lake", Key=left.source_file)

    assert (loaded.status, left.status) == ("SUCCESS", "REFUSED")
    assert "does not say where it arrived" in str(left.reason)
    assert feed.rows("id, a", "id") == [(1, "x")]
