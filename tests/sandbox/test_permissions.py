"""The job's role may do what loads do, and nothing else without a reason: loads are run, and their calls collected."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3
import botocore.handlers
import pytest

from framework.cli import main
from framework.spec.environment import RetrySettings, WarehouseSettings
from framework.warehouse.client import Warehouse
from framework.warehouse.rate_limit import RateLimiter
from tests.deployment import ACCOUNT, WORKGROUP, Stack
from tests.harness import new_name
from tests.sandbox.data_api_caller import ENDLESS

ENVIRONMENT = """\
environments:
  prod:
    lake: {bucket: lake, prefix: permitted/, region: eu-west-1}
    warehouse: {workgroup: sandbox, database: dev}
    engine: embedded
    notify:
      metrics_namespace: Feedway
      event_bus: default
      sns: arn:aws:sns:us-east-1:123456789012:notified
      webhook: {secret_arn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:webhook"}
"""
SPEC = """\
pipeline: {name}
source: {{prefix: data/in/{name}/, pattern: "*.csv"}}
target: {{table: {name}}}
load: {{keys: [id]}}
bad_rows: {{action: quarantine, max_rows: 1}}
expect: {{every: 1d}}
views: [{{schema: reporting, name: v_{name}, definition: "select id, a from {{{{ target }}}}"}}]
"""
PERMITTED = {
    "LakeBucket": "lake",
    "LakePrefix": "permitted/",
    "CodeBucket": "code",
    "Version": "0.1.0",
    "Database": "dev",
    "WorkgroupArn": WORKGROUP,
    "NotifyTopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:notified",
    "WebhookSecretArn": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:webhook",
}
LAKE = "arn:aws:s3:::lake"
BUS = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"

NOT_SEEN = (
    # action, resource, why it is in the policy although no call of these loads needs it
    ("s3:GetBucketLocation", LAKE, "Spark's file system asks where the bucket is"),
    ("s3:GetBucketVersioning", LAKE, "check notes whether the bucket is versioned"),
    ("s3:GetObjectTagging", f"{LAKE}/*", "CopyObject copies the tags of an object that has some, on S3 only"),
    ("s3:PutObjectTagging", f"{LAKE}/*", "as s3:GetObjectTagging"),
    ("s3:AbortMultipartUpload", f"{LAKE}/*", "a copy of more than 5 GB, or a write of Spark's, that fails"),
    ("s3:ListMultipartUploadParts", f"{LAKE}/*", "Spark's file system writes in parts"),
    ("s3:DeleteObject", f"{LAKE}/permitted/data/archive/*", "a copy that turned out incomplete, or not to be the file"),
    ("redshift-serverless:GetCredentials", WORKGROUP, "the Data API asks for them in the caller's name"),
    ("s3:GetObject", "arn:aws:s3:::code/feedway/*", "Glue reads the script and the wheels; --project reads the specs"),
    ("s3:ListBucket", "arn:aws:s3:::code", "--project lists the specs"),
    ("logs:*", "*:log-group:/feedway/feedway/*", "Glue writes the job's logs in the role's name"),
)


@dataclass
class Calls:
    """The calls of the clients that commands make, as what IAM judges: action, resource, context."""

    seen: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def note(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        """Take a call as botocore is given it."""
        service, operation = model.service_model.service_name, model.name
        self.seen += list(judged(service, operation, params))


def judged(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Yield what a call needs; an operation that nobody has thought of is an error."""
    bucket = f"arn:aws:s3:::{params.get('Bucket')}"
    key = f"{bucket}/{params.get('Key')}"
    match service, operation:
        case "s3", "ListObjectsV2":
            yield "s3:ListBucket", bucket, {"s3:prefix": params["Prefix"]}
        case "s3", "HeadObject":
            yield "s3:GetObject", key, {}
            # Of a key that is not there S3 says so only to who may list.
            yield "s3:ListBucket", bucket, {}
        case "s3", "GetObject":
            yield "s3:GetObject", key, {}
        case "s3", "PutObject":
            yield "s3:PutObject", key, {}
            if "IfMatch" in params:
                yield "s3:GetObject", key, {}
        case "s3", "HeadBucket":
            yield "s3:ListBucket", bucket, {}
        case "s3", "GetBucketVersioning":
            yield "s3:GetBucketVersioning", bucket, {}
        case "s3", "CopyObject":
            source = params["CopySource"]
            yield "s3:GetObject", f"arn:aws:s3:::{source['Bucket']}/{source['Key']}", {}
            yield "s3:PutObject", key, {}
        case "s3", "DeleteObject":
            yield "s3:DeleteObject", key, {}
            if "IfMatch" in params:
                yield "s3:GetObject", key, {}
        case "s3", "DeleteObjects":
            for each in params["Delete"]["Objects"]:
                yield "s3:DeleteObject", f"{bucket}/{each['Key']}", {}
        case "redshift-data", "ExecuteStatement" | "BatchExecuteStatement":
            yield f"redshift-data:{operation}", WORKGROUP, {}
        case "redshift-data", "DescribeStatement" | "GetStatementResult" | "ListStatements" | "CancelStatement":
            yield f"redshift-data:{operation}", "*", {}
        case "sts", "GetCallerIdentity":
            # Nobody can be denied it.
            pass
        case "cloudwatch", "PutMetricData":
            yield "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": params["Namespace"]}
        case "events", "PutEvents":
            for entry in params["Entries"]:
                assert entry["EventBusName"] == "default"
                yield "events:PutEvents", BUS, {"events:source": entry["Source"]}
        case "sns", "Publish":
            yield "sns:Publish", params["TopicArn"], {}
        case "secretsmanager", "GetSecretValue":
            yield "secretsmanager:GetSecretValue", params["SecretId"], {}
        case _:
            raise AssertionError(f"which right does {service}:{operation} need? Say it here and in deploy/feedway.yml")


