"""No value of a file is sent: every kind of failure is caused, and all payloads are searched for its values."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet
import pytest

from framework.cli import main
from tests.harness import new_name
from tests.receiver import Receiver, receiving

MARK = "confidential"
NUMBER = "918273645"
"""Marks values that have to be numbers."""
FORMATS = ("json", "slack", "teams")
ENVIRONMENT = """\
environments:
  {name}:
    lake: {{bucket: lake, region: us-east-1}}
    warehouse: {{workgroup: sandbox, database: dev}}
    engine: embedded
    retry: {{attempts: 1, delay_seconds: 0}}
    notify:
      on: [failure, refusal, late, warning, success]
      webhook: {webhooks}
      sns: {topic}
      event_bus: {name}
      metrics_namespace: {name}
"""
UPSERT = "load: {keys: [id]}\n"
APPEND = "load: {mode: append}\n"
INTEGER = "types: {columns: {a: integer}}\n"


@dataclass(frozen=True)
class Case:
    """Files that a feed loads in order; each value is marked. `kind` is what is reported of the last one."""

    spec: str
    files: tuple[str | bytes, ...]
    kind: str = "failure"


def damaged_parquet() -> bytes:
    """Return a file whose text is no UTF-8."""
    content = f"{MARK}\udcff".encode("utf-8", "surrogateescape")
    offsets = pa.py_buffer(bytes(4) + len(content).to_bytes(4, "little"))
    text = pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(content)])
    sink = io.BytesIO()
    pa.parquet.write_table(pa.table({"id": text, "a": text}), sink)
    return sink.getvalue()


CASES = {
    "a_value_of_another_type": Case(UPSERT + INTEGER, (f"id,a\n1,{MARK}\n",)),
    "many_values_of_another_type": Case(UPSERT + INTEGER, ("id,a\n" + f"1,{MARK}\n" * 300,)),
    "a_number_that_is_too_big": Case(UPSERT + "types: {columns: {a: smallint}}\n", (f"id,a\n1,{NUMBER}\n",)),
    "a_text_that_is_too_long": Case(UPSERT + "types: {columns: {a: varchar(3)}}\n", (f"id,a\n1,{MARK}\n",)),
    "a_date_that_is_none": Case(UPSERT + "types: {columns: {a: date}}\n", (f"id,a\n1,{MARK}\n",)),
    "json_that_is_none": Case(UPSERT + "types: {columns: {a: super}}\n", (f"id,a\n1,{{{MARK}\n",)),
    "a_key_without_value": Case(UPSERT, (f"id,a\n,{MARK}\n",)),
    "a_row_with_another_width": Case(UPSERT, (f"id,a\n{MARK},{MARK},{MARK}\n",)),
    "a_row_in_quarantine": Case(
        UPSERT + INTEGER + "bad_rows: {action: quarantine, max_rows: 5}\n", (f"id,a\n1,{MARK}\n2,3\n",), "warning"
    ),
    "a_duplicate_key": Case("load: {keys: [id], duplicates: reject}\n", (f"id,a\n{MARK},{MARK}\n{MARK},{MARK}2\n",)),
    "open_quotes": Case(UPSERT, (f'id,a\n1,"{MARK}\n',)),
    "text_behind_quotes": Case(UPSERT, (f'id,a\n1,"{MARK}"{MARK}\n',)),
    "quotes_in_the_header": Case(UPSERT, (f'id,"a"{MARK}\n1,2\n',)),
    "bytes_of_another_encoding": Case(UPSERT, (f"id,a\n1,{MARK}\xe9\n".encode("latin-1"),)),
    "a_nul": Case(UPSERT, (f"id,a\n1,{MARK}\0\n",)),
    "no_header_and_no_key": Case("load: {keys: [id]}\n", (f"{MARK}1,{MARK}2\n{MARK}3,{MARK}4\n",)),
    "no_header_and_a_distkey": Case(APPEND, (f"{MARK}1,{MARK}2\n{MARK}3,{MARK}4\n",)),
    "a_header_that_looks_like_data": Case(APPEND, (f"{MARK},{NUMBER}\n{MARK},{NUMBER}\n",)),
    "no_header_and_a_table": Case(APPEND, ("b,c\nx,y\n", f"{MARK}1,{MARK}2\n{MARK}3,{MARK}4\n")),
    "another_delimiter": Case(UPSERT, (f"id;a\n{MARK};{MARK}\n{MARK}2;{MARK}\n",)),
    "headers_of_one_name": Case(APPEND, (f"b,x y,x-y\n{MARK},{MARK},{MARK}\n",), "warning"),
    "words_for_null": Case(UPSERT, ("id,a\n1,5\n2,N/A\n3,7\n",), "warning"),
    "a_wider_number": Case(UPSERT, ("id,a\n1,5\n", f"id,a\n1,{NUMBER}{NUMBER}\n"), "success"),
    "a_number_that_may_not_grow": Case(
        UPSERT + "evolution: {wider_values: reject}\n", ("id,a\n1,5\n", f"id,a\n1,{NUMBER}{NUMBER}\n")
    ),
    "numbers_that_become_text": Case(
        UPSERT + "evolution: {type_conflicts: to_text}\n", ("id,a\n1,5\n", f"id,a\n1,{MARK}\n"), "success"
    ),
    "a_conflict_of_types": Case(UPSERT, ("id,a\n1,5\n", f"id,a\n1,{MARK}\n")),
    "text_instead_of_json": Case("load: {keys: [id]}\n", (f"{MARK} {MARK}\n",)),
    "json_cut_off": Case(UPSERT, (f'{{"id": "{MARK}", "a": "{MARK}"}}\n{{"id": "{MARK}", "a": {MARK}}}\n',)),
    "a_json_key_twice": Case(UPSERT, (f'{{"id": "1", "a": {{"{MARK}": 1, "{MARK}": 2}}}}\n',)),
    "an_array_cut_off": Case(UPSERT, (f'[{{"id": "{MARK}", "a": "{MARK}"}}, {{"id": "{MARK}", {MARK}\n',)),
    "parquet_that_is_no_text": Case(UPSERT, (damaged_parquet(),)),
    "fewer_rows_than_before": Case(
        "load: {mode: replace}\n", (f"id,a\n1,{MARK}\n2,{MARK}\n3,{MARK}\n", f"id,a\n1,{MARK}\n")
    ),
    "a_column_that_is_gone": Case("load: {mode: replace}\n", (f"id,a\n1,{MARK}\n", f"id,b\n1,{MARK}\n")),
}
SPECIAL = {
    "no_header_and_a_distkey": ("target: {table", "target: {distkey: id, table"),
    "text_instead_of_json": ("source: {", "source: {format: json, "),
}
"""What a feed's spec has instead."""


