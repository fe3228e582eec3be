"""Ctrl-C and SIGTERM while feeds are being staged: the real command, as a process that is signalled."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pyte
import pytest

from framework.load.pipeline import run_pipeline
from framework.load.request import Pending
from framework.log.run_log import RunLog
from framework.model.names import TableName
from framework.plan.steps import Statement, Transaction
from framework.sandbox import SandboxAddress
from framework.warehouse.client import Caller as StatementCaller
from framework.warehouse.client import Warehouse
from framework.warehouse.rate_limit import RateLimiter
from tests.harness import MakeFeed, new_name
from tests.receiver import receiving
from tests.sandbox.conftest import ENVIRONMENT as SANDBOX
from tests.sandbox.data_api_caller import ENDLESS, Caller
from tests.slow_s3 import slow_s3

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
FEEDS = 3
ENVIRONMENT = """\
environments:
  pipe:
    kind: aws
    lake: {{bucket: lake, region: us-east-1}}
    warehouse: {{workgroup: sandbox, database: dev, copy_role: default, control_schema: {schema}}}
    engine: embedded
    embedded: {{directory: {folder}}}
    parallel: 2
"""
SPEC = """\
pipeline: {name}
source: {{prefix: data/in/{name}/}}
target: {{table: {name}}}
load: {{keys: [id]}}
types: {{columns: {{id: bigint, a: varchar(100)}}}}
"""


class Site:
    """A project of three feeds, two at a time, with a file each, of which S3 never gives the end."""

    def __init__(self, root: Path, s3: Any, sql: Any, pipe: str, address: SandboxAddress) -> None:
        self.root, self.s3, self.sql = root, s3, sql
        self.schema = new_name("interrupted")
        self.rows = root / "rows"
        self.environment = address.aws_environment() | {"AWS_ENDPOINT_URL_S3": pipe, "PATH": "/usr/bin:/bin"}
        (root / "pipelines").mkdir()
        text = ENVIRONMENT.format(schema=self.schema, folder=self.rows)
        (root / "environments.yml").write_text(text, encoding="utf-8")
        self.names = [new_name("held") for _ in range(FEEDS)]
        content = b"id,a\n" + b"".join(b"%d,%090d\n" % (number, number) for number in range(300_000))
        for name in self.names:
            (root / "pipelines" / f"{name}.yml").write_text(SPEC.format(name=name), encoding="utf-8")
            s3.put_object(Bucket="lake", Key=f"data/in/{name}/1.csv", Body=content)

    def start(self, *names: str, **streams: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-X", "faulthandler", str(ROOT / "run.py")]
        argv = [*command, "--project", str(self.root), "--env", "pipe", "run", *names]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        # A shell that runs its jobs in the background starts them with SIGINT ignored, and tests with them.
        return subprocess.Popen(
            argv,
            env=self.environment,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
            **streams,
        )

    def await_fetching(self, process: subprocess.Popen[str], feeds: int) -> None:
        """Wait until so many feeds read the rows of a file."""
        patient_until = time.monotonic() + 30
        while len(list(self.rows.glob("*/load-*"))) < feeds:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < patient_until
            time.sleep(0.02)

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])
        return [item["Key"] for item in found]


@pytest.fixture
def site(tmp_path: Path, s3: Any, redshift_data: Any, sandbox: SandboxAddress) -> Iterator[Site]:
    with slow_s3(sandbox.s3_url, 4 * 1024**2, stalls_after=6 * 1024**2) as pipe:
        yield Site(tmp_path, s3, Caller(redshift_data, s3).rows, pipe, sandbox)


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what the process has printed when it has ended; where it does not, show what its threads do."""
    try:
        return process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        pytest.fail("\n".join(process.communicate()))


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [(signal.SIGINT, 130, "interrupted by the user"), (signal.SIGTERM, 143, "terminated by SIGTERM")],
    ids=["ctrl-c", "sigterm"],
)
def test_feeds_that_stage_end_immediately_and_leave_nothing(
    site: Site, number: signal.Signals, code: int, message: str
) -> None:
    process = site.start("--all")
    site.await_fetching(process, 2)

    process.send_signal(number)
    out, err = ended(process)

    assert process.returncode == code, out + err
    assert err.endswith(f"\n{message.split()[0]}; files that were not loaded stay where they are\n")
    assert "Traceback" not in err
    begun = sorted(site.names)[:2]
    audit = site.sql(f"select pipeline, status, error_message from {site.schema}.job_sts order by 1, 2")
    assert audit == [row for name in begun for row in ((name, "FAILED", message), (name, "STARTED", None))]
    for name in site.names:
        assert site.keys(f"data/in/{name}/") == [f"data/in/{name}/1.csv"]
        assert site.keys(f"staging/{name}/") == []
        assert len(site.keys(f"logs/{name}/")) == (name in begun)
    assert list(site.rows.iterdir()) == []
    tables = site.sql(f"select distinct table_name from svv_columns where table_schema = '{site.schema}'")
    assert not [name for (name,) in tables if name.startswith("stage")]


