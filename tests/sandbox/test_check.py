"""`check`: all green in the sandbox, and each item red alone, with what to do, in an environment broken for it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from jsonschema import Draft202012Validator

from framework.errors import MachineError
from framework.load.check.checks import CHECKS, SPARK
from framework.log.run_log import utc_now
from framework.model.files import SourceFile
from framework.resources import read_text
from framework.sandbox import SandboxAddress
from framework.spec.environment import EmbeddedSettings, LakeSettings
from tests.harness import FeedHarness, MakeFeed, csv_text, new_name
from tests.http_answers import http_answer
from tests.sandbox.checking import Checking, failed, skipped
from tests.sandbox.conftest import ENVIRONMENT

NOWHERE = "http://127.0.0.1:9"
OF_WAREHOUSE = {"database", "copy_role", "rights", "control_schema"}


@pytest.fixture
def checking(make_feed: MakeFeed, sandbox: SandboxAddress) -> Checking:
    """A feed whose control schema is complete, and clients of this test's own."""
    session = boto3.session.Session()
    made = Checking(make_feed(), sandbox, session.client("s3"), session.client("redshift-data"))
    made.check(creates=True)
    return made


def with_warehouse(**fields: Any) -> Any:
    return replace(ENVIRONMENT, warehouse=replace(ENVIRONMENT.warehouse, **fields))


def test_all_is_green_in_the_sandbox(checking: Checking, sandbox: SandboxAddress) -> None:
    found = checking.check()

    assert [outcome.status for outcome in found.values()] == ["ok"] * len(CHECKS)
    assert sandbox.access_key in found["credentials"].found
    assert found["region"].found == "eu-west-1"
    assert found["bucket"].found.startswith("s3://lake/ in eu-west-1")
    assert "versioning is off" in found["bucket"].found
    assert "as user awsuser" in found["database"].found
    assert found["rights"].found == "all that loads of 1 spec need; 0 of their targets exist"


def test_the_command_prints_a_line_per_item(feed: FeedHarness) -> None:
    assert feed.command("check", "--create")[0] == 0
    code, out, _ = feed.command("check")
    _, document = feed.json("check")

    assert code == 0
    Draft202012Validator(json.loads(read_text("schemas/output/check.schema.json"))).validate(document)
    assert [line.split()[0] for line in out.splitlines()] == ["ok"] * len(CHECKS)
    assert document["environment"] == "sandbox"
    assert [check["item"] for check in document["checks"]] == [check.item for check in CHECKS]


def test_create_completes_the_control_schema_and_a_load_works(feed: FeedHarness) -> None:
    schema = new_name("control")
    text = (feed.root / "environments.yml").read_text(encoding="utf-8")
    feed.write("environments.yml", text.replace("copy_role: default", f"copy_role: default, control_schema: {schema}"))

    code, before, _ = feed.command("check")
    assert feed.sql(f"select count(*) from pg_namespace where nspname = '{schema}'") == [(0,)]
    created, document = feed.json("check", "--create")
    again, after, _ = feed.command("check")
    feed.land("1.csv", csv_text("id,a", "1,x"))

    (line,) = [line for line in before.splitlines() if line.startswith("failed")]
    assert code == 5
    assert f"{schema} has no job_sts, view_builds, schema_changes, view_journal, column_spellings" in line
    assert "Correct warehouse.control_schema (environments.yml:" in line
    assert line.endswith(f"or run: feedway --project {feed.root} check --create")
    assert created == 0
    made = {check["item"]: check["found"] for check in document["checks"]}
    assert made["control_schema"].startswith(f"{schema}: created job_sts, ")
    assert (again, after.count("failed")) == (0, 0)
    assert feed.command("run", feed.name)[0] == 0


