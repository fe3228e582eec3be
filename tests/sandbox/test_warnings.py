"""Warnings of loads: in the result, JOB_STS, the metric and `history`."""

from __future__ import annotations

from dataclasses import replace

from framework.spec.environment import Environment
from tests.harness import FeedHarness, MakeFeed, csv_text
from tests.sandbox.conftest import ENVIRONMENT, MINIMAL


def in_control_schema(name: str) -> Environment:
    """Return the environment with a control schema of the test's own."""
    return replace(ENVIRONMENT, warehouse=replace(ENVIRONMENT.warehouse, control_schema=name))


def test_an_audit_table_of_an_earlier_release_gets_the_column(make_feed: MakeFeed) -> None:
    feed = make_feed(environment=in_control_schema("feedway_old"))
    feed.load("1.csv", csv_text("id,a", "1,x"))
    feed.sql("alter table feedway_old.job_sts drop column warnings")

    result = feed.load("2.csv", csv_text("id,a", "2,y"))

    assert result.status == "SUCCESS"
    recorded = f"select count(*), count(warnings) from feedway_old.job_sts where run_id = '{result.run_id}'"
    assert feed.sql(recorded) == [(2, 0)]


def test_a_file_that_does_not_match_the_pattern_is_reported_once(feed: FeedHarness) -> None:
    spec = (
        f"pipeline: {feed.name}\nsource: {{prefix: data/in/{feed.name}/, pattern: 'sales_*.csv', ignore: ['*.MD5']}}\n"
        f"target: {{table: {feed.name}}}\nload: {{keys: [id]}}\n"
    )
    feed.write(f"pipelines/{feed.name}.yml", spec)
    feed.write(
        f"pipelines/{feed.name}_b.yml",
        spec.replace(f"pipeline: {feed.name}\n", f"pipeline: {feed.name}_b\n").replace("sales_", "stock_"),
    )
    for name in ("sales_1.csv", "Sale_2.csv", "stock_1.csv", "sales_1.csv.md5", "_SUCCESS", ".hidden", "_tmp/x.csv"):
        feed.land(name, "id\n1\n")

    _, first = feed.json("run", feed.name)
    feed.land("sales_2.csv", "id\n2\n")
    _, second = feed.json("run", feed.name)
    feed.land("sales_3.csv", "id\n3\n")
    feed.land("new.txt", "id\n3\n")
    _, third = feed.json("run", feed.name)

    (warning,) = first["loads"][0]["warnings"]
    assert warning["rule"] == "unmatched-file"
    assert "1 file does not match source.pattern" in warning["message"]
    assert f"data/in/{feed.name}/Sale_2.csv." in warning["message"]
    assert second["loads"][0]["warnings"] == []
    assert [f"{feed.name}/new.txt" in warning["message"] for warning in third["loads"][0]["warnings"]] == [True]


def test_an_ignored_name_is_not_loaded_though_it_matches_the_pattern(make_feed: MakeFeed) -> None:
    feed = make_feed(MINIMAL.replace("{name}/}", "{name}/, ignore: ['*_TEST.csv']}", 1))
    feed.land("1.csv", csv_text("id", "1"))
    feed.land("2_test.csv", csv_text("id", "2"))

    results = feed.run()

    assert [result.warnings for result in results] == [()]
    assert feed.rows("id", "id") == [(1,)]


def test_a_column_of_numbers_and_words_for_null_is_text_until_the_spec_says_what_they_mean(make_feed: MakeFeed) -> None:
    content = csv_text("id,amount", "1,1.50", "2,NA", "3,-", "4,7", "5,NA")
    feed = make_feed(MINIMAL)

    result = feed.load("1.csv", content)

    (warning,) = result.warnings
    entry = '{null_values: ["NA", "-"]}'
    assert (warning.rule, warning.column) == ("null-markers", "amount")
    assert warning.message == (
        "amount is text: 2 of 5 values are numbers, the other 3 are 'NA' or '-'; "
        f"if that means NULL: types: {{columns: {{amount: {entry}}}}}"
    )
    assert feed.types()["amount"] == "character varying(256)"
    other = make_feed(MINIMAL + f"types: {{columns: {{amount: {entry}}}}}")
    assert other.load("1.csv", content).warnings == ()
    assert other.types()["amount"] == "numeric(38,18)"
    assert other.rows("amount is null", "id") == [(False,), (True,), (True,), (False,), (True,)]
