"""Metrics and events of each pipeline, and a run that ends as its loads do where nobody listens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.harness import FeedHarness
from tests.receiver import receiving

NOBODY = "http://127.0.0.1:9"
ON_AWS = """\
environments:
  {name}:
    lake: {{bucket: {bucket}, region: us-east-1}}
    warehouse: {{workgroup: sandbox, database: dev}}
    engine: embedded
    retry: {{attempts: 1, delay_seconds: 0}}
    notify: {{metrics_namespace: Feedway, event_bus: {bus}}}
"""
GOOD = "id,a\n1,x\n2,y\n"
BAD = "id,a\n,confidential\n"


class Listener:
    """What AWS keeps of what is sent: metrics by name, and the events that a rule hands to a queue."""

    def __init__(self, url: str, name: str) -> None:
        self.environment = name
        self._url = url
        self.bus = f"bus-{name}"
        self._cloudwatch = boto3.client("cloudwatch", endpoint_url=url)
        events = boto3.client("events", endpoint_url=url)
        self._queue = boto3.client("sqs", endpoint_url=url)
        self._queue_url = self._queue.create_queue(QueueName=name)["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
        events.create_event_bus(Name=self.bus)
        pattern = json.dumps({"source": ["feedway"], "detail-type": ["Feedway Load Ended"]})
        events.put_rule(Name=name, EventBusName=self.bus, EventPattern=pattern)
        events.put_targets(Rule=name, EventBusName=self.bus, Targets=[{"Id": "queue", "Arn": arn}])

    def topic(self) -> tuple[str, Callable[[], list[dict[str, Any]]]]:
        """Return a new topic's ARN, and a function that returns the messages it has got."""
        queue_url = self._queue.create_queue(QueueName=f"{self.environment}-topic")["QueueUrl"]
        sns = boto3.client("sns", endpoint_url=self._url)
        arn = str(sns.create_topic(Name=self.environment)["TopicArn"])
        endpoint = f"arn:aws:sqs:us-east-1:123456789012:{self.environment}-topic"
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=endpoint)

        def messages() -> list[dict[str, Any]]:
            found = self._queue.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
            return [json.loads(message["Body"]) for message in found]

        return arn, messages

    def secret(self, text: str) -> str:
        """Return the ARN of a new secret."""
        secrets = boto3.client("secretsmanager", endpoint_url=self._url)
        return str(secrets.create_secret(Name=self.environment, SecretString=text)["ARN"])

    def set_notify(self, feed: FeedHarness, notify: str) -> None:
        """Write `notify` of the environment."""
        text = ON_AWS.format(name=self.environment, bucket="lake", bus=self.bus)
        feed.write("environments.yml", f"{text[: text.index('    notify:')]}    notify: {notify}\n")

    def metrics(self) -> dict[tuple[str, str], float]:
        """Return the sums of this environment's metrics by name and status."""
        asked = [{"Name": "Environment", "Value": self.environment}]
        found = self._cloudwatch.list_metrics(Namespace="Feedway", Dimensions=asked)["Metrics"]
        return {(metric["MetricName"], _status(metric)): self._sum(metric) for metric in found}

    def _sum(self, metric: Any) -> float:
        (point,) = self._cloudwatch.get_metric_statistics(
            **metric, StartTime="2000-01-01", EndTime="2999-01-01", Period=86400 * 365 * 1000, Statistics=["Sum"]
        )["Datapoints"]
        return float(point["Sum"])

    def events(self) -> list[dict[str, Any]]:
        """Return what the events that have come so far say."""
        details = []
        while messages := self._queue.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10).get("Messages"):
            details += [json.loads(message["Body"])["detail"] for message in messages]
            for message in messages:
                self._queue.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
        return details


def _status(metric: Any) -> str:
    return next((each["Value"] for each in metric["Dimensions"] if each["Name"] == "Status"), "")


