"""Warnings of loads: in the result, JOB_STS, the metric and `history`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from framework.spec.environment import Environment
from tests.command_line import Shop
from tests.sandbox.conftest import ENVIRONMENT, MINIMAL
from tests.workshop import Workshop, csv_text

Feed = Callable[..., Workshop]


def in_control_schema(name: str) -> Environment:
    """Return the environment with a control schema of the test's own."""
    return replace(ENVIRONMENT, warehouse=replace(ENVIRONMENT.warehouse, control_schema=name))


def test_an_audit_table_of_an_earlier_release_gets_the_column(feed: Feed) -> None:
    shop = feed(environment=in_control_schema("feedway_old"))
    shop.load("1.csv", csv_text("id,a", "1,x"))
    shop.sql("alter table feedway_old.job_sts drop column warnings")

    result = shop.load("2.csv", csv_text("id,a", "2,y"))

    assert result.status == "SUCCESS"
    recorded = f"select count(*), count(warnings) from feedway_old.job_sts where run_id = '{result.run_id}'"
    assert shop.sql(recorded) == [(2, 0)]


def test_a_file_that_does_not_match_the_pattern_is_told_once(shop: Shop) -> None:
    spec = (
        f"pipeline: {shop.name}\nsource: {{prefix: data/in/{shop.name}/, pattern: 'sales_*.csv', ignore: ['*.MD5']}}\n"
        f"target: {{table: {shop.name}}}\nload: {{keys: [id]}}\n"
    )
    shop.write(f"pipelines/{shop.name}.yml", spec)
    shop.write(
        f"pipelines/{shop.name}_b.yml",
        spec.replace(f"pipeline: {shop.name}\n", f"pipeline: {shop.name}_b\n").replace("sales_", "stock_"),
    )
    for name in ("sales_1.csv", "Sale_2.csv", "stock_1.csv", "sales_1.csv.md5", "_SUCCESS", ".hidden", "_tmp/x.csv"):
        shop.land(name, "id\n1\n")

    _, first = shop.json("run", shop.name)
    shop.land("sales_2.csv", "id\n2\n")
    _, second = shop.json("run", shop.name)
    shop.land("sales_3.csv", "id\n3\n")
    shop.land("new.txt", "id\n3\n")
    _, third = shop.json("run", shop.name)

    (warning,) = first["loads"][0]["warnings"]
    assert warning["rule"] == "unmatched-file"
    assert "1 file does not match source.pattern" in warning["message"]
    assert f"data/in/{shop.name}/Sale_2.csv." in warning["message"]
    assert second["loads"][0]["warnings"] == []
    assert [f"{shop.name}/new.txt" in warning["message"] for warning in third["loads"][0]["warnings"]] == [True]


def test_an_ignored_name_is_not_loaded_though_it_matches_the_pattern(feed: Feed) -> None:
    shop = feed(MINIMAL.replace("{name}/}", "{name}/, ignore: ['*_TEST.csv']}", 1))
    shop.land("1.csv", csv_text("id", "1"))
    shop.land("2_test.csv", csv_text("id", "2"))

    results = shop.run()

    assert [result.warnings for result in results] == [()]
    assert shop.rows("id", "id") == [(1,)]
