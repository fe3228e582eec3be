"""The templates are ones that CloudFormation takes, and say of feeds what their specs say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.feeds import STACK_DEFAULTS, feeds_template, main, warnings_of, without_stale_alarm
from framework.errors import SpecError
from framework.spec.environment import Environment
from framework.spec.load import load_environments_text, load_pipeline_text
from framework.spec.pipeline import PipelineSpec
from tests.deployment import TEMPLATE, Stack

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = {"LakeBucket": "acme-lake", "CodeBucket": "acme-code", "Version": "0.1.0", "Database": "dev"}
WAREHOUSES = (
    {"WorkgroupArn": "arn:aws:redshift-serverless:us-east-1:123456789012:workgroup/1"},
    {"Cluster": "c"},
    {"Cluster": "c", "DbUser": "feedway"},
    {"Cluster": "c", "SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s", "LakeKeyArn": "arn:k"},
)
WITHOUT_RESOURCE = {
    "redshift-data:DescribeStatement",
    "redshift-data:GetStatementResult",
    "redshift-data:ListStatements",
    "redshift-data:CancelStatement",
    "cloudwatch:PutMetricData",
}


ENVIRONMENTS = """\
environments:
  prod:
    lake: {{bucket: acme-lake, prefix: feeds/}}
    warehouse: {{workgroup: w, database: dev}}
    notify: {notify}
"""
SPEC = "pipeline: {name}\nsource: {{prefix: data/in/{name}/}}\ntarget: {{table: t}}\nload: {{keys: [id]}}\n"


def environment(notify: str = "{metrics_namespace: Acme}") -> Environment:
    return load_environments_text(ENVIRONMENTS.format(notify=notify), "environments.yml")["prod"]


def spec(name: str, rest: str = "") -> PipelineSpec:
    text = SPEC.format(name=name) + rest
    return load_pipeline_text(text, f"pipelines/{name}.yml", name)


def of_kind(template: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the properties of the resources whose logical id ends so, by the feed's word in it."""
    resources = template["Resources"].items()
    return {name[: -len(kind) - 6]: each["Properties"] for name, each in resources if name.endswith(kind)}


def lint(path: Path) -> tuple[int, str]:
    """Return what cfn-lint says, warnings too."""
    # As a process: what it imports warns in ways that are errors here.
    command = [Path(sys.executable).with_name("cfn-lint"), path]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def test_cloudformation_takes_the_template() -> None:
    assert lint(TEMPLATE) == (0, "")


def test_cloudformation_takes_the_template_of_the_feeds(tmp_path: Path) -> None:
    made = feeds_template([spec("orders", "expect: {every: 6h}"), spec("price-list")], environment())
    (tmp_path / "feeds.json").write_text(json.dumps(made), encoding="utf-8")

    assert lint(tmp_path / "feeds.json") == (0, "")


def test_a_feeds_rule_hears_of_its_own_files_and_names_it() -> None:
    (rule,) = of_kind(feeds_template([spec("orders")], environment()), "Arrived").values()

    detail = rule["EventPattern"]["detail"]
    assert detail == {"bucket": {"name": ["acme-lake"]}, "object": {"key": [{"prefix": "feeds/data/in/orders/"}]}}
    assert json.loads(rule["Targets"][0]["Input"]) == {"pipeline": "orders"}


def test_the_schedule_starts_one_job_run_for_all_feeds() -> None:
    made = feeds_template([spec("orders"), spec("prices")], environment())

    target = made["Resources"]["EveryFeed"]["Properties"]["Target"]
    assert json.loads(target["Input"]) == [{"pipeline": "orders,prices"}]


@pytest.mark.parametrize(
    ("every", "period", "periods"), [("1d", 3600, 24), ("90m", 3600, 2), ("7d", 3600, 168), ("7m", 300, 2)]
)
def test_a_feed_is_stale_when_no_load_has_succeeded_for_as_long_as_expected(
    every: str, period: int, periods: int
) -> None:
    made = feeds_template([spec("orders", f"expect: {{every: {every}}}")], environment())

    (alarm,) = of_kind(made, "Stale").values()
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (period, periods, "breaching")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("Acme", "Loads")
    assert dimensions == {"Environment": "prod", "Pipeline": "orders", "Status": "SUCCESS"}


def test_a_feed_without_expectation_or_with_one_too_long_has_no_stale_alarm() -> None:
    specs = [spec("orders"), spec("rates", "expect: {every: 30d}")]

    assert of_kind(feeds_template(specs, environment()), "Stale") == {}
    assert without_stale_alarm(specs) == ["rates"]


def test_feeds_of_like_names_have_resources_of_their_own() -> None:
    specs = [spec("a_b"), spec("a-b"), spec("ab")]

    assert len(feeds_template(specs, environment())["Resources"]) == len(specs) * 2 + 2


def test_what_specs_and_stack_do_not_agree_in_is_reported() -> None:
    agreed = {"SourcePrefix": "data/in/", "MetricsNamespace": "Acme"}
    notifying = environment("{metrics_namespace: Acme, event_bus: default}")

    assert list(warnings_of([spec("orders")], notifying, agreed)) == []
    (elsewhere,) = warnings_of([spec("orders")], notifying, agreed | {"SourcePrefix": "inbound/"})
    assert elsewhere.startswith(
        "orders: its files arrive below data/in/orders/, and the job may read below inbound/ only"
    )
    (namespace,) = warnings_of([spec("orders")], notifying, agreed | {"MetricsNamespace": "Feedway"})
    assert "may put metrics into Feedway only, and the environment prod sends them to Acme" in namespace
    (no_bus,) = warnings_of([spec("orders")], environment(), agreed)
    assert "no notify.event_bus" in no_bus