@dataclass
class Sent:
    """What left the account in one command, by target."""

    receivers: dict[str, Receiver]
    queue: Any
    queue_url: str
    cloudwatch: Any
    namespace: str

    def payloads(self) -> dict[str, str]:
        """Return all texts that were sent."""
        found = {name: b"\n".join(each.bodies).decode() for name, each in self.receivers.items()}
        bodies = []
        while got := self.queue.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in got:
                bodies.append(message["Body"])
                self.queue.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        metrics = self.cloudwatch.list_metrics(Namespace=self.namespace)["Metrics"]
        return found | {"topic and bus": "\n".join(bodies), "metrics": json.dumps(metrics)}


@pytest.fixture(scope="module")
def sent(sandbox: Any, s3: Any, moto_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """All that is sent when each case has been loaded, file after file; the last files in two commands."""
    root = tmp_path_factory.mktemp("notified")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for service in ("CLOUDWATCH", "EVENTBRIDGE", "SNS"):
            patch.setenv(f"AWS_ENDPOINT_URL_{service}", moto_url)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        receivers = {each: stack.enter_context(receiving()) for each in FORMATS}
        watched = _listen(root, receivers, moto_url)
        names = {case: new_name(case[:24]) for case in CASES}
        for case, name in names.items():
            _write_spec(root, name, case)
        for turn in range(2):
            for case, name in names.items():
                files = CASES[case].files
                # A case of one file has its turn in the second command.
                if turn - (2 - len(files)) >= 0:
                    content = files[turn - (2 - len(files))]
                    body = content.encode() if isinstance(content, str) else content
                    s3.put_object(Bucket="lake", Key=f"data/in/{name}/{turn}.dat", Body=body)
            for receiver in receivers.values():
                receiver.bodies.clear()
            # Two commands: what Teams takes at a time has no room for all cases.
            every = list(names.values())
            for part in (every[::2], every[1::2]):
                main(["--project", str(root), "--env", watched.namespace, "run", *part])
        yield watched.payloads() | {f"name of {case}": name for case, name in names.items()}


def _write_spec(root: Path, name: str, case: str) -> None:
    text = f"pipeline: {name}\nsource: {{prefix: data/in/{name}/}}\ntarget: {{table: {name}}}\n{CASES[case].spec}"
    old, new = SPECIAL.get(case, ("", ""))
    (root / "pipelines").mkdir(exist_ok=True)
    (root / "pipelines" / f"{name}.yml").write_text(text.replace(old, new) if old else text, encoding="utf-8")


def _listen(root: Path, receivers: dict[str, Receiver], moto_url: str) -> Sent:
    """Write the environment, and make what listens to it."""
    name = new_name("notified").replace("_", "-")
    sns, events, sqs, cloudwatch = (
        boto3.client(each, endpoint_url=moto_url, region_name="us-east-1")
        for each in ("sns", "events", "sqs", "cloudwatch")
    )
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    events.create_event_bus(Name=name)
    events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": ["feedway"]}))
    events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "queue", "Arn": arn}])
    hooks = ", ".join(f"{{url: '{each.url}', format: {form}}}" for form, each in receivers.items())
    text = ENVIRONMENT.format(name=name, topic=topic, webhooks=f"[{hooks}]")
    (root / "environments.yml").write_text(text, encoding="utf-8")
    return Sent(receivers, sqs, url, cloudwatch, name)


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("case", CASES)
def test_each_kind_of_result_is_reported(sent: dict[str, str], case: str) -> None:
    name = sent[f"name of {case}"]
    notices = [notice for body in sent["json"].splitlines() for notice in json.loads(body)["notices"]]
    found = [notice for notice in notices if notice["pipeline"] == name]

    assert CASES[case].kind in [notice["kind"] for notice in found], found
    for payload in ("slack", "teams", "topic and bus", "metrics"):
        assert name in sent[payload], payload


@pytest.mark.parametrize("payload", [*FORMATS, "topic and bus", "metrics"])
@pytest.mark.parametrize("mark", [MARK, NUMBER, "N/A"])
def test_no_payload_holds_a_value(sent: dict[str, str], payload: str, mark: str) -> None:
    place = sent[payload].find(mark)

    assert place < 0, sent[payload][max(0, place - 300) : place + 100]
