"""Environments are checked like specs, and found by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from framework.errors import Problem
from framework.spec.load import load_environments_text

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:feedway"
ProblemsOf = Callable[[str], list[Problem]]


def environment(warehouse: str = "workgroup: w", lake: str = "", rest: str = "") -> str:
    """Return an `environments.yml` with one environment, valid as it is."""
    return (
        "environments:\n"
        "  prod:\n"
        f"    lake: {{bucket: acme-lake{lake}}}\n"
        f"    warehouse: {{database: dev, {warehouse}}}\n"
        f"    max_attempts: 3{rest}\n"
    )


@pytest.mark.parametrize(
    ("text", "rule", "line", "column"),
    [
        (environment("region: eu-west-1"), "warehouse", 4, 5),
        (environment("workgroup: null, cluster: null"), "warehouse", 4, 43),
        (environment("workgroup: w, cluster: c"), "warehouse", 4, 46),
        (environment("workgroup: w, db_user: u"), "warehouse", 4, 46),
        (environment("workgroup: w, control_schema: Feedway"), "upper-case", 4, 62),
        (environment("workgroup: w, copy_role: somebody"), "pattern", 4, 57),
        (environment("workgrup: w, cluster: c"), "unknown-field", 4, 32),
        (environment(lake=", prefix: feeds"), "pattern", 3, 39),
        (environment(lake=", prefix: /feeds/"), "pattern", 3, 39),
        (environment(rest="\n    engine: duckdb"), "enum", 6, 13),
        (environment(rest="\n    retry: {attempts: 0}"), "range", 6, 23),
        (environment(rest="\n    retry: {attempts: 1.5}"), "type", 6, 23),
        (environment(rest="\n    dead_after_seconds: 5"), "range", 6, 25),
        (environment(rest="\n    announce: {metrics_namespace: AWS/Glue}"), "pattern", 6, 35),
        (environment(rest="\n    kind: sandbox\n    announce: {event_bus: default}"), "announce", 7, 5),
        (environment("workgroup: w, region: us-east-1", ", region: eu-west-1"), "region", 4, 54),
        (environment(f"workgroup: w, secret_arn: '{SECRET}'", ", region: eu-west-1"), "region", 4, 58),
        (environment(f"workgroup: w, region: eu-west-1, secret_arn: '{SECRET}'"), "region", 4, 77),
        (environment("workgroup: w", ", region: eu west 1"), "pattern", 3, 39),
        (environment("workgroup: w, region: EU-WEST-1"), "pattern", 4, 54),
        ("environments: {}", "empty", 1, 15),
        ("{}", "required", 1, 1),
    ],
)
def test_a_mistake_has_its_rule_and_place(
    environment_problems_of: ProblemsOf, text: str, rule: str, line: int, column: int
) -> None:
    problems = environment_problems_of(text)
    assert [(p.rule, p.line, p.column) for p in problems] == [(f"spec/{rule}", line, column)]


@pytest.mark.parametrize(
    ("warehouse", "lake"),
    [
        ("workgroup: w, region: us-east-1", ", region: us-east-1"),
        ("workgroup: w, region: us-gov-west-1", ""),
        (f"workgroup: w, secret_arn: '{SECRET}'", ", region: us-east-1"),
        ("workgroup: w", ", region: eusc-de-east-1"),
    ],
)
def test_regions_that_agree_or_are_not_all_written_are_fine(warehouse: str, lake: str) -> None:
    assert list(load_environments_text(environment(warehouse, lake), "e.yml")) == ["prod"]


@pytest.mark.parametrize(
    "role",
    [
        "default",
        '"arn:aws:iam::123456789012:role/copy"',
        '"arn:aws-cn:iam::123456789012:role/a/b,arn:aws:iam::123456789012:role/c"',
    ],
)
def test_a_role_is_the_default_one_or_an_arn_or_a_chain(role: str) -> None:
    text = environment(f"workgroup: w, copy_role: {role}")
    assert load_environments_text(text, "e.yml")["prod"].warehouse.copy_role == role.strip('"')


def test_whole_numbers_stay_whole_and_waits_are_fractions() -> None:
    text = environment(rest="\n    retry: {attempts: 2.0, delay_seconds: 1, backoff: 1.5}")
    retry = load_environments_text(text, "e.yml")["prod"].retry
    assert repr(retry) == "RetrySettings(attempts=2, delay_seconds=1.0, backoff=1.5)"
