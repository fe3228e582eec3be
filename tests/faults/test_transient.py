"""What passes by itself fails no load and doubles nothing; what does not pass is not retried."""

from __future__ import annotations

import io
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from framework.cli.wiring import sandbox_clients
from framework.log.retries import log_retries_to
from framework.log.run_log import RunLog
from framework.sandbox import SandboxAddress
from tests.faults.crashing_process import CrashingProcess
from tests.faults.fault_injector import FaultInjector, refuse
from tests.faults.scenarios import SCENARIOS, World, another_run, look, open_feed
from tests.harness import FeedHarness, MakeFeed, csv_text

RATE = 0.08
CONCURRENT = 8
_RETRIES = (
    "retrying AWS call",
    "retrying after a transient failure",
    "each load does this for itself",
    "the shared record of the start failed",
)
"""The log's entries on a call that is repeated, by the client, the load, or the load for its invocation."""
GOOD = [scenario for scenario in SCENARIOS if scenario.name != "bad"]


def test_loads_through_transient_faults_all_succeed_and_double_nothing(
    s3: Any, redshift_data: Any, embedded_engine: Any, request: pytest.FixtureRequest
) -> None:
    loads, scenarios = (200, GOOD) if request.config.getoption("--exhaustive") else (10, GOOD[1:3])
    undisturbed: dict[str, World] = {}
    for scenario in scenarios:
        feed = open_feed(scenario, s3, redshift_data, embedded_engine)
        feed.run()
        undisturbed[scenario.name] = look(feed)

    def load(seed: int) -> Counter[str]:
        scenario = scenarios[seed % len(scenarios)]
        feed = open_feed(scenario, s3, redshift_data, embedded_engine)
        met, retries = _run_through(FaultInjector(seed, RATE), feed)
        assert look(feed) == undisturbed[scenario.name], f"seed {seed}"
        assert sum(met.values()) - met["slow"] <= retries, f"seed {seed}: {met}, {retries} logged"
        return met

    with ThreadPoolExecutor(CONCURRENT) as pool:
        met = sum(pool.map(load, range(loads)), Counter[str]())
    assert len(met) == 8 or loads < 200, met
    assert sum(met.values()) > loads


def _run_through(injector: FaultInjector, feed: FeedHarness) -> tuple[Counter[str], int]:
    """Run a feed under faults; return the faults it met and the retries in its log."""
    process = CrashingProcess()
    with process.frames() as frames:
        run = another_run(feed, process.s3, process.redshift_data, frames, base=0x400)
        injector.attach(process.s3)
        injector.attach(process.redshift_data)
        results = run.run()
    assert [result.failure.message for result in results if result.failure] == []
    shown = [entry for entry in run.entries() if entry["msg"] in _RETRIES]
    return injector.met, len(shown)


def test_the_clients_of_a_command_log_their_retries(sandbox: SandboxAddress) -> None:
    client, injector, stream = sandbox_clients(sandbox)("s3", None), FaultInjector(seed=9, rate=1), io.StringIO()
    injector.attach(client)

    with log_retries_to(RunLog("run-1", "customers", stream)):
        client.list_objects_v2(Bucket="lake", Prefix="nothing/")

    shown = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {(entry["level"], entry["msg"], entry["operation"]) for entry in shown} == {
        ("warning", "retrying AWS call", "s3.ListObjectsV2")
    }
    assert len(shown) == sum(injector.met.values()) - injector.met["slow"]
    assert all(entry["reason"] for entry in shown)


@pytest.mark.parametrize(
    ("service", "operation", "status", "code"),
    [
        ("s3", "PutObject", 403, "AccessDenied"),
        ("s3", "GetObject", 403, "AccessDenied"),
        ("redshift-data", "BatchExecuteStatement", 400, "ValidationException"),
        ("redshift-data", "ExecuteStatement", 400, "AccessDeniedException"),
    ],
)
def test_a_refusal_for_good_is_not_retried(
    make_feed: MakeFeed, service: str, operation: str, status: int, code: str
) -> None:
    feed = make_feed()
    feed.land("1.csv", csv_text("id,a", "1,x"))
    process = CrashingProcess()
    refused = refuse(process.s3 if service == "s3" else process.redshift_data, operation, status, code)
    with process.frames() as frames:
        run = another_run(feed, process.s3, process.redshift_data, frames, base=0x400)
        (result,) = run.run()

    assert result.failure is not None
    assert code in result.failure.message
    # A heartbeat that the invocation cannot write is attempted once more by its load.
    most = 2 if operation == "PutObject" else 1
    assert 0 < max(Counter(refused).values()) <= most
    assert not [entry for entry in run.entries() if "again" in str(entry["msg"])]
    assert len(feed.keys(f"data/in/{feed.name}/")) == 1


@pytest.mark.parametrize("step", ["log_growth", "add_column", "grant_on_relation", "insert_rows"])
def test_a_submission_that_is_refused_as_a_whole_is_made_once_and_blames_nothing_else(
    make_feed: MakeFeed, step: str
) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a", "1,x"))
    if step == "grant_on_relation":
        feed.spec_body += "\ngrants: {select: [public]}"
        feed.land("2.csv", csv_text("id,a", "2,y"))
    else:
        header, row = ("id,a,b", "2,y,3") if step == "add_column" else ("id,a", "2," + "y" * 300)
        feed.land("2.csv", csv_text(header, row))
    process = CrashingProcess()
    refused = refuse(process.redshift_data, "*", 400, "AccessDeniedException", f" {step}\\n")
    with process.frames() as frames:
        run = another_run(feed, process.s3, process.redshift_data, frames, base=0x400)
        (result,) = run.run()

    assert result.failure is not None
    assert (result.failure.type, len(refused)) == ("WarehouseError", 1)
    assert "AccessDeniedException" in result.failure.message
    assert [entry["msg"] for entry in run.entries() if entry["msg"] == "staged"] == ["staged"]
    assert len(feed.keys(f"data/in/{feed.name}/")) == 1