def test_a_single_feed_ends_likewise(site: Site) -> None:
    process = site.start(site.names[0])
    site.await_fetching(process, 1)

    process.send_signal(signal.SIGTERM)
    ended(process)

    assert process.returncode == 143
    assert site.keys(f"staging/{site.names[0]}/") == []
    assert list(site.rows.iterdir()) == []


def test_what_had_failed_by_then_is_reported_and_a_hanging_server_is_given_up(site: Site) -> None:
    with receiving("hang") as receiver:
        environment = site.root / "environments.yml"
        notify = f"    notify: {{webhook: '{receiver.url}'}}\n"
        environment.write_text(environment.read_text(encoding="utf-8") + notify, encoding="utf-8")
        (site.root / "pipelines" / "broken.yml").write_text("pipeline: [", encoding="utf-8")
        process = site.start("--all")
        site.await_fetching(process, 2)
        begun = time.monotonic()

        process.send_signal(signal.SIGTERM)
        _, err = ended(process)

        assert process.returncode == 143, err
        assert time.monotonic() - begun < 5 + 5
        assert [notice["pipeline"] for notice in receiver.json()["notices"]] == ["broken"]
        assert "webhook 1 was not notified" in err


def test_a_command_that_waits_for_its_observation_ends_and_cancels_it(site: Site, sandbox: SandboxAddress) -> None:
    name = site.names[0]
    table = f"{site.schema}.job_sts"
    alive = site.keys("staging/_alive/")
    with psycopg.connect(sandbox.database_url) as holder:
        holder.execute(f"create schema {site.schema}; create table {table} (a integer); commit".encode())
        holder.execute(f"lock table {table}".encode())
        process = site.start(name, site.names[1])
        await_waiting(sandbox, table)

        process.send_signal(signal.SIGINT)
        _, err = ended(process)

        assert process.returncode == 130, err
        assert waiting(sandbox, table) == 0
    assert site.keys("data/in/" + name) == [f"data/in/{name}/1.csv"]
    assert site.keys("staging/_alive/") == alive


def waiting(sandbox: SandboxAddress, table: str) -> int:
    query = "select count(*) from pg_locks where not granted and relation = %s::regclass"
    with psycopg.connect(sandbox.database_url) as connection:
        (found,) = connection.execute(query, (table,)).fetchall()
    return int(found[0])


def await_waiting(sandbox: SandboxAddress, table: str) -> None:
    patient_until = time.monotonic() + 30
    while waiting(sandbox, table) == 0:
        assert time.monotonic() < patient_until
        time.sleep(0.05)


