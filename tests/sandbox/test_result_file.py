"""`run --result`: what came of a run, where whoever started it reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from framework.errors import PipelineError
from tests.command_line import Shop


def kept(shop: Shop, key: str) -> Any:
    """Return the document that was written to the lake's bucket."""
    return json.loads(shop.s3.get_object(Bucket="lake", Key=key)["Body"].read())


def test_the_document_is_the_one_that_is_printed(shop: Shop) -> None:
    shop.land("1.csv", "id,a\n1,ü\n")
    path = shop.root / "result.json"

    code, out, _ = shop.run("--output", "json", "run", "--tag", f"{shop.name}_tag", "--result", str(path))

    assert code == 0
    assert path.read_text(encoding="utf-8") == out
    assert json.loads(out)["loads"][0]["records_inserted"] == 1


def test_a_job_whose_load_fails_keeps_it_in_s3_and_raises_one_line(shop: Shop) -> None:
    for name in ("a", "b"):
        shop.land(f"{name}.csv", "id,a\n,x\n")
    spec = shop.root / "pipelines" / f"{shop.name}.yml"
    spec.write_text(spec.read_text().replace("{prefix:", "{on_failure: continue, prefix:"))
    key = f"results/{shop.name}.json"

    with pytest.raises(PipelineError) as raised:
        shop.run("--JOB_NAME", "etl", "--env", "sandbox", "--pipeline", shop.name, "--result", f"s3://lake/{key}")

    assert [load["status"] for load in kept(shop, key)["loads"]] == ["FAILED", "FAILED"]
    assert str(raised.value).startswith(f"2 loads failed | pipeline={shop.name} file=data/in/{shop.name}/a.csv step=")
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 3


def test_nothing_to_do_is_a_result_too(shop: Shop) -> None:
    key = f"results/{shop.name}.json"

    assert shop.run("run", shop.name, "--result", f"s3://lake/{key}")[0] == 0
    assert kept(shop, key) == {"loads": [], "set_aside": []}


def test_a_result_that_cannot_be_kept_fails_the_run_but_not_its_loads(shop: Shop) -> None:
    shop.land("1.csv", "id,a\n1,x\n")

    code, out, err = shop.run("--output", "json", "run", shop.name, "--result", "s3://no-such-bucket/result.json")

    assert code == 5
    assert [load["status"] for load in json.loads(out)["loads"]] == ["SUCCESS"]
    assert "the loads have ended, but their result was not kept: S3 refused to write s3://no-such-bucket/" in err


def test_a_place_that_is_no_file_is_refused_before_anything_is_loaded(shop: Shop) -> None:
    key = shop.land("1.csv", "id,a\n1,x\n")

    code, _, err = shop.run("run", shop.name, "--result", "s3://lake/results/")

    assert code == 2
    assert "write s3://BUCKET/KEY" in err
    assert shop.s3.head_object(Bucket="lake", Key=key)
