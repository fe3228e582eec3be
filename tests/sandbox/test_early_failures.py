"""What fails before there is a file to load is its own pipeline's failure, no file's, and stops no other pipeline."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.command_line import SPEC, Shop
from tests.workshop import new_name

GOOD = "id,a\n1,x\n"


@pytest.fixture
def broken(shop: Shop) -> str:
    """Add a pipeline whose spec is no YAML; return its name."""
    name = new_name("broken")
    shop.write(f"pipelines/{name}.yml", "pipeline: [\n")
    return name


def by_pipeline(document: Any) -> dict[str, Any]:
    return {load["pipeline"]: load for load in document["loads"]}


def test_a_spec_that_is_broken_or_missing_stops_no_other_pipeline(shop: Shop, broken: str) -> None:
    key = shop.land("1.csv", GOOD)
    missing = new_name("missing")
    result = shop.root / "result.json"

    code, out, err = shop.run("--output", "json", "run", broken, missing, shop.name, "--result", str(result))

    loads = by_pipeline(json.loads(out))
    assert code == 2
    assert (loads[shop.name]["status"], loads[shop.name]["source_file"]) == ("SUCCESS", key)
    for name, wrong in ((broken, "the text is not YAML"), (missing, f"there is no pipeline '{missing}'")):
        failed = loads[name]
        assert (failed["status"], failed["source_file"], failed["run_id"]) == ("FAILED", None, None)
        assert failed["error"]["type"] == "SpecError"
        assert wrong in failed["error"]["message"]
        assert f"pipeline={name} file=- step=discover: " in err
    assert result.read_text(encoding="utf-8") == out


def test_a_spec_that_cannot_say_its_tags_is_a_failure_of_the_tag(shop: Shop, broken: str) -> None:
    shop.land("1.csv", GOOD)

    code, document = shop.json("run", "--tag", f"{shop.name}_tag")

    assert code == 2
    assert {name: load["status"] for name, load in by_pipeline(document).items()} == {
        shop.name: "SUCCESS",
        broken: "FAILED",
    }


def test_a_bucket_that_is_not_there_is_a_failure_in_the_result(shop: Shop) -> None:
    other = new_name("listed")
    shop.write(f"pipelines/{other}.yml", SPEC.format(name=other))
    warehouse = "{workgroup: sandbox, database: dev}"
    text = f"environments: {{sandbox: {{kind: sandbox, lake: {{bucket: no-such}}, warehouse: {warehouse}}}}}"
    shop.write("environments.yml", text)

    code, document = shop.json("run", shop.name, other)

    assert code == 5
    assert {(load["pipeline"], load["status"]) for load in document["loads"]} == {
        (shop.name, "FAILED"),
        (other, "FAILED"),
    }


def test_a_package_that_is_missing_is_no_fault_of_a_file(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of failed attempts after which a file is set aside is three."""
    key = shop.land("1.csv", GOOD)
    with monkeypatch.context() as patch:
        for package in ("duckdb", "pyspark", "pyspark.sql"):
            patch.setitem(sys.modules, package, None)
        for _ in range(4):
            code, document = shop.json("run", shop.name)
            assert code == 2
            assert "needs the package 'duckdb'" in document["loads"][0]["error"]["message"]

    code, document = shop.json("run", shop.name)

    assert code == 0
    assert [(load["source_file"], load["status"]) for load in document["loads"]] == [(key, "SUCCESS")]


def test_nobody_waits_for_a_sandbox_to_hear_of_a_misspelt_name(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework.cli.results.open_services", None)

    code, out, err = shop.run("--output", "json", "run", shop.name[:-1])

    assert code == 2
    assert [load["status"] for load in json.loads(out)["loads"]] == ["FAILED"]
    assert f"Did you mean '{shop.name}'?" in err