def test_a_control_table_of_an_earlier_release_lacks_a_column(checking: Checking) -> None:
    schema = new_name("control")
    environment = with_warehouse(control_schema=schema)
    checking.check(environment=environment, creates=True)
    checking.feed.sql(f"alter table {schema}.job_sts drop column warnings", f"drop table {schema}.view_builds")

    red = failed(checking.check(environment=environment))
    checking.check(environment=environment, creates=True)

    assert (red.item, red.exit_code) == ("control_schema", 5)
    assert red.found == f"{schema} has no view_builds, job_sts.warnings"
    assert checking.check(environment=environment)["control_schema"].status == "ok"


def test_a_bucket_that_does_not_exist(checking: Checking) -> None:
    found = checking.check(environment=replace(ENVIRONMENT, lake=LakeSettings("no-such-lake", "", None)))

    red = failed(found)
    assert (red.item, red.exit_code) == ("bucket", 5)
    assert red.found.startswith("NoSuchBucket: ")
    assert red.remedy == (
        "Correct lake.bucket (environments.yml:11), or create the bucket: aws s3 mb s3://no-such-lake"
    )
    assert skipped(found) == {"copy_role", "clock"}


def test_a_bucket_in_another_region(checking: Checking) -> None:
    session = boto3.session.Session(region_name="eu-central-1")
    checking.s3, checking.redshift_data = session.client("s3"), session.client("redshift-data")

    red = failed(checking.check())

    assert (red.item, red.exit_code) == ("bucket", 2)
    assert red.found == "s3://lake is in eu-west-1, but is called in eu-central-1"
    assert red.remedy == "Write eu-west-1 in lake.region (environments.yml:11)"


def test_a_lake_and_a_warehouse_in_two_regions(checking: Checking) -> None:
    checking.redshift_data = boto3.session.Session(region_name="us-east-1").client("redshift-data")

    found = checking.check()

    red = failed(found)
    assert (red.item, red.exit_code) == ("region", 2)
    assert red.found.startswith("S3 is called in eu-west-1, and the Data API in us-east-1")
    assert red.remedy is not None
    assert "warehouse.region (environments.yml:16)" in red.remedy
    assert skipped(found) == {"copy_role"}


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(
    ("operation", "within", "right"),
    [
        ("ListObjectsV2", "prefix=data%2Farchive", "s3:ListBucket on arn:aws:s3:::lake with the prefix data/archive/*"),
        ("GetObject", "/data/in/", "s3:GetObject on arn:aws:s3:::lake/data/in/{name}/*"),
        ("DeleteObject", "/data/in/", "s3:DeleteObject on arn:aws:s3:::lake/data/in/{name}/*"),
        ("PutObject", "/data/quarantine/", "s3:PutObject on arn:aws:s3:::lake/data/quarantine/*"),
        ("PutObject", "/logs/", "s3:PutObject on arn:aws:s3:::lake/logs/_check/*"),
        ("DeleteObject", "/staging/", "s3:DeleteObject on arn:aws:s3:::lake/staging/*"),
    ],
)
def test_a_right_that_the_bucket_denies_below_one_prefix(
    checking: Checking, operation: str, within: str, right: str
) -> None:
    checking.deny(operation, within)

    found = checking.check()

    red = failed(found)
    assert (red.item, red.found, red.exit_code) == ("bucket", "S3 denies calls in s3://lake/", 5)
    assert red.remedy == f"Allow {right.replace('{name}', checking.feed.name)}"
    assert skipped(found) == {"copy_role"}


def test_a_denial_that_names_the_right_is_quoted(checking: Checking) -> None:
    text = (
        "User: arn:aws:sts::123456789012:assumed-role/job/i is not authorized to perform: s3:ListBucket on resource: "
        '"arn:aws:s3:::lake" because no identity-based policy allows the s3:ListBucket action'
    )
    checking.deny("ListObjectsV2", text=text)

    red = failed(checking.check())

    assert red.item == "bucket"
    assert red.found.startswith("AccessDenied: User: arn:aws:sts::123456789012:assumed-role/job/i is not authorized")
    assert red.remedy is not None
    assert red.remedy.startswith("Allow s3:ListBucket on arn:aws:s3:::lake; or correct lake.bucket (environments.yml:")


