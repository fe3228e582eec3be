"""Environments are checked like specs, and found by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from framework.errors import Problem
from framework.spec.environment import NotifySettings
from framework.spec.load import load_environments_text
from framework.spec.webhook import Webhook, WebhookFormat, format_of

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
        (environment(rest="\n    notify: {metrics_namespace: AWS/Glue}"), "pattern", 6, 33),
        (environment(rest="\n    notify: {sns: orders}"), "pattern", 6, 19),
        (environment(rest="\n    notify: {on: [failures]}"), "enum", 6, 19),
        (environment(rest="\n    notify: {on: []}"), "range", 6, 18),
        (environment(rest="\n    notify: {webhook: {}}"), "webhook", 6, 23),
        (environment(rest="\n    notify: {webhook: {format: slack}}"), "webhook", 6, 23),
        (environment(rest="\n    notify: {webhook: {env: A, url: 'https://h/'}}"), "webhook", 6, 23),
        (environment(rest="\n    notify: {webhook: {env: $A}}"), "pattern", 6, 29),
        (environment(rest="\n    notify: {webhook: {variable: A}}"), "unknown-field", 6, 24),
        (environment(rest="\n    notify: {webhook: [{env: A}, {variable: A}]}"), "unknown-field", 6, 35),
        (environment(rest="\n    notify: {webhook: [{env: A}, [{env: B}]]}"), "webhook", 6, 34),
        (environment(rest="\n    notify: {webhook: 5}"), "type", 6, 23),
        (environment(rest="\n    kind: sandbox\n    notify: {event_bus: default}"), "notify", 7, 14),
        (
            environment(rest=f"\n    kind: sandbox\n    notify: {{webhook: {{secret_arn: '{SECRET}'}}}}"),
            "notify",
            7,
            24,
        ),
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


def notified(written: str) -> NotifySettings:
    return load_environments_text(environment(rest=f"\n    notify: {written}"), "e.yml")["prod"].notify


def test_a_webhook_is_a_url_or_the_place_of_one_or_several() -> None:
    several = "[https://a.example/x, {env: HOOK, format: teams}]"

    assert notified("{}").webhook == ()
    assert notified("{webhook: https://a.example/x}").webhook == (Webhook(url="https://a.example/x"),)
    assert notified(f"{{webhook: {several}}}").webhook == (
        Webhook(url="https://a.example/x"),
        Webhook(env="HOOK", format="teams"),
    )


def test_failures_refusals_and_late_feeds_are_reported_unless_the_environment_says_otherwise() -> None:
    assert notified("{webhook: {env: HOOK}}").on == ("failure", "refusal", "late")
    assert notified("{webhook: {env: HOOK}, on: [success]}").on == ("success",)


def test_a_field_that_was_replaced_says_what_to_write_instead(environment_problems_of: ProblemsOf) -> None:
    (problem,) = environment_problems_of(environment(rest="\n    announce: {event_bus: default}"))

    assert problem.fix == "Write notify: {metrics_namespace: Feedway, event_bus: default} instead."


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/marked",
        "hooks.example/marked",
        "$marked",
        "ftp://hooks.example/marked",
        "https:///marked",
        "https://user:marked@hooks.example/",
        "https://hooks.example:marked/",
        "https://[marked/",
        "https://hooks.example/marked path",
        "https://hooks.example/märked/marked",
        "http://127.0.0.1.example/marked",
        "",
    ],
)
def test_what_is_no_url_is_refused_and_not_quoted(environment_problems_of: ProblemsOf, url: str) -> None:
    for written in (f"'{url}'", f"{{url: '{url}'}}"):
        (problem,) = environment_problems_of(environment(rest=f"\n    notify: {{webhook: {written}}}"))

        assert problem.rule == "spec/webhook"
        assert "marked" not in str(problem)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/a", "http://localhost/a", "http://[::1]:80/a"])
def test_this_machine_needs_no_encryption(url: str) -> None:
    assert notified(f"{{webhook: '{url}'}}").webhook[0].url == url


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://hooks.slack.com/services/T/B/x", "slack"),
        ("https://HOOKS.slack-gov.com/services/T/B/x", "slack"),
        ("https://default1.2.environment.api.powerplatform.com:443/powerautomate/x", "teams"),
        ("https://prod-1.westeurope.logic.azure.com:443/workflows/x", "teams"),
        ("https://hooks.slack.com.example/services", "json"),
        ("https://nothooks.slack.com/services", "json"),
        ("https://alerts.example/hooks.slack.com", "json"),
    ],
)
def test_the_host_decides_on_the_format(url: str, form: WebhookFormat) -> None:
    assert format_of(url) == form


def test_a_written_url_is_not_shown_where_an_environment_is() -> None:
    assert "a.example" not in repr(notified("{webhook: https://a.example/x}"))
