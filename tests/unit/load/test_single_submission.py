"""Loads that copy and merge in one submission: which do, and which take two after all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from framework.errors import TransientWarehouseError
from framework.plan.merge import MAX_FILES_PER_LOAD
from framework.plan.render import render
from framework.plan.steps import MAX_STATEMENT_BYTES
from tests.unit.load.calls import Call
from tests.unit.load.expectations import require_nothing_left
from tests.unit.load.fake_warehouse import Refusal
from tests.unit.load.scenarios import SCENARIOS, Bench


def batch_of(files: int, name: str = "") -> Bench:
    keys = tuple(f"data/in/golden/{number:04d}{name}.csv" for number in range(files))
    return Bench(replace(SCENARIOS["batch"], files=keys))


def submissions(bench: Bench) -> list[str]:
    return [each.transaction.name for each in bench.warehouse.submitted if each.transaction.name in ("copy", "merge")]


@pytest.mark.parametrize(
    ("bench", "names"),
    [
        (Bench(SCENARIOS["no drift"]), ["merge"]),
        (batch_of(50), ["merge"]),
        (Bench(SCENARIOS["no drift"], divided=True), ["copy", "merge"]),
        # Too many statements, and too many bytes.
        (batch_of(MAX_FILES_PER_LOAD), ["copy", "merge"]),
        (batch_of(50, "k" * 900), ["copy", "merge"]),
    ],
    ids=["one file", "some files", "large", "many files", "long names"],
)
def test_a_load_is_one_submission_where_it_fits_one(bench: Bench, names: list[str]) -> None:
    results = bench.run()

    assert {result.status for result in results} == {"SUCCESS"}
    assert submissions(bench) == names
    (merge,) = bench.warehouse.of("merge")
    texts = [render(each, "golden", bench.run_id) for each in merge.transaction.statements]
    assert "copy_staging" not in merge.templates or sum(map(len, texts)) <= MAX_STATEMENT_BYTES
    require_nothing_left(bench)


def test_the_single_submission_is_tried_once_before_it_is_divided() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.calls.failures = {Call("run", "merge"): TransientWarehouseError("1023")}
    (result,) = bench.run()

    assert result.status == "SUCCESS"
    assert submissions(bench) == ["merge", "copy", "merge"]
    assert [each.attempts for each in bench.warehouse.of("merge")] == [1, None]
    assert bench.logs[-1].text().count("retrying after a transient failure") == 1
    require_nothing_left(bench)


def test_a_refusal_that_depends_on_the_staging_rows_is_explained_from_those_of_a_divided_load() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.warehouse.refusals = [Refusal("merge", "check_conservation")]
    bench.warehouse.answers["select_staging_count"] = [(1,)]
    (result,) = bench.run()

    assert result.failure is not None
    assert "row count mismatch" in result.failure.message
    assert submissions(bench) == ["merge", "copy", "merge"]
    require_nothing_left(bench)


@pytest.mark.parametrize(("template", "step"), [("copy_staging", "copy"), ("insert_rows", "merge")])
def test_a_failure_names_the_step_of_the_statement_that_was_refused(template: str, step: str) -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.warehouse.refusals = [Refusal("merge", template)]
    (result,) = bench.run()

    assert result.failure is not None
    assert result.failure.step == step
    assert submissions(bench) == ["merge"]