class Site:
    """A project on AWS, as its configuration says; S3 and the Data API are the sandbox's."""

    def __init__(self, root: Path, s3: Any, s3_folder: Path) -> None:
        self.root, self.s3, self.s3_folder = root, s3, s3_folder
        self.name = new_name("permitted")
        (root / "pipelines").mkdir()
        (root / "pipelines" / f"{self.name}.yml").write_text(SPEC.format(name=self.name), encoding="utf-8")
        (root / "environments.yml").write_text(ENVIRONMENT, encoding="utf-8")

    def run(self, *argv: str) -> int:
        return main(["--project", str(self.root), "--env", "prod", *argv])

    def land(self, name: str, text: str) -> str:
        return self.put(f"data/in/{self.name}/{name}", text)

    def put(self, path: str, text: str = "") -> str:
        self.s3.put_object(Bucket="lake", Key=f"permitted/{path}", Body=text.encode())
        return f"permitted/{path}"

    def only(self, path: str) -> str:
        """Return the one key below a path."""
        (found,) = self.s3.list_objects_v2(Bucket="lake", Prefix=f"permitted/{path}")["Contents"]
        return str(found["Key"])

    def die(self) -> None:
        """Leave what a run leaves that was killed long ago: a heartbeat, staging files and bad rows."""
        run_id, invocation_id = "dead" + "5" * 28, "dead" + "6" * 28
        self.put(f"data/quarantine/{self.name}/2026/01/{run_id}/1.parquet")
        for path in (f"_alive/{invocation_id}", f"{self.name}/{invocation_id}/{run_id}/rows-0/part.parquet"):
            os.utime(self.s3_folder / "lake" / self.put(f"staging/{path}"), (0, 0))


@pytest.fixture(scope="module")
def calls(sandbox: Any, s3: Any, moto_url: str, tmp_path_factory: pytest.TempPathFactory) -> Calls:
    """The calls of loads that grow a table, go wrong, crash, are replayed, skipped and listed."""
    site = Site(tmp_path_factory.mktemp("permitted"), s3, sandbox.s3_folder)
    with collected(moto_url) as calls:
        _loads(site)
        _give_up_a_statement()
    return calls


@contextmanager
def collected(moto_url: str) -> Iterator[Calls]:
    """Yield the calls that are made within the block."""
    calls = Calls()
    with pytest.MonkeyPatch.context() as patch:
        # Every client made from here on; those of the tests are older.
        handlers = [*botocore.handlers.BUILTIN_HANDLERS, ("provide-client-params", calls.note)]
        patch.setattr(botocore.handlers, "BUILTIN_HANDLERS", handlers)
        patch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
        patch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", moto_url)
        patch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", moto_url)
        patch.setenv("AWS_ENDPOINT_URL_SNS", moto_url)
        patch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", moto_url)
        yield calls


