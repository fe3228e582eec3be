"""An environment that cannot work is one line that names the field, before a file is touched."""

from __future__ import annotations

import pytest

from tests.harness import FeedHarness

AWS = """\
environments:
  prod:
    lake: {{bucket: {bucket}}}
    warehouse: {{workgroup: w, database: dev{warehouse}}}
"""


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Take from this process all by which boto3 finds an account; the endpoints stay the sandbox's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def errors_of(feed: FeedHarness, *argv: str) -> tuple[int, list[str]]:
    code, _, err = feed.command("--env", "prod", *argv)
    assert "Traceback" not in err
    lines = err.splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("error: "))
    return code, lines[first:]


@pytest.mark.parametrize("command", [("run", "{name}"), ("plan", "{name}"), ("history",), ("replay", "{name}")])
def test_a_region_that_is_not_set_is_reported_by_its_field(
    feed: FeedHarness, bare: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    feed.write("environments.yml", AWS.format(bucket="lake", warehouse=""))

    code, lines = errors_of(feed, *(part.replace("{name}", feed.name) for part in command))

    assert (code, len(lines)) == (2, 1)
    assert "environments.yml: warehouse.region of 'prod' is not set" in lines[0]


def test_a_profile_that_is_not_there_is_one_line(feed: FeedHarness, bare: pytest.MonkeyPatch) -> None:
    feed.write("environments.yml", AWS.format(bucket="lake", warehouse=", region: eu-west-1"))
    bare.setenv("AWS_PROFILE", "nobody")

    code, lines = errors_of(feed, "run", feed.name)
    in_s3, _, err = feed.command("--project", "s3://lake/projects/x", "validate")

    assert (code, len(lines), in_s3) == (2, 1, 2)
    assert "The config profile (nobody) could not be found. AWS_PROFILE names it" in lines[0]
    assert "(nobody) could not be found" in err


def test_an_endpoint_that_is_no_address_is_one_line(feed: FeedHarness, bare: pytest.MonkeyPatch) -> None:
    feed.write("environments.yml", AWS.format(bucket="lake", warehouse=", region: eu-west-1"))
    bare.setenv("AWS_ENDPOINT_URL_S3", "nowhere")

    code, lines = errors_of(feed, "run", feed.name)

    assert (code, len(lines)) == (2, 1)
    assert "Invalid endpoint: nowhere. Check the variables that begin with AWS_" in lines[0]


def test_the_sandbox_needs_no_profile(feed: FeedHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    feed.land("1.csv", "id,a\n1,x\n")

    assert feed.command("run", feed.name)[0] == 0


def test_credentials_that_are_missing_are_one_line(feed: FeedHarness, bare: pytest.MonkeyPatch) -> None:
    feed.write("environments.yml", AWS.format(bucket="lake", warehouse=", region: eu-west-1"))

    code, lines = errors_of(feed, "run", feed.name)

    # Beside it stand the command that continues, and the section of the docs.
    assert (code, len(lines)) == (5, 3)
    assert "Unable to locate credentials. environments.yml names no credentials: they come from AWS_PROFILE" in lines[0]


def test_a_bucket_that_is_not_there_is_reported_by_its_field(feed: FeedHarness) -> None:
    text = (feed.root / "environments.yml").read_text(encoding="utf-8")
    feed.write("environments.yml", text.replace("bucket: lake", "bucket: no-such-lake"))

    code, out, err = feed.command("run", feed.name)

    (line,) = [line for line in err.splitlines() if line.startswith("error:")]
    assert code == 5
    assert "s3://no-such-lake/" in line
    assert "NoSuchBucket" in line
    assert line.endswith("Correct lake.bucket in environments.yml, or create the bucket")
    assert err.splitlines()[-2] == f"Continue with: feedway --project {feed.root} run {feed.name}"
    assert "FAILED" in out


SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:nope"


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(
    ("warehouse", "field"),
    [
        ("workgroup: sandbox, database: devv", "database is 'devv'"),
        ("workgroup: nope, database: dev", "workgroup is 'nope'"),
        ("cluster: nope, db_user: etl, database: dev", "cluster is 'nope'"),
        (f"workgroup: sandbox, database: dev, secret_arn: '{SECRET}'", f"secret_arn is '{SECRET}'"),
    ],
)
def test_a_warehouse_that_is_not_there_is_reported_once_by_its_field(
    feed: FeedHarness, warehouse: str, field: str
) -> None:
    text = (feed.root / "environments.yml").read_text(encoding="utf-8")
    feed.write("environments.yml", text.replace("workgroup: sandbox, database: dev", warehouse))
    key = feed.land("1.csv", "id,a\n1,x\n")

    for _ in range(4):
        code, _, err = feed.command("run", feed.name)
    asked, _, shown = feed.command("history", feed.name)

    assert (code, asked) == (5, 5)
    assert shown.startswith(f"error: environments.yml: warehouse.{field}, which AWS does not accept: ")
    assert [line[:3] for line in shown.splitlines()] == ["err", "See"]
    (line,) = [line for line in err.splitlines() if line.startswith("error:")]
    assert f"environments.yml: warehouse.{field}, which AWS does not accept: " in line
    assert "could not write" not in err
    assert "SQL:" not in err
    assert feed.s3.head_object(Bucket="lake", Key=key)