def test_an_s3_that_does_not_answer(checking: Checking) -> None:
    once = Config(retries={"max_attempts": 0})
    checking.s3 = boto3.session.Session().client("s3", endpoint_url=NOWHERE, config=once)

    red = failed(checking.check())

    assert (red.item, red.exit_code) == ("bucket", 5)
    assert red.found.startswith("S3 could not be reached")
    assert red.remedy is not None
    assert red.remedy.startswith("See whether this machine reaches S3 in eu-west-1: lake.region (environments.yml:11)")


def test_credentials_that_only_s3_refuses(checking: Checking) -> None:
    """As where STS cannot be reached."""
    checking.s3 = boto3.session.Session(aws_access_key_id="nobody", aws_secret_access_key="x").client("s3")

    red = failed(checking.check())

    assert red.item == "bucket"
    assert red.found.startswith("InvalidAccessKeyId: ")
    assert red.remedy is not None
    assert red.remedy.startswith("Renew or correct the credentials")


def test_a_workgroup_that_does_not_exist(checking: Checking) -> None:
    found = checking.check(environment=with_warehouse(workgroup="nope"))

    red = failed(found)
    assert (red.item, red.exit_code) == ("warehouse", 5)
    assert red.found == "ValidationException: Redshift endpoint doesn't exist in this region"
    assert red.remedy == (
        "Correct warehouse.workgroup (environments.yml:19), or the region: warehouse.region (environments.yml:16)"
    )
    assert skipped(found) == OF_WAREHOUSE


def test_a_data_api_that_does_not_answer(checking: Checking) -> None:
    once = Config(retries={"max_attempts": 0})
    checking.redshift_data = boto3.session.Session().client("redshift-data", endpoint_url=NOWHERE, config=once)

    red = failed(checking.check())

    assert (red.item, red.exit_code) == ("warehouse", 5)
    assert red.found.startswith("the Data API could not be reached")
    assert red.remedy is not None
    assert "warehouse.region (environments.yml:16)" in red.remedy


def test_a_data_api_that_denies_statements(checking: Checking) -> None:
    right = "redshift-serverless:GetCredentials on resource: arn:aws:redshift-serverless:eu-west-1:1:workgroup/x"
    body = f'{{"__type": "AccessDeniedException", "Message": "User: a is not authorized to perform: {right}"}}'

    def deny(request: Any, **_: Any) -> Any:
        return http_answer(request.url, 400, body.encode())

    checking.redshift_data.meta.events.register("before-send.redshift-data.ExecuteStatement", deny)

    red = failed(checking.check())

    assert (red.item, red.exit_code) == ("warehouse", 5)
    assert red.remedy is not None
    assert red.remedy.startswith(
        "Allow redshift-serverless:GetCredentials on arn:aws:redshift-serverless:eu-west-1:1:workgroup/x; or correct"
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"database": "devv"}, "warehouse.database"),
        ({"secret_arn": "arn:aws:secretsmanager:eu-west-1:1:secret:nope"}, "warehouse.secret_arn"),
    ],
)
def test_a_database_to_which_nobody_can_connect(checking: Checking, fields: dict[str, str], field: str) -> None:
    found = checking.check(environment=with_warehouse(**fields))

    red = failed(found)
    assert (red.item, red.exit_code) == ("database", 5)
    assert red.remedy == f"Correct {field} (environments.yml:{len(field)})"
    assert skipped(found) == OF_WAREHOUSE - {"database"}


def test_a_copy_role_that_the_namespace_does_not_carry(checking: Checking) -> None:
    role = "arn:aws:iam::123456789012:role/other"

    red = failed(checking.check(environment=with_warehouse(copy_role=role)))

    assert (red.item, red.exit_code) == ("copy_role", 5)
    assert f"is not authorized to assume IAM Role {role}" in red.found
    assert red.remedy is not None
    assert red.remedy.startswith(f"Attach role {role} to the workgroup sandbox, and let redshift.amazonaws.com")
    assert red.remedy.endswith("or correct warehouse.copy_role (environments.yml:19)")


