"""Warnings of loads: in the result, JOB_STS, the metric and `history`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from framework.spec.environment import Environment
from tests.sandbox.conftest import ENVIRONMENT
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
