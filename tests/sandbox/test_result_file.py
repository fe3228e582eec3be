"""`run --result`: what came of a run, where whoever started it reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from framework.errors import PipelineError
from tests.harness import FeedHarness


def kept(feed: FeedHarness, key: str) -> Any:
    """Return the document that was written to the lake's bucket."""
    return json.loads(feed.s3.get_object(Bucket="lake", Key=key)["Body"].read())


def test_the_document_is_the_one_that_is_printed(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n1,ü\n")
    path = feed.root / "result.json"

    code, out, _ = feed.command("--output", "json", "run", "--tag", f"{feed.name}_tag", "--result", str(path))

    assert code == 0
    assert path.read_text(encoding="utf-8") == out
    assert json.loads(out)["loads"][0]["records_inserted"] == 1


def test_a_job_whose_load_fails_keeps_it_in_s3_and_raises_one_line(feed: FeedHarness) -> None:
    for name in ("a", "b"):
        feed.land(f"{name}.csv", "id,a\n,x\n")
    spec = feed.root / "pipelines" / f"{feed.name}.yml"
    spec.write_text(spec.read_text().replace("{prefix:", "{on_failure: continue, prefix:"))
    key = f"results/{feed.name}.json"

    with pytest.raises(PipelineError) as raised:
        feed.command("--JOB_NAME", "etl", "--env", "sandbox", "--pipeline", feed.name, "--result", f"s3://lake/{key}")

    assert [load["status"] for load in kept(feed, key)["loads"]] == ["FAILED", "FAILED"]
    assert str(raised.value).startswith(f"2 loads failed | pipeline={feed.name} file=data/in/{feed.name}/a.csv step=")
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 3


def test_nothing_to_do_is_a_result_too(feed: FeedHarness) -> None:
    key = f"results/{feed.name}.json"

    assert feed.command("run", feed.name, "--result", f"s3://lake/{key}")[0] == 0
    document = kept(feed, key)
    assert (document["loads"], document["set_aside"]) == ([], [])
    assert document["summary"]["feeds"]["idle"] == 1


def test_a_result_that_cannot_be_kept_fails_the_run_but_not_its_loads(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n1,x\n")

    code, out, err = feed.command("--output", "json", "run", feed.name, "--result", "s3://no-such-bucket/result.json")

    assert code == 5
    assert [load["status"] for load in json.loads(out)["loads"]] == ["SUCCESS"]
    assert "the loads have ended, but their result was not kept: S3 refused to write s3://no-such-bucket/" in err


def test_a_place_that_is_no_file_is_refused_before_anything_is_loaded(feed: FeedHarness) -> None:
    key = feed.land("1.csv", "id,a\n1,x\n")

    code, _, err = feed.command("run", feed.name, "--result", "s3://lake/results/")

    assert code == 2
    assert "write s3://BUCKET/KEY" in err
    assert feed.s3.head_object(Bucket="lake", Key=key)