def test_a_copy_role_that_may_not_read_the_staging_folder(checking: Checking) -> None:
    """The sandbox knows no rights of roles: COPY does not find the file."""

    def lose(params: dict[str, Any], **_: Any) -> None:
        for key in checking.left():
            if key.endswith(".parquet"):
                checking.feed.s3.delete_object(Bucket="lake", Key=key)

    checking.redshift_data.meta.events.register("provide-client-params.redshift-data.BatchExecuteStatement", lose)

    red = failed(checking.check(specs=[]))

    assert red.item == "copy_role"
    assert "Spectrum Scan Error" in red.found
    assert red.remedy is not None
    assert red.remedy.startswith("Allow the default role s3:GetObject on arn:aws:s3:::lake/staging/*, s3:ListBucket on")


@pytest.mark.parametrize(("seconds", "direction"), [(400, "ahead of"), (-400, "behind")])
def test_a_clock_that_is_wrong(checking: Checking, seconds: int, direction: str) -> None:
    red = failed(checking.check(now=lambda: utc_now() + timedelta(seconds=seconds)))

    assert (red.item, red.exit_code) == ("clock", 5)
    assert direction in red.found
    assert abs(int(red.found.split(" is ")[1].split()[0]) - 400) <= 2
    assert red.remedy is not None
    assert "timedatectl" in red.remedy


def test_a_clock_for_which_aws_refuses_all_calls(checking: Checking) -> None:
    """From 15 minutes on; the refusals have the time, and no other item is at fault."""
    skewed = b"<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large.</Message></Error>"

    def refuse(request: Any, **_: Any) -> Any:
        answer = http_answer(request.url, 403, skewed)
        answer.headers["date"] = format_datetime(utc_now() - timedelta(hours=1), usegmt=True)
        return answer

    checking.s3.meta.events.register("before-send.s3", refuse)

    found = checking.check()

    red = failed(found)
    assert red.item == "clock"
    assert " is 3,599 s ahead of S3's" in red.found.replace("3,600", "3,599").replace("3,598", "3,599")
    assert skipped(found) == {"bucket", "copy_role"}


def test_an_engine_without_its_package(checking: Checking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)

    found = checking.check()

    red = failed(found)
    assert (red.item, red.exit_code) == ("embedded", 2)
    assert red.remedy == "pip install 'feedway[embedded]'; or set another engine (environments.yml:6)"
    assert skipped(found) == {"copy_role"}


def test_more_memory_than_the_machine_has(checking: Checking) -> None:
    red = failed(checking.check(environment=replace(ENVIRONMENT, embedded=EmbeddedSettings(1, 1024**5, None))))

    assert (red.item, red.exit_code) == ("embedded", 5)
    assert red.found.startswith("embedded.memory is 1,024.0 TB, and this machine has ")


def test_a_folder_for_rows_that_is_a_file(checking: Checking, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = EmbeddedSettings(1, 1024**3, str(tmp_path / "file" / "rows"))

    red = failed(checking.check(environment=replace(ENVIRONMENT, embedded=settings)))

    assert (red.item, red.exit_code) == ("embedded", 5)
    assert red.remedy is not None
    assert "embedded.directory" in red.remedy


def test_a_folder_for_rows_is_not_created(checking: Checking, tmp_path: Path) -> None:
    settings = EmbeddedSettings(1, 1024**3, str(tmp_path / "new" / "rows"))

    found = checking.check(environment=replace(ENVIRONMENT, embedded=settings))

    assert found["embedded"].status == "ok"
    assert list(tmp_path.iterdir()) == []


def test_workers_of_spark_that_cannot_run_tasks(checking: Checking) -> None:
    def reach(file: SourceFile) -> list[str]:
        raise MachineError("the Spark worker on h has Python 3.9, the driver 3.11. Workers must run the same")

    red = failed(checking.check((*CHECKS, SPARK), reach_spark=reach))

    assert (red.item, red.exit_code) == ("spark", 5)
    assert red.found == "the Spark worker on h has Python 3.9, the driver 3.11"
    assert red.remedy == "Workers must run the same"
