"""`skip` lets one file go for good, with a row that says why."""

from __future__ import annotations

from typing import Any

import pytest

from tests.command_line import SPEC, Shop
from tests.workshop import new_name

BAD = "id,a\n,no key\n"


def statuses(shop: Shop, key: str) -> list[tuple[str, str | None]]:
    """Return the final rows of a file, newest first."""
    _, document = shop.json("history", shop.name, "--file", key)
    return [(load["status"], load["error_message"]) for load in document["loads"]]


def keys(shop: Shop, prefix: str) -> list[str]:
    """Return the keys of this feed's files below a prefix."""
    found = shop.s3.list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])
    return [item["Key"] for item in found if shop.heads(item["Key"]).get("feedway-pipeline") == shop.name]


def test_an_unprocessed_file_is_recorded_and_archived(shop: Shop) -> None:
    arrived = shop.land("1.csv", BAD)
    assert shop.run("run", shop.name)[0] == 3
    (moved,) = keys(shop, "data/unprocessed/")

    code, document = shop.json("skip", moved, "--reason", "sent by mistake")

    (load,) = document["loads"]
    assert (code, load["status"], load["reason"], load["pipeline"]) == (0, "SKIPPED", "sent by mistake", shop.name)
    assert statuses(shop, arrived)[0] == ("SKIPPED", "sent by mistake")
    assert keys(shop, "data/unprocessed/") == []
    assert len(keys(shop, "data/archive/")) == 1
    assert shop.json("replay", shop.name)[1]["loads"] == []


def test_a_pending_file_is_named_by_its_key_and_no_run_loads_it(shop: Shop) -> None:
    key = shop.land("1.csv", "id,a\n1,x\n")

    code, _, err = shop.run("skip", f"s3://lake/{key}")

    assert code == 0, err
    assert statuses(shop, key) == [("SKIPPED", "skipped on request")]
    assert shop.json("run", shop.name)[1]["loads"] == []


def test_an_unprocessed_file_is_found_by_where_it_arrived(shop: Shop) -> None:
    arrived = shop.land("1.csv", BAD)
    shop.run("run", shop.name)
    shop.land("1.csv", BAD + "\n")
    shop.run("run", shop.name)
    first, second = keys(shop, "data/unprocessed/")

    code, _, err = shop.run("skip", arrived)
    shop.run("skip", first)
    last, _, _ = shop.run("skip", arrived)

    assert code == 2
    assert first in err
    assert second in err
    assert last == 0
    assert keys(shop, "data/unprocessed/") == []


def test_what_cannot_be_skipped_is_explained(shop: Shop) -> None:
    loaded = shop.land("1.csv", "id,a\n1,x\n")
    body = shop.s3.get_object(Bucket="lake", Key=loaded)["Body"].read()
    shop.run("run", shop.name)
    (archived,) = keys(shop, "data/archive/")
    shop.s3.put_object(Bucket="lake", Key=loaded, Body=body)
    stray = f"data/elsewhere/{shop.name}.csv"
    shop.s3.put_object(Bucket="lake", Key=stray, Body=b"id\n")

    refusals = {key: shop.run("skip", key) for key in (loaded, archived, stray, f"data/in/{shop.name}/none.csv")}

    assert {code for code, _, _ in refusals.values()} == {2}
    words = [err.strip().splitlines()[-1] for _, _, err in refusals.values()]
    assert f"is loaded into public.{shop.name} already" in words[0]
    assert "is in the archive" in words[1]
    assert "it matches no pipeline's source.prefix and source.pattern" in words[2]
    assert "does not exist, neither pending nor unprocessed" in words[3]
    assert [status for status, _ in statuses(shop, loaded)] == ["SUCCESS"]
    assert shop.s3.head_object(Bucket="lake", Key=loaded)


def test_a_file_of_several_pipelines_needs_the_name_of_one(shop: Shop) -> None:
    other = new_name("command")
    nested = SPEC.format(name=other).replace(f"data/in/{other}/", f"data/in/{shop.name}/inner/")
    shop.write(f"pipelines/{other}.yml", nested)
    key = shop.land("inner/1.csv", BAD)

    code, _, err = shop.run("skip", key)
    wrong, _, told = shop.run("skip", key, "--for", "nobody")
    right, document = shop.json("skip", key, "--for", other)

    assert (code, wrong, right) == (2, 2, 0)
    assert f"may belong to {', '.join(sorted((shop.name, other)))}" in err
    assert "no pipeline 'nobody'" in told
    assert document["loads"][0]["pipeline"] == other


def test_a_file_set_aside_by_one_of_several_pipelines_is_that_ones(shop: Shop) -> None:
    other = new_name("command")
    nested = SPEC.format(name=other).replace(f"data/in/{other}/", f"data/in/{shop.name}/inner/")
    shop.write(f"pipelines/{other}.yml", nested)
    key = shop.land("inner/1.csv", BAD)
    assert shop.run("run", other)[0] == 3

    _, document = shop.json("skip", key)

    assert document["loads"][0]["pipeline"] == other


def test_no_file_is_skipped_while_a_load_of_its_feed_is_under_way(shop: Shop) -> None:
    key = shop.land("1.csv", "id,a\n1,x\n")
    sign = f"staging/{shop.name}/{'f' * 32}/alive"
    shop.s3.put_object(Bucket="lake", Key=sign, Body=b"")

    code, _, err = shop.run("skip", key)
    shop.s3.delete_object(Bucket="lake", Key=sign)

    assert code == 2
    assert "under way" in err
    assert shop.run("skip", key)[0] == 0


def test_a_file_that_does_not_say_whose_it_is_needs_the_pipeline(shop: Shop) -> None:
    key = f"data/unprocessed/2026/01/{shop.name}.csv"
    shop.s3.put_object(Bucket="lake", Key=key, Body=b"id\n")

    code, _, err = shop.run("skip", key)

    assert code == 2
    assert "--for NAME" in err
    assert shop.run("skip", key, "--for", shop.name)[0] == 0


@pytest.mark.parametrize("argv", [["skip"], ["skip", "k", "--reason", " "], ["skip", "k", "--env", "nowhere"]])
def test_a_command_line_that_says_too_little_is_refused(shop: Shop, argv: list[Any]) -> None:
    assert shop.run(*argv)[0] == 2