def test_what_was_loaded_before_is_in_the_result(site: Site) -> None:
    name, result = site.names[0], site.root / "result.json"
    key = f"data/in/{name}/0.csv"
    # By its name it is the first; the other one is held.
    site.s3.put_object(Bucket="lake", Key=key, Body=b"id,a\n1,x\n")
    spec = site.root / "pipelines" / f"{name}.yml"
    spec.write_text(SPEC.format(name=name).replace("{prefix", "{order: name, prefix"), encoding="utf-8")
    process = site.start(name, "--output", "json", "--result", str(result))
    patient_until = time.monotonic() + 30
    while key in site.keys(f"data/in/{name}/"):
        assert time.monotonic() < patient_until
        time.sleep(0.05)
    site.await_fetching(process, 1)

    process.send_signal(signal.SIGTERM)
    out, _ = ended(process)

    assert process.returncode == 143
    document = json.loads(out)
    assert [(load["source_file"], load["status"]) for load in document["loads"]] == [(key, "SUCCESS")]
    assert document["summary"]["stopped"] == [name]
    assert document["summary"]["retry"] == [f"feedway --project {site.root} --env pipe run {name}"]
    assert result.read_text(encoding="utf-8") == out


def test_a_terminal_shows_how_far_staging_is_and_keeps_nothing_of_it(site: Site) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, 100))
    process = site.start(*site.names, "--output", "text", stderr=theirs, stdout=theirs)
    os.close(theirs)
    screen = pyte.Screen(100, 24)
    stream = pyte.ByteStream(screen)
    working = re.compile(r"held_\d+  stage +(\d+)%  0 rows +\d.* of 27\.9 MB +\d:\d\d( left)?")

    def shown() -> list[str]:
        return [line.rstrip() for line in screen.display if line.strip()]

    def is_staging() -> bool:
        found = [working.fullmatch(line) for line in shown()[:2]]
        return len([match for match in found if match]) == 2 and any(int(match[1]) for match in found if match)

    while not is_staging():
        stream.feed(os.read(ours, 1000))
    assert shown()[2:] == ["0 of 3 feeds done"]
    process.send_signal(signal.SIGTERM)
    with suppress(OSError):
        while rest := os.read(ours, 1000):
            stream.feed(rest)
    os.close(ours)

    assert process.wait() == 143
    *feeds, end = shown()
    assert sorted(feeds) == [f"{name}: interrupted" for name in site.names[:2]]
    assert end == "terminated; files that were not loaded stay where they are"


def test_interruptions_never_empty_an_inbox(make_feed: MakeFeed) -> None:
    """A failure counts towards max_attempts, which is three; whoever interrupts has not judged the file."""
    feed = make_feed()
    key = feed.land("1.csv", "id\n1\n")

    def interrupt(batch: object) -> NoReturn:
        raise KeyboardInterrupt("interrupted by the user")

    for _ in range(4):
        services = replace(feed.services(), frames=interrupt)
        with pytest.raises(KeyboardInterrupt):
            list(run_pipeline(feed.spec(), services, Pending()))

    assert feed.keys("data/") == [key]
    assert feed.audit("status, error_message").count(("FAILED", "interrupted by the user")) == 4


def test_a_statement_of_an_interrupted_run_is_cancelled(redshift_data: Any, s3: Any) -> None:
    def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        if len(sleeps) == 1:
            raise KeyboardInterrupt
        time.sleep(seconds)

    sleeps: list[float] = []
    warehouse = Warehouse(redshift_data, SANDBOX.warehouse, SANDBOX.retry, RateLimiter({}), sleep)
    name = new_name("endless")
    Caller(redshift_data, s3).do(f"create view public.{name} as {ENDLESS}")
    endless = Transaction("count", (Statement("select_staging_count", {"staging": TableName("public", name)}),))

    with pytest.raises(KeyboardInterrupt):
        warehouse.run(endless, StatementCaller("p", name), RunLog(name, "p", None))
    (found,) = redshift_data.list_statements(StatementName=f"feedway/p/{name}/", Status="ALL")["Statements"]
    assert found["Status"] == "ABORTED"
