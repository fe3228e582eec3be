"""`check` where AWS's settings are at fault: credentials and regions, before any client can be made or after."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from framework.errors import PipelineError
from tests.harness import FeedHarness

AWS = """\
environments:
  prod:
    lake: {{bucket: lake{lake}}}
    warehouse: {{workgroup: sandbox, database: dev{warehouse}}}
    engine: embedded
"""
EXPIRED = (
    b"<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The security token is expired.</Message></Error>"
    b"</ErrorResponse>"
)


class _Sts(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(403)
        self.send_header("Content-Length", str(len(EXPIRED)))
        self.end_headers()
        self.wfile.write(EXPIRED)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def refusing_sts() -> Iterator[str]:
    """The address of an STS for which the credentials have expired."""
    with HTTPServer(("127.0.0.1", 0), _Sts) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.fixture
def aws(feed: FeedHarness, moto_url: str, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Make `prod` an environment on AWS, whose S3 and Data API are the sandbox's, and whose STS is moto's."""
    feed.command("check", "--create")
    feed.write("environments.yml", AWS.format(lake="", warehouse=""))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    return monkeypatch


def without(aws: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        aws.delenv(name, raising=False)
    aws.setenv("AWS_EC2_METADATA_DISABLED", "true")


def checked(feed: FeedHarness) -> tuple[int, dict[str, Any]]:
    """Return the exit code of check, and what it prints by item."""
    code, document = feed.json("--env", "prod", "check")
    return code, {check["item"]: check for check in document["checks"]}


def the_failed(found: dict[str, Any]) -> Any:
    (one,) = [check for check in found.values() if check["status"] == "failed"]
    return one


def statuses(found: dict[str, Any], *items: str) -> set[str]:
    return {found[item]["status"] for item in items}


OF_CREDENTIALS = ("bucket", "warehouse", "database", "copy_role", "rights", "control_schema", "clock")


def test_on_aws_the_caller_is_named_by_sts(feed: FeedHarness, aws: pytest.MonkeyPatch) -> None:
    code, found = checked(feed)

    assert code == 0
    assert found["credentials"]["found"] == "arn:aws:sts::123456789012:user/moto"


def test_an_sts_that_does_not_answer_fails_nothing(feed: FeedHarness, aws: pytest.MonkeyPatch) -> None:
    aws.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")

    code, found = checked(feed)

    assert code == 0
    assert found["credentials"]["found"].startswith("the owner of access key ")


def test_credentials_that_are_missing(feed: FeedHarness, aws: pytest.MonkeyPatch) -> None:
    without(aws, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")

    code, found = checked(feed)

    red = the_failed(found)
    assert (code, red["item"], red["exit_code"]) == (5, "credentials", 5)
    assert red["found"].endswith("Unable to locate credentials")
    assert red["remedy"].startswith("environments.yml names no credentials: they come from AWS_PROFILE")
    assert statuses(found, *OF_CREDENTIALS) == {"skipped"}
    assert statuses(found, "region", "embedded") == {"ok"}


def test_credentials_that_have_expired(feed: FeedHarness, aws: pytest.MonkeyPatch, refusing_sts: str) -> None:
    aws.setenv("AWS_ENDPOINT_URL_STS", refusing_sts)

    code, found = checked(feed)

    red = the_failed(found)
    assert (code, red["item"]) == (5, "credentials")
    assert red["found"] == "STS refused the credentials: ExpiredToken: The security token is expired"
    assert red["remedy"].startswith("Renew or correct the credentials")
    # This S3 does not check them, and states its time.
    assert statuses(found, *(item for item in OF_CREDENTIALS if item != "clock")) == {"skipped"}


def test_a_profile_that_does_not_exist(feed: FeedHarness, aws: pytest.MonkeyPatch) -> None:
    without(aws, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    aws.setenv("AWS_PROFILE", "nobody")

    code, found = checked(feed)

    red = the_failed(found)
    assert (code, red["item"], red["exit_code"]) == (2, "credentials", 2)
    assert red["found"] == "The config profile (nobody) could not be found"
    assert red["remedy"].startswith("AWS_PROFILE names it")
    assert statuses(found, *OF_CREDENTIALS, "region", "embedded") == {"skipped"}


def test_a_region_that_nothing_names(feed: FeedHarness, aws: pytest.MonkeyPatch) -> None:
    without(aws, "AWS_DEFAULT_REGION", "AWS_REGION")

    code, found = checked(feed)

    red = the_failed(found)
    assert (code, red["item"], red["exit_code"]) == (2, "region", 2)
    assert "warehouse.region of 'prod' is not set" in red["found"]
    assert red["remedy"] == "Write one, such as region: eu-west-1"
    assert statuses(found, "credentials") == {"ok"}
    assert statuses(found, *OF_CREDENTIALS, "embedded") == {"skipped"}


def test_regions_that_differ_are_shown_with_their_lines(feed: FeedHarness, aws: pytest.MonkeyPatch) -> None:
    feed.write("environments.yml", AWS.format(lake="", warehouse=", region: us-east-1"))

    code, found = checked(feed)

    red = the_failed(found)
    assert (code, red["item"]) == (2, "region")
    assert (
        red["remedy"] == "Name one region in lake.region (environments.yml:3) and warehouse.region (environments.yml:4)"
    )
    assert statuses(found, "copy_role") == {"skipped"}


def test_a_glue_job_ends_in_one_line_with_all_that_failed(feed: FeedHarness, aws: pytest.MonkeyPatch) -> None:
    feed.write("environments.yml", AWS.format(lake="", warehouse=", copy_role: 'arn:aws:iam::123456789012:role/other'"))
    job = ["--JOB_NAME", "etl", "--JOB_RUN_ID", "jr_1", "--env", "prod", "--check", "true"]

    with pytest.raises(PipelineError) as raised:
        feed.command(*job)

    assert raised.value.exit_code == 5
    assert str(raised.value).startswith("the environment cannot run loads | failed   copy role  ")
    assert "or correct warehouse.copy_role (environments.yml:4)" in str(raised.value)


def test_an_unreadable_spec_is_left_out(feed: FeedHarness) -> None:
    feed.write("pipelines/broken.yml", "pipeline: [\n")

    code, document = feed.json("check", "--create")

    found = {check["item"]: check["found"] for check in document["checks"]}
    assert code == 0
    assert "1 spec that cannot be read left out: validate" in found["rights"]


def test_an_environment_that_does_not_exist_is_an_error_of_the_command(feed: FeedHarness) -> None:
    code, out, err = feed.command("--env", "nope", "check")

    assert (code, out) == (2, "")
    assert "there is no environment 'nope'" in err
