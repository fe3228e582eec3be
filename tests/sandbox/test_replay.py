"""`replay` loads what was set aside, in its order; what is too late for that stays and is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from framework.errors import SpecError
from framework.load.request import Accepted, OneFile, Unprocessed
from tests.arrivals import drop, land
from tests.command_line import SPEC, Shop
from tests.workshop import Workshop, csv_text, new_name

Feed = Callable[..., Workshop]

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


def set_aside(shop: Workshop, name: str, second: int) -> str:
    """Land a file that the pipeline refuses now and would take later; return the key it is moved to."""
    body = shop.spec_body
    shop.spec_body = body + REJECTING
    key = land(shop, name, second)
    before = set(unprocessed(shop))
    results = [result for result in shop.run() if result.source_file == key]
    shop.spec_body = body
    assert [result.status for result in results] == ["FAILED"], results
    (moved,) = set(unprocessed(shop)) - before
    return moved


def unprocessed(shop: Workshop) -> list[str]:
    """Return the keys of the files that the feed has set aside, sorted."""
    found = shop.s3.list_objects_v2(Bucket="lake", Prefix="data/unprocessed/").get("Contents", [])
    heads = {item["Key"]: shop.s3.head_object(Bucket="lake", Key=item["Key"])["Metadata"] for item in found}
    return sorted(key for key, metadata in heads.items() if shop.name in metadata.values())


def test_unprocessed_files_load_again_in_the_order_of_their_arrival(feed: Feed) -> None:
    shop = feed(APPEND)
    set_aside(shop, "z.csv", 1)
    set_aside(shop, "deep/a.csv", 2)

    results = shop.run(Unprocessed())

    assert [result.status for result in results] == ["SUCCESS", "SUCCESS"], results
    assert [str(result.source_file).rpartition("/")[2].partition(".")[0] for result in results] == ["z", "a"]
    assert shop.rows("a", "a") == [("deep/a.csv",), ("z.csv",)]
    assert unprocessed(shop) == []
    loaded = [row for row in shop.audit("source_filename, status") if row[1] == "SUCCESS"]
    assert [key for key, _ in loaded] == [f"data/in/{shop.name}/{name}" for name in ("z.csv", "deep/a.csv")]
    assert shop.run(Unprocessed()) == []


def test_a_replayed_file_that_fails_again_stays_where_it_is(feed: Feed) -> None:
    shop = feed(APPEND)
    first, second = set_aside(shop, "1.csv", 1), set_aside(shop, "2.csv", 2)
    shop.spec_body += REJECTING

    results = shop.run(Unprocessed())

    assert [(result.source_file, result.status) for result in results] == [(first, "FAILED"), (second, "FAILED")]
    assert unprocessed(shop) == [first, second]
    assert [row[0] for row in shop.audit("status")].count("FAILED") == 4


def test_a_replay_of_one_file_leaves_the_others(feed: Feed) -> None:
    shop = feed(APPEND)
    moved = [set_aside(shop, f"{number}.csv", number) for number in (1, 2, 3)]

    by_place = shop.run(Unprocessed(moved[1]))
    by_arrival = shop.run(Unprocessed(f"s3://lake/data/in/{shop.name}/3.csv"))

    assert [result.source_file for result in by_place + by_arrival] == moved[1:]
    assert unprocessed(shop) == moved[:1]
    with pytest.raises(SpecError, match=f"no unprocessed file of {shop.name}. There is {moved[0]}"):
        shop.run(Unprocessed("data/in/other.csv"))


def test_a_replay_takes_no_file_of_another_pipeline(feed: Feed) -> None:
    """All share the folder; the outer feed's spec would even take the inner feed's files."""
    outer = feed(APPEND)
    inner = feed(loading("mode: append").replace("data/in/{name}/", f"data/in/{outer.name}/inner/"))
    outer_key = set_aside(outer, "1.csv", 1)
    outer.s3.put_object(Bucket="lake", Key=f"data/in/{outer.name}/inner/2.csv", Body=b"")
    (failed,) = inner.run()
    assert failed.status == "FAILED"

    results = outer.run(Unprocessed())

    assert [(result.source_file, result.status) for result in results] == [(outer_key, "SUCCESS")]
    assert [result.status for result in inner.run(Unprocessed())] == ["FAILED"]


def test_a_file_older_than_a_loaded_one_is_refused_where_order_decides(feed: Feed) -> None:
    shop = feed(loading("keys: [id]"))
    old = set_aside(shop, "1.csv", 1)
    land(shop, "2.csv", 2)
    shop.run()
    new = set_aside(shop, "3.csv", 3)

    results = shop.run(Unprocessed())

    assert [(result.source_file, result.status) for result in results] == [(old, "REFUSED"), (new, "SUCCESS")]
    assert results[0].failure is not None
    assert f"data/in/{shop.name}/2.csv" in results[0].failure.message
    assert "--out-of-order" in results[0].failure.full_message
    assert shop.rows("a", "a") == [("3.csv",)]
    assert unprocessed(shop) == [old]
    assert [row for row in shop.audit("source_filename, status") if row[0].endswith("/1.csv")][2:] == []

    (forced,) = shop.run(Unprocessed(accepted=Accepted(out_of_order=True)))

    assert forced.status == "SUCCESS", forced
    assert shop.rows("a", "a") == [("1.csv",)]


def test_a_snapshot_older_than_the_loaded_one_is_refused(feed: Feed) -> None:
    shop = feed(loading("mode: replace"))
    old = set_aside(shop, "1.csv", 1)
    land(shop, "2.csv", 2)
    shop.run()

    assert [result.status for result in shop.run(Unprocessed())] == ["REFUSED"]
    assert shop.rows("a", "a") == [("2.csv",)]
    assert unprocessed(shop) == [old]


@pytest.mark.parametrize("load", ["keys: [id], order_by: [a desc]", "mode: append"])
def test_where_the_order_of_files_decides_nothing_an_old_one_is_loaded(feed: Feed, load: str) -> None:
    shop = feed(loading(load))
    set_aside(shop, "1.csv", 1)
    land(shop, "2.csv", 2)
    shop.run()

    assert [result.status for result in shop.run(Unprocessed())] == ["SUCCESS"]
    assert ("2.csv",) in shop.rows("a", "a")


def test_files_ordered_by_name_are_older_by_name(feed: Feed) -> None:
    shop = feed(loading("keys: [id]", "order: name"))
    land(shop, "2.csv", 9)
    shop.run()
    later, earlier = set_aside(shop, "3.csv", 1), set_aside(shop, "1.csv", 20)

    results = shop.run(Unprocessed())

    assert [(result.source_file, result.status) for result in results] == [(earlier, "REFUSED"), (later, "SUCCESS")]


def test_a_file_asked_for_by_key_is_refused_when_a_newer_one_is_loaded(feed: Feed) -> None:
    shop = feed()
    old = land(shop, "1.csv", 1)
    new = land(shop, "2.csv", 2)
    shop.run(OneFile(new))

    (refused,) = shop.run(OneFile(old))
    (allowed,) = shop.run(OneFile(old, accepted=Accepted(out_of_order=True)))

    assert refused.status == "REFUSED"
    assert refused.failure is not None
    assert refused.failure.type == "SpecError"
    assert allowed.status == "SUCCESS"
    assert shop.rows("a", "a") == [("1.csv",)]
    assert not shop.keys(f"data/in/{shop.name}/")


def test_a_loaded_file_asked_for_again_is_refused_when_a_newer_one_is_loaded(feed: Feed) -> None:
    shop = feed()
    land(shop, f"{shop.name}_1.csv", 1)
    land(shop, f"{shop.name}_2.csv", 2)
    shop.run()
    archived = next(key for key in shop.keys("data/archive/") if key.endswith("_1.csv"))

    (known,) = shop.run(OneFile(archived))
    (refused,) = shop.run(OneFile(archived, again=True))
    (allowed,) = shop.run(OneFile(archived, again=True, accepted=Accepted(out_of_order=True)))

    assert [known.status, refused.status, allowed.status] == ["SKIPPED", "REFUSED", "SUCCESS"]


def test_a_file_that_does_not_say_whose_it_is_is_told_and_left(feed: Feed) -> None:
    shop = feed(loading("mode: append", "pattern: '{name}_*.csv'"))
    nobodys = f"data/unprocessed/2026/01/{shop.name}_1.csv"
    shop.s3.put_object(Bucket="lake", Key=nobodys, Body=csv_text("id,a", "1,x").encode())

    (told,) = shop.run(Unprocessed())

    assert (told.source_file, told.status, told.failure) == (nobodys, "REFUSED", None)
    assert "does not say where it arrived" in str(told.reason)
    with pytest.raises(SpecError, match="may not belong to"):
        shop.run(Unprocessed(nobodys))
    assert nobodys in shop.keys("data/unprocessed/")
    shop.s3.delete_object(Bucket="lake", Key=nobodys)


def test_a_file_that_the_spec_no_longer_takes_is_told_and_left(feed: Feed) -> None:
    shop = feed(APPEND)
    moved = set_aside(shop, "1.csv", 1)
    shop.spec_body = loading("mode: append", "pattern: 'orders_*.csv'")

    (told,) = shop.run(Unprocessed())

    assert (told.source_file, told.status) == (moved, "REFUSED")
    assert f"data/in/{shop.name}/1.csv, which source.prefix and source.pattern" in str(told.reason)


def test_a_file_at_fault_keeps_no_other_from_being_replayed_in_a_batch(feed: Feed) -> None:
    shop = feed(loading("mode: append, keys: [id]", "batch: all"))
    land(shop, "1.csv", 1, "id,a\n,no key\n")
    shop.run()
    set_aside(shop, "2.csv", 2)

    results = shop.run(Unprocessed())

    assert sorted(result.status for result in results) == ["FAILED", "SUCCESS"]
    assert shop.rows("a", "a") == [("2.csv",)]


def test_the_commands_end_with_what_was_refused(shop: Shop) -> None:
    shop.land("2.csv", "id,a\n1,new\n")
    shop.run("run", shop.name)
    drop(shop.s3_folder, f"data/in/{shop.name}/1.csv", "", 0)
    assert shop.run("run", shop.name)[0] == 3

    code, document = shop.json("replay", shop.name)
    text_code, text, err = shop.run("--output", "text", "replay", shop.name)
    other = new_name("command")
    shop.write(f"pipelines/{other}.yml", SPEC.format(name=other))
    nothing, _, said = shop.run("--output", "text", "replay", other)

    (refused,) = document["loads"]
    assert (code, text_code, refused["status"], refused["error"]["type"]) == (2, 2, "REFUSED", "SpecError")
    assert f"data/in/{shop.name}/2.csv" in refused["reason"]
    assert "REFUSED" in text
    assert "--out-of-order" in err
    assert nothing == 0
    assert f"{other}:   nothing to do (reason=no file below s3://lake/data/unprocessed/" in said
    assert shop.run("replay", "nobody")[0] == 2
    assert shop.run("run", shop.name, "--out-of-order")[0] == 2
    assert shop.run("replay", shop.name, "--out-of-order")[0] == 3


def test_a_plan_says_that_a_file_would_be_refused(shop: Shop) -> None:
    shop.land("2.csv", "id,a\n1,new\n")
    shop.run("run", shop.name)
    old = f"data/in/{shop.name}/1.csv"
    drop(shop.s3_folder, old, "id,a\n1,old\n", 0)

    _, refused = shop.json("plan", shop.name, "--file", old)
    _, planned = shop.json("plan", shop.name, "--file", old, "--out-of-order")

    assert "would be refused" in refused["loads"][0]["notes"][0]
    assert planned["loads"][0]["rows"] == 1


@pytest.mark.parametrize(
    "identity",
    ["x", "7", "[]", '["a","b","c","d"]', '["a","b","c","7","2026-01-01"]', '["a","b","c","7","soon"]', "[" * 1500],
)
def test_metadata_that_somebody_has_broken_says_nothing(feed: Feed, identity: str) -> None:
    shop = feed(APPEND)
    for folder in (f"in/{shop.name}", "unprocessed/2026/01"):
        shop.s3.put_object(
            Bucket="lake",
            Key=f"data/{folder}/{shop.name}.csv",
            Body=b"id,a\n1,x\n",
            Metadata={"feedway-identity": identity},
        )

    (loaded,) = shop.run()
    (left,) = shop.run(Unprocessed())
    shop.s3.delete_object(Bucket="lake", Key=left.source_file)

    assert (loaded.status, left.status) == ("SUCCESS", "REFUSED")
    assert "does not say where it arrived" in str(left.reason)
    assert shop.rows("id, a", "id") == [(1, "x")]
