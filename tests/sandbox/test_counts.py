"""What a load costs, by count: submissions to the warehouse, API calls that submit, calls of S3."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.handlers
import pytest

from tests.harness import FeedHarness, MakeFeed, csv_text, new_name, run_together, tagged_spec
from tests.sandbox.conftest import MINIMAL

STATEMENTS_OF_A_LOAD = 14
STATEMENTS_OF_AN_OBSERVATION = 13


class SubmissionCounter:
    """Counts the calls of a boto3 client that submit statements, and the statements, by botocore's own events."""

    def __init__(self, client: Any) -> None:
        self.names: list[str] = []
        self.statements = 0
        for operation in ("ExecuteStatement", "BatchExecuteStatement"):
            client.meta.events.register(f"before-call.redshift-data.{operation}", self._count)

    def _count(self, model: Any, params: Any, **_: Any) -> None:
        self.names.append(model.name)
        self.statements += len(json.loads(params["body"]).get("Sqls", [""]))


@contextmanager
def counted_calls(client: Any, service: str = "s3") -> Iterator[Counter[str]]:
    """Yield the calls that a client makes within the block, by operation."""
    calls = Counter[str]()

    def count(model: Any, **_: Any) -> None:
        calls[model.name] += 1

    client.meta.events.register(f"before-call.{service}", count)
    yield calls
    client.meta.events.unregister(f"before-call.{service}", count)


def test_a_load_of_a_small_file_without_drift_makes_thirteen_calls_of_s3(
    make_feed: MakeFeed, embedded_engine: Any, s3: Any
) -> None:
    feed = make_feed(frames=embedded_engine)
    feed.load("1.csv", csv_text("id,a,b", "1,x,1.5", "2,y,2.5"))
    # A name that no other file in the archive has.
    feed.land(f"{feed.name}.csv", csv_text("id,a,b", "2,z,3.5", "3,w,4.5"))

    with counted_calls(s3) as calls:
        (result,) = feed.run()

    assert result.status == "SUCCESS"
    assert calls == {
        "ListObjectsV2": 3,  # the inbox, the heartbeats of other runs, what this run leaves
        "PutObject": 4,  # heartbeat, rows, manifest, log
        "HeadObject": 2,  # the file before it is copied, the copy
        "GetObject": 1,
        "CopyObject": 1,
        "DeleteObject": 1,
        "DeleteObjects": 1,
    }


def test_feeds_of_an_invocation_share_what_is_not_a_load_of_its_own(
    make_feed: MakeFeed, embedded_engine: Any, s3: Any, redshift_data: Any
) -> None:
    feeds = [make_feed(frames=embedded_engine) for _ in range(8)]
    for feed in feeds:
        feed.load("1.csv", csv_text("id,a,b", "1,x,1.5", "2,y,2.5"))
        feed.land(f"{feed.name}.csv", csv_text("id,a,b", "2,z,3.5", "3,w,4.5"))
    counter = SubmissionCounter(redshift_data)

    with counted_calls(s3) as calls, counted_calls(redshift_data, "redshift-data") as data_api:
        results = run_together(feeds)

    assert [result.status for result in results] == ["SUCCESS"] * 8
    assert calls == {
        "ListObjectsV2": 8 + 2,  # each inbox; what is in staging, before and after
        "PutObject": 3 * 8 + 1,  # rows, manifest, log; the heartbeat
        "HeadObject": 2 * 8,
        "GetObject": 8,
        "CopyObject": 8,
        "DeleteObject": 8,
        "DeleteObjects": 1,
    }
    # The observation, the starts of four loads each, and the loads.
    assert len(counter.names) == 1 + 2 + 8
    observed = counter.statements - 2 - 8 * STATEMENTS_OF_A_LOAD
    assert observed == STATEMENTS_OF_AN_OBSERVATION
    # Each load fetches its counts. A statement that takes longer than the service waits is described.
    assert data_api["DescribeStatement"] <= len(counter.names)
    assert data_api["GetStatementResult"] <= 8 + STATEMENTS_OF_AN_OBSERVATION


def test_feeds_with_nothing_to_load_cost_a_listing_each_and_one_in_all(
    feed: FeedHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [new_name("idle") for _ in range(3)]
    for name in others:
        feed.write(f"pipelines/{name}.yml", tagged_spec(name))
    calls = Counter[tuple[str, str]]()

    def note(model: Any, params: dict[str, Any], **_: Any) -> None:
        # What other tests have left may take a second page.
        if "continuation-token" not in params["query_string"]:
            calls[model.service_model.service_name, model.name] += 1

    # Of every client made from here on.
    handlers = [*botocore.handlers.BUILTIN_HANDLERS, ("before-call", note)]
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", handlers)

    assert feed.command("run", feed.name, *others)[0] == 0
    # Each inbox, the staging folder, and what is set aside.
    assert calls["s3", "ListObjectsV2"] == 4 + 2
    assert not [call for call in calls if call[0] == "redshift-data"]


@pytest.mark.parametrize("is_taken", [False, True])
def test_each_file_of_a_batch_makes_five_calls_of_s3_and_two_more_where_its_name_is_taken(
    make_feed: MakeFeed, embedded_engine: Any, s3: Any, is_taken: bool
) -> None:
    spec = MINIMAL.replace("/}", "/, batch: all}", 1)
    feed = make_feed(spec, frames=embedded_engine)
    names = [f"{feed.name}_{number}.csv" for number in range(5)]
    if is_taken:
        for name in names:
            feed.land(name, csv_text("id,a", "1,x"))
        feed.run()
    for number, name in enumerate(names):
        feed.land(name, csv_text("id,a", f"{number},y"))

    with counted_calls(s3) as calls:
        results = feed.run()

    assert [result.status for result in results] == ["SUCCESS"] * 5
    assert calls == {
        "ListObjectsV2": 3,
        "PutObject": 4,
        "HeadObject": 3 * 5 if is_taken else 2 * 5,
        "GetObject": 5,
        "CopyObject": 2 * 5 if is_taken else 5,
        "DeleteObject": 5,
        "DeleteObjects": 1,
    }


def test_several_files_are_observed_once(make_feed: MakeFeed, redshift_data: Any) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a", "1,x"))
    for number in (2, 3, 4):
        feed.land(f"{number}.csv", csv_text("id,a", f"{number},x"))
    counter = SubmissionCounter(redshift_data)

    results = feed.run()

    assert [result.status for result in results] == ["SUCCESS"] * 3
    assert len(counter.names) == 1 + 3 * 2