@pytest.fixture
def listener(feed: FeedHarness, moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Listener:
    """An environment on AWS whose S3 and Data API are the sandbox's, and what reaches AWS from it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    made = Listener(moto_url, feed.name.replace("_", "-"))
    feed.write("environments.yml", ON_AWS.format(name=made.environment, bucket="lake", bus=made.bus))
    for service in ("CLOUDWATCH", "EVENTBRIDGE", "SNS", "SECRETS_MANAGER"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", moto_url)
    return made


def test_metrics_count_a_pipelines_loads_rows_and_seconds(feed: FeedHarness, listener: Listener) -> None:
    feed.land("1.csv", GOOD)
    feed.land("2.csv", BAD)

    code, _, _ = feed.command("--env", listener.environment, "run", feed.name)

    metrics = listener.metrics()
    assert code == 3
    assert metrics.pop(("LoadSeconds", "")) > 0
    assert metrics == {
        ("Loads", "SUCCESS"): 1,
        ("Loads", "FAILED"): 1,
        ("RowsLoaded", ""): 2,
        ("RowsRejected", ""): 0,
        ("Warnings", ""): 0,
    }


def test_an_event_says_how_a_load_ended_and_holds_no_row(feed: FeedHarness, listener: Listener) -> None:
    good, bad = feed.land("1.csv", GOOD), feed.land("2.csv", BAD)

    feed.command("--env", listener.environment, "run", feed.name)

    loaded, failed = sorted(listener.events(), key=lambda detail: str(detail["source_file"]))
    assert (loaded["environment"], loaded["pipeline"]) == (listener.environment, feed.name)
    assert (loaded["source_file"], loaded["status"], loaded["records_inserted"]) == (good, "SUCCESS", 2)
    assert (failed["source_file"], failed["status"]) == (bad, "FAILED")
    assert failed["error"]["type"] == "SourceFileError"
    assert bad in failed["error"]["message"]
    assert "confidential" not in json.dumps(failed)


def test_a_pipeline_whose_files_cannot_be_listed_is_sent_as_failed(feed: FeedHarness, listener: Listener) -> None:
    feed.write("environments.yml", ON_AWS.format(name=listener.environment, bucket="no-such", bus=listener.bus))

    code, _, _ = feed.command("--env", listener.environment, "run", feed.name)

    (event,) = listener.events()
    assert code == 5
    assert listener.metrics() == {("Loads", "FAILED"): 1}
    assert (event["pipeline"], event["source_file"], event["status"]) == (feed.name, None, "FAILED")
    assert "no-such" in event["error"]["message"]


def test_a_run_that_finds_nothing_sends_nothing(feed: FeedHarness, listener: Listener) -> None:
    assert feed.command("--env", listener.environment, "run", feed.name)[0] == 0

    assert listener.metrics() == {}
    assert listener.events() == []


def test_a_run_ends_as_its_loads_do_where_nobody_can_be_notified(
    feed: FeedHarness, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", NOBODY)
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", NOBODY)
    feed.land("1.csv", GOOD)

    code, out, err = feed.command("--output", "json", "--env", listener.environment, "run", feed.name)

    log = [json.loads(line) for line in err.splitlines()]
    warnings = {entry["msg"]: entry["error"] for entry in log if entry["level"] == "warning"}
    assert (code, json.loads(out)["loads"][0]["status"]) == (0, "SUCCESS")
    assert warnings.keys() == {"metrics were not sent", "events were not sent"}
    assert (
        f'EndpointConnectionError: Could not connect to the endpoint URL: "{NOBODY}'
        in (warnings["metrics were not sent"])
    )


def test_events_that_a_bus_refuses_are_a_warning(feed: FeedHarness, listener: Listener) -> None:
    feed.write("environments.yml", ON_AWS.format(name=listener.environment, bucket="lake", bus="no-such-bus"))
    feed.land("1.csv", GOOD)

    code, _, err = feed.command("--output", "text", "--env", listener.environment, "run", feed.name)

    assert code == 0
    assert "warning: events were not sent" in err


def test_a_topic_gets_one_message_of_all_failures(feed: FeedHarness, listener: Listener) -> None:
    topic, messages = listener.topic()
    listener.set_notify(feed, f"{{sns: {topic}}}")
    keys = [feed.land(f"{number}.csv", BAD) for number in (1, 2)]
    feed.write(f"pipelines/{feed.name}.yml", feed.spec_text.replace("source: {", "source: {on_failure: continue, "))

    assert feed.command("--env", listener.environment, "run", feed.name)[0] == 3

    (message,) = messages()
    assert message["Subject"] == f"Feedway {listener.environment}: 1 feed failed"
    assert [key in message["Message"] for key in keys] == [True, True]
    assert f"replay {feed.name}" in message["Message"] or "--instead-of data/unprocessed" in message["Message"]
    assert "confidential" not in json.dumps(message)


def test_a_topic_that_does_not_exist_is_a_warning(feed: FeedHarness, listener: Listener) -> None:
    topic, _ = listener.topic()
    listener.set_notify(feed, f"{{sns: {topic}-gone}}")
    feed.land("1.csv", BAD)

    code, _, err = feed.command("--env", listener.environment, "run", feed.name)

    assert code == 3
    assert "warning: the SNS topic was not notified (error=NotFoundException: " in err


def test_the_url_of_a_webhook_may_be_a_secret(feed: FeedHarness, listener: Listener) -> None:
    with receiving() as receiver:
        listener.set_notify(feed, f"{{webhook: {{secret_arn: '{listener.secret(receiver.url)}'}}}}")
        feed.land("1.csv", BAD)

        assert feed.command("--env", listener.environment, "run", feed.name)[0] == 3

        assert [notice["kind"] for notice in receiver.json()["notices"]] == ["failure"]


def test_nothing_is_sent_unless_the_environment_says_so(feed: FeedHarness, listener: Listener) -> None:
    text = ON_AWS.format(name=listener.environment, bucket="lake", bus=listener.bus)
    feed.write("environments.yml", text[: text.index("    notify:")])
    feed.land("1.csv", GOOD)

    assert feed.command("--env", listener.environment, "run", feed.name)[0] == 0

    assert listener.metrics() == {}
    assert listener.events() == []
