"""What fails before there is a file to load is its own pipeline's failure, no file's, and stops no other pipeline."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.harness import FeedHarness, new_name, tagged_spec

GOOD = "id,a\n1,x\n"


@pytest.fixture
def broken(feed: FeedHarness) -> str:
    """Add a pipeline whose spec is no YAML; return its name."""
    name = new_name("broken")
    feed.write(f"pipelines/{name}.yml", "pipeline: [\n")
    return name


def by_pipeline(document: Any) -> dict[str, Any]:
    return {load["pipeline"]: load for load in document["loads"]}


def test_a_spec_that_is_broken_or_missing_stops_no_other_pipeline(feed: FeedHarness, broken: str) -> None:
    key = feed.land("1.csv", GOOD)
    missing = new_name("missing")
    result = feed.root / "result.json"

    code, out, err = feed.command("--output", "json", "run", broken, missing, feed.name, "--result", str(result))

    loads = by_pipeline(json.loads(out))
    assert code == 2
    assert (loads[feed.name]["status"], loads[feed.name]["source_file"]) == ("SUCCESS", key)
    for name, wrong in ((broken, "the text is not YAML"), (missing, f"there is no pipeline '{missing}'")):
        failed = loads[name]
        assert (failed["status"], failed["source_file"], failed["run_id"]) == ("FAILED", None, None)
        assert failed["error"]["type"] == "SpecError"
        assert wrong in failed["error"]["message"]
        assert f"pipeline={name} file=- step=discover: " in err
    assert result.read_text(encoding="utf-8") == out


def test_a_spec_that_cannot_say_its_tags_is_a_failure_of_the_tag(feed: FeedHarness, broken: str) -> None:
    feed.land("1.csv", GOOD)

    code, document = feed.json("run", "--tag", f"{feed.name}_tag")

    assert code == 2
    assert {name: load["status"] for name, load in by_pipeline(document).items()} == {
        feed.name: "SUCCESS",
        broken: "FAILED",
    }


def test_a_bucket_that_is_not_there_is_a_failure_in_the_result(feed: FeedHarness) -> None:
    other = new_name("listed")
    feed.write(f"pipelines/{other}.yml", tagged_spec(other))
    warehouse = "{workgroup: sandbox, database: dev}"
    text = f"environments: {{sandbox: {{kind: sandbox, lake: {{bucket: no-such}}, warehouse: {warehouse}}}}}"
    feed.write("environments.yml", text)

    code, document = feed.json("run", feed.name, other)

    assert code == 5
    assert {(load["pipeline"], load["status"]) for load in document["loads"]} == {
        (feed.name, "FAILED"),
        (other, "FAILED"),
    }


def test_a_package_that_is_missing_is_no_fault_of_a_file(feed: FeedHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of failed attempts after which a file is set aside is three."""
    key = feed.land("1.csv", GOOD)
    with monkeypatch.context() as patch:
        for package in ("duckdb", "pyspark", "pyspark.sql"):
            patch.setitem(sys.modules, package, None)
        for _ in range(4):
            code, document = feed.json("run", feed.name)
            assert code == 2
            assert "needs the package 'duckdb'" in document["loads"][0]["error"]["message"]

    code, document = feed.json("run", feed.name)

    assert code == 0
    assert [(load["source_file"], load["status"]) for load in document["loads"]] == [(key, "SUCCESS")]


def test_nobody_waits_for_a_sandbox_to_hear_of_a_misspelt_name(
    feed: FeedHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("framework.cli.results.open_services", None)

    code, out, err = feed.command("--output", "json", "run", feed.name[:-1])

    assert code == 2
    assert [load["status"] for load in json.loads(out)["loads"]] == ["FAILED"]
    assert f"Did you mean '{feed.name}'?" in err