def test_the_defaults_are_those_of_the_stack() -> None:
    parameters = Stack().parameters()

    assert {name: parameters[name]["Default"] for name in STACK_DEFAULTS} == STACK_DEFAULTS


def test_a_feed_that_is_named_twice_is_scheduled_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "orders.yml").write_text(SPEC.format(name="orders"), encoding="utf-8")
    (tmp_path / "environments.yml").write_text(ENVIRONMENTS.format(notify="{metrics_namespace: A}"), encoding="utf-8")

    main(["--project", str(tmp_path), "--env", "prod", "--metrics-namespace", "A", "orders", "orders"])

    printed = capsys.readouterr()
    target = json.loads(printed.out)["Resources"]["EveryFeed"]["Properties"]["Target"]
    assert json.loads(target["Input"]) == [{"pipeline": "orders"}]
    assert "no notify.event_bus" in printed.err
    with pytest.raises(SpecError, match="the template is made from the specs in a folder"):
        main(["--project", "s3://acme/project", "--env", "prod"])


def test_no_message_comes_into_sight_while_it_is_gathered() -> None:
    queue, longest = Stack().properties("Arrivals"), Stack().parameters()["GatherSeconds"]["MaxValue"]

    assert queue["VisibilityTimeout"] >= 2 * longest


def test_a_job_run_that_has_failed_is_not_started_again() -> None:
    run = Stack().properties("Loads")["Definition"]["States"]["Each"]["ItemProcessor"]["States"]["Run"]
    names = {name for retry in run["Retry"] for name in retry["ErrorEquals"]}

    assert "Glue.AWSGlueException" in names
    assert not [name for name in names if name.startswith("States.")]


def test_an_environment_without_metrics_is_refused() -> None:
    with pytest.raises(SpecError, match=r"no alarm would ever see a load.*notify: \{metrics_namespace"):
        feeds_template([spec("orders")], environment("{event_bus: default}"))


def test_more_feeds_than_a_stack_holds_are_refused() -> None:
    with pytest.raises(SpecError, match="Name a part of the feeds"):
        feeds_template([spec(f"feed{number}") for number in range(250)], environment())


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_rights_are_on_named_resources_where_there_are_any(warehouse: dict[str, str]) -> None:
    stack = Stack(**PARAMETERS, **warehouse)
    grants = [grant for role in ("JobRole", "CopyRole", "LoadsRole", "PipeRole") for grant in stack.grants(role)]

    assert {grant.action for grant in grants if grant.resource == "*"} == WITHOUT_RESOURCE
    assert not [grant for grant in grants if "*" in grant.action]


@pytest.mark.parametrize(
    ("warehouse", "rights"),
    [
        (WAREHOUSES[0], {"redshift-serverless:GetCredentials"}),
        (WAREHOUSES[1], {"redshift:GetClusterCredentialsWithIAM"}),
        (WAREHOUSES[2], {"redshift:GetClusterCredentials"}),
        (WAREHOUSES[3], {"secretsmanager:GetSecretValue", "kms:Decrypt", "kms:GenerateDataKey"}),
    ],
)
def test_the_way_to_the_warehouse_decides_which_credentials_are_in_reach(
    warehouse: dict[str, str], rights: set[str]
) -> None:
    actions = {grant.action for grant in Stack(**PARAMETERS, **warehouse).grants("JobRole")}

    services = ("redshift-serverless:", "redshift:", "secretsmanager:", "kms:")
    assert {action for action in actions if action.startswith(services)} == rights


def test_events_reach_the_topic_whose_policy_sets_them_no_condition() -> None:
    """EventBridge drops in silence what a condition of a topic's policy keeps from being published."""
    statements = Stack(**PARAMETERS).properties("AlarmsPolicy")["PolicyDocument"]["Statement"]

    (of_events,) = [each for each in statements if each["Principal"]["Service"] == "events.amazonaws.com"]
    assert "Condition" not in of_events


def test_the_rule_for_an_existing_bucket_is_the_one_of_a_new_bucket() -> None:
    (mine,) = json.loads((ROOT / "deploy" / "lifecycle.json").read_text(encoding="utf-8"))["Rules"]
    made = Stack(**PARAMETERS, LakePrefix="").properties("Lake")["LifecycleConfiguration"]["Rules"][0]

    assert mine == {
        "ID": made["Id"],
        "Status": made["Status"],
        "Filter": {"Prefix": made["Prefix"]},
        "Expiration": {"Days": made["ExpirationInDays"]},
        "NoncurrentVersionExpiration": made["NoncurrentVersionExpiration"],
        "AbortIncompleteMultipartUpload": made["AbortIncompleteMultipartUpload"],
    }


def test_the_walk_through_names_parameters_that_there_are_and_an_environment_that_loads() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    commands = re.findall(r"--template-file deploy/feedway\.yml(.*?)```", page, re.DOTALL)
    named = {name for command in commands for name in re.findall(r"(\w+)=", command)}
    (text,) = re.findall(r"```yaml\n(environments:.*?)```", page, re.DOTALL)
    prod = load_environments_text(text, "environments.yml")["prod"]

    required = {name for name, field in Stack().parameters().items() if "Default" not in field}
    assert required <= named <= set(Stack().parameters())
    assert prod.warehouse.copy_role.endswith("/" + Stack().properties("CopyRole")["RoleName"])
    assert prod.notify.metrics_namespace == Stack().parameters()["MetricsNamespace"]["Default"]
