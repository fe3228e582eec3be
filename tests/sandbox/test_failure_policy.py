"""Which failures move a file, which count, which stop a run, and which are retried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from tests.harness import FeedHarness, MakeFeed, csv_text
from tests.http_answers import http_answer
from tests.sandbox.conftest import DIVIDED

FEED = """
source: {prefix: data/in/{name}/, ON_FAILURE}
target: {table: "{name}"}
load: {LOAD}
metadata_columns: {run_date: null, file_name: null}
"""
BROKEN_VIEW = 'views: [{schema: reporting, name: "v_{name}", definition: "select no_such_column from {{ target }}"}]\n'
UPSERT, APPEND = "keys: [id]", "mode: append"


def body(load: str, on_failure: str = "") -> str:
    """Return the body of a spec."""
    return FEED.replace("LOAD", load).replace(", ON_FAILURE", f", on_failure: {on_failure}" if on_failure else "")


class Outages:
    """Lets calls of the Data API fail, by the step that is in the StatementName; counts what arrives."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.down: frozenset[str] = frozenset()
        self.denied: frozenset[str] = frozenset()
        self.seen: list[str] = []
        client.meta.events.register("before-send.redshift-data", self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse | None:
        if "ExecuteStatement" not in str(request.headers["X-Amz-Target"]):
            return None
        step = str(request.body).partition('"StatementName": "')[2].partition('"')[0].rpartition("/")[2]
        self.seen.append(step)
        if step in self.down:
            return http_answer(request.url, 503, b'{"__type": "ServiceUnavailable", "message": "no"}')
        if step in self.denied:
            return http_answer(request.url, 400, b'{"__type": "AccessDeniedException", "message": "no"}')
        return None


STEPS = frozenset({"observe", "create_control_schema", "create_ledger", "started", "copy", "merge"})


@pytest.fixture
def outages(sandbox: Any) -> Outages:
    """The Data API as it is, until a test makes it fail."""
    config = Config(retries={"max_attempts": 0})
    return Outages(boto3.session.Session().client("redshift-data", config=config))


@contextmanager
def outage(outages: Outages, *steps: str) -> Iterator[None]:
    """Let these steps find no warehouse."""
    outages.down = frozenset(steps)
    yield
    outages.down = frozenset()


def failed(feed: FeedHarness) -> list[str]:
    """Return the messages of the feed's FAILED rows."""
    return [str(message) for status, message in feed.audit("status, error_message") if status == "FAILED"]


def test_a_warehouse_that_is_down_for_ten_loads_empties_no_inbox(make_feed: MakeFeed, outages: Outages) -> None:
    """Nothing can be written at first; then only the row that says so."""
    feed = make_feed(body(UPSERT, "continue"), redshift_data=outages.client)
    feed.load("0.csv", csv_text("id,a", "0,x"))
    for number in (1, 2, 3):
        feed.land(f"{number}.csv", csv_text("id,a", f"{number},x"))

    with outage(outages, *STEPS, "failed"):
        runs = [feed.run() for _ in range(4)]
    unwritten = failed(feed)
    with outage(outages, "copy", "merge"):
        runs += [feed.run() for _ in range(6)]

    assert [[result.status for result in results] for results in runs] == [["FAILED"]] * 10
    assert len(feed.keys(f"data/in/{feed.name}/")) == 3
    assert unwritten == []
    assert len(failed(feed)) == 6
    assert all(message.startswith("outage: the Data API refused") for message in failed(feed))
    assert [result.status for result in feed.run()] == ["SUCCESS"] * 3
    assert feed.rows("id", "id") == [(0,), (1,), (2,), (3,)]


def test_only_attempts_that_no_outage_ended_are_counted(make_feed: MakeFeed, outages: Outages) -> None:
    feed = make_feed(body(UPSERT), redshift_data=outages.client)
    feed.land(f"{feed.name}.csv", csv_text("id,a", "1,x"))
    outages.denied = frozenset({"merge"})
    pending: list[int] = []

    def run(*down: str) -> None:
        with outage(outages, *down):
            (result,) = feed.run()
        assert result.status == "FAILED"
        pending.append(len(feed.keys(f"data/in/{feed.name}/")))

    run()
    run("started")
    run(*STEPS, "failed")
    run()
    run("observe")
    run()

    assert pending == [1, 1, 1, 1, 1, 0]
    assert len(feed.keys("data/unprocessed/")) == 1
    assert sum(message.startswith("outage: ") for message in failed(feed)) == 2
    assert len(failed(feed)) == 5


def test_a_file_waits_for_a_correct_spec_however_often_it_is_run(make_feed: MakeFeed) -> None:
    feed = make_feed(body(UPSERT) + BROKEN_VIEW)
    key = feed.land(f"{feed.name}.csv", csv_text("id,a", "1,x"))

    results = [result for _ in range(5) for result in feed.run()]

    assert {result.failure and result.failure.type for result in results} == {"SpecError"}
    assert len(failed(feed)) == 5
    assert feed.keys("data/in/") == [key]
    feed.spec_body = body(UPSERT)
    assert [result.status for result in feed.run()] == ["SUCCESS"]


def test_a_permanent_fault_is_tried_once_and_one_that_may_pass_as_often_as_the_environment_says(
    make_feed: MakeFeed, outages: Outages
) -> None:
    feed = make_feed(body(UPSERT), redshift_data=outages.client)
    feed.load("0.csv", csv_text("id,a", "0,x"))
    outages.seen.clear()
    feed.sql(f"alter table {feed.table} rename to {feed.name}_away")
    feed.sql(f"create view {feed.table} as select 1 as id")

    refused = feed.load("1.csv", csv_text("id,a", "1,x"))
    permanent = [step for step in outages.seen if step]
    outages.seen.clear()
    with outage(outages, "observe"):
        (unreachable,) = feed.run()

    assert refused.failure is not None
    assert "is a view" in refused.failure.message
    # The invocation's own attempt, and the load's.
    assert permanent == ["observe"] * 2 + ["failed"]
    assert unreachable.failure is not None
    assert outages.seen == ["observe"] * (1 + 3) + ["failed"]


@pytest.mark.parametrize(
    ("load", "on_failure", "loaded"),
    [
        (UPSERT, "continue", ["SUCCESS", "FAILED", "SUCCESS"]),
        (f"{UPSERT}, order_by: [a]", "", ["SUCCESS", "FAILED", "SUCCESS"]),
        (APPEND, "stop", ["SUCCESS", "FAILED"]),
    ],
)
def test_whether_later_files_go_on_after_a_failed_one(
    make_feed: MakeFeed, load: str, on_failure: str, loaded: list[str]
) -> None:
    feed = make_feed(body(load, on_failure))
    for number, content in enumerate(("1,5", "1,6,7", "1,8")):
        feed.land(f"{number}.csv", csv_text("id,a", content))

    results = feed.run()

    assert [result.status for result in results] == loaded
    assert len(feed.keys(f"data/in/{feed.name}/")) == 3 - len(loaded)
    assert sorted(status for (status,) in feed.audit("status") if status != "STARTED") == sorted(loaded)


def test_a_conflict_with_others_counts_as_an_attempt_and_holds_up_no_later_file(
    make_feed: MakeFeed, outages: Outages
) -> None:
    """A statement that is cancelled each time may be the file's fault, so it must not stay pending for ever."""
    feed = make_feed(body(UPSERT, "continue"), redshift_data=outages.client, environment=DIVIDED)
    feed.load("0.csv", csv_text("id,a", "0,x"))
    feed.land(f"{feed.name}_1.csv", csv_text("id,a", "1,x"))
    feed.land(f"{feed.name}_2.csv", csv_text("id,a", "2,x"))
    cancelled: set[str] = set()

    def cancel(parsed: Any, **_: Any) -> None:
        name = parsed.get("Id")
        if name in cancelled:
            parsed |= {"Status": "FAILED", "Error": "ERROR: Query cancelled by WLM abort action", "SubStatements": []}

    def remember(parsed: Any, **_: Any) -> None:
        if outages.seen[-1] == "copy" and copies.pop(0):
            cancelled.add(parsed["Id"])
            parsed.pop("Status", None)

    events = outages.client.meta.events
    events.register("after-call.redshift-data.BatchExecuteStatement", remember)
    events.register("after-call.redshift-data.DescribeStatement", cancel)
    copies = [True] * 3 + [False]
    first = feed.run()
    copies = [True] * 3
    second = feed.run()
    copies = [True] * 3
    third = feed.run()

    assert [result.status for result in first] == ["FAILED", "SUCCESS"]
    assert [result.status for result in second + third] == ["FAILED", "FAILED"]
    assert feed.keys(f"data/in/{feed.name}/") == []
    assert len(feed.keys("data/unprocessed/")) == 1
