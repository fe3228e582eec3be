"""The state machine is run, by moto's interpreter, against moto's Glue."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

import boto3
import pytest

from tests.deployment import Stack

ROLE = "arn:aws:iam::123456789012:role/x"


class Account:
    """An account with the state machine, and with the Glue job or without it."""

    def __init__(self, url: str, name: str) -> None:
        session = boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
        setting = json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode()
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/config", setting, headers)).close()
        self._machines: Any = session.client("stepfunctions", endpoint_url=url)
        self._glue: Any = session.client("glue", endpoint_url=url)
        self._name = name

    def create_job(self) -> None:
        command = {"Name": "glueetl", "ScriptLocation": "s3://code/run.py"}
        concurrency = {"MaxConcurrentRuns": 10}
        self._glue.create_job(Name=self._name, Role=ROLE, Command=command, ExecutionProperty=concurrency)

    def execute(self, *names: str) -> tuple[str, str | None]:
        """Run the state machine with a message per name; return how it ended, and its error."""
        definition = Stack(LakeBucket="l", CodeBucket="c", Version="1", Database="d").properties("Loads")["Definition"]
        # `Ref` of a job is its name. Moto's interpreter starts job runs, but fails where it would wait for them.
        text = json.dumps(definition).replace('"JobName": "Job"', f'"JobName": "{self._name}"')
        text = text.replace("glue:startJobRun.sync", "glue:startJobRun")
        machine = self._machines.create_state_machine(name=self._name, definition=text, roleArn=ROLE)
        messages = json.dumps([{"pipeline": name} for name in names])
        started = self._machines.start_execution(
            name=self._name, stateMachineArn=machine["stateMachineArn"], input=messages
        )
        patient_until = time.monotonic() + 30
        while True:
            ended = self._machines.describe_execution(executionArn=started["executionArn"])
            if ended["status"] != "RUNNING":
                return ended["status"], ended.get("error")
            assert time.monotonic() < patient_until
            time.sleep(0.1)

    def loaded(self) -> list[str]:
        """Return the --pipeline of each job run."""
        runs = self._glue.get_job_runs(JobName=self._name)["JobRuns"]
        return sorted(run["Arguments"]["--pipeline"] for run in runs)


@pytest.fixture
def account(moto_url: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Account:
    # Where the interpreter looks for Glue.
    monkeypatch.setenv("MOTO_PORT", moto_url.rpartition(":")[2])
    return Account(moto_url, request.node.name.replace("_", "-")[-40:])


def test_each_feed_gets_one_job_run_however_many_files_came(account: Account) -> None:
    account.create_job()

    assert account.execute("orders", "prices", "orders", "orders") == ("SUCCEEDED", None)

    assert account.loaded() == ["orders", "prices"]


def test_an_execution_fails_where_a_job_run_cannot_be_started(account: Account) -> None:
    assert account.execute("orders", "prices") == ("FAILED", "LoadsFailed")