def _loads(site: Site) -> None:
    name = site.name
    first = site.land("1.csv", "id,a\n1,x\n")
    site.land("notes.txt", "of no feed")
    assert site.run("plan", name) == 0
    assert site.run("run", name) == 0
    site.land("2.csv", f"id,a,b\n1,{'long' * 100},2\n,no key,3\n")
    assert site.run("run", name) == 0
    assert site.run("replay", name, "--quarantine", f"s3://lake/{site.only('data/quarantine/')}") == 3
    site.land("3.csv", "id,a,b\n,no key,1\n,nor here,2\n")
    assert site.run("run", name) == 3
    assert site.run("replay", name) == 3
    assert site.run("skip", site.only("data/unprocessed/"), "--reason", "sent by mistake") == 0
    archived = f"permitted/data/archive/{_month(site)}/{first.rpartition('/')[2]}"
    assert site.run("run", name, "--file", archived, "--again", "--out-of-order") == 0
    site.die()
    # Of two parts, fetched side by side.
    site.land("4.csv", "id,a,b\n" + "".join(f"{number},{'x' * 90},0\n" for number in range(100_000)))
    assert site.run("run", name) == 0
    assert site.run("history", name) == 0
    assert site.run("stale") == 0
    # Exit code 4: another test has left a view that cannot be restored.
    assert site.run("restore-views") in (0, 4)


def _month(site: Site) -> str:
    listed = site.s3.list_objects_v2(Bucket="lake", Prefix="permitted/data/archive/")["Contents"]
    return "/".join(listed[0]["Key"].split("/")[3:5])


def _give_up_a_statement() -> None:
    """Do what an interrupted load does to its statement."""
    settings = WarehouseSettings("sandbox", None, "dev", None, None, "default", "feedway", None)
    client = boto3.session.Session().client("redshift-data")
    warehouse = Warehouse(client, settings, RetrySettings(1, 0, 1), RateLimiter({}))
    warehouse.cancel(warehouse.submit([ENDLESS], "given-up", "given-up" * 4)["Id"])


def refused(calls: Calls) -> set[tuple[str, str]]:
    """Return the actions and resources of the calls that the role may not make."""
    grants = Stack(**PERMITTED).grants("JobRole")
    return {
        (action, resource)
        for action, resource, context in calls.seen
        if not any(grant.allows(action, resource, context) for grant in grants)
    }


@pytest.mark.exhaustive
def test_every_call_of_a_load_is_allowed(calls: Calls) -> None:
    assert refused(calls) == set()


def test_a_check_finds_that_the_role_may_do_all_that_loads_need(
    sandbox: Any, s3: Any, moto_url: str, tmp_path: Path
) -> None:
    """Its calls are no reason for a right: it makes them to see whether loads have it."""
    site = Site(tmp_path, s3, sandbox.s3_folder)
    with collected(moto_url) as calls:
        assert site.run("check", "--create") == 0

    assert refused(calls) == set()
    assert {action for action, _, _ in calls.seen} >= {"s3:DeleteObject", "s3:PutObject", "s3:GetObject"}


def test_nothing_is_allowed_that_no_load_does_without_a_reason(calls: Calls) -> None:
    unused = {
        (grant.action, grant.resource)
        for grant in Stack(**PERMITTED).grants("JobRole")
        if not any(grant.allows(*call) for call in calls.seen)
    }

    explained = {
        (action, resource)
        for action, resource in unused
        for of_action, of_resource, _ in NOT_SEEN
        if fnmatchcase(action, of_action) and fnmatchcase(resource, of_resource)
    }
    assert unused - explained == set()


def test_every_reason_is_one_for_a_right_that_is_there_and_not_seen(calls: Calls) -> None:
    grants = Stack(**PERMITTED).grants("JobRole")

    for action, resource, why in NOT_SEEN:
        explained = [
            each for each in grants if fnmatchcase(each.action, action) and fnmatchcase(each.resource, resource)
        ]
        assert explained, f"{action} on {resource} is not in the policy: {why}"
        assert any(not any(grant.allows(*call) for call in calls.seen) for grant in explained), (action, why)


@pytest.mark.parametrize(
    ("action", "key"),
    [
        ("s3:PutObject", "permitted/data/in/orders/1.csv"),
        ("s3:DeleteObject", "permitted/logs/orders/2026/01/x.jsonl"),
        ("s3:GetObject", "others/data/in/orders/1.csv"),
    ],
)
def test_what_is_not_feedways_is_out_of_reach(action: str, key: str) -> None:
    grants = Stack(**PERMITTED).grants("JobRole")

    assert not any(grant.allows(action, f"{LAKE}/{key}", {}) for grant in grants)
