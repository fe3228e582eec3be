"""The process of a run is killed, and what it had submitted may still run."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from framework.model.names import TableName, ledger_table
from framework.sandbox import SandboxAddress
from tests.faults.crashing_process import Crash, CrashingProcess
from tests.faults.scenarios import SCENARIOS, World, after_a_while, another_run, look, open_feed, recovering
from tests.harness import FeedHarness, MakeFeed, csv_text

ROOT = Path(__file__).resolve().parents[2]
STEPS = ("start", "prepare", "evolve", "copy", "merge", "settle")
KINDS = {scenario.name: scenario for scenario in SCENARIOS}
APPEND = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {mode: append}
metadata_columns: {run_date: null, file_name: null}
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Kill runs of every kind as they enter every step, or one."""
    if "kind" in metafunc.fixturenames:
        others = ("quarantine", "replace", "append") if metafunc.config.getoption("--exhaustive") else ()
        metafunc.parametrize("kind", ("evolve", *others))


def test_a_killed_process_is_recovered_by_the_next_run(
    kind: str,
    sandbox: SandboxAddress,
    s3: Any,
    redshift_data: Any,
    embedded_engine: Any,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    undisturbed = open_feed(KINDS[kind], s3, redshift_data, embedded_engine)
    undisturbed.run()
    expected = look(undisturbed)
    found: dict[str, World] = {}
    for step in STEPS if request.config.getoption("--exhaustive") else ("merge",):
        feed = open_feed(KINDS[kind], s3, redshift_data, embedded_engine)
        _run_and_kill(_project(tmp_path / step, sandbox, feed), feed, step)
        after_a_while(feed)
        another_run(feed, s3, redshift_data, embedded_engine, base=0x800).run()
        found[step] = look(feed)

    assert {step: world for step, world in found.items() if world != expected} == {}


def _project(root: Path, sandbox: SandboxAddress, feed: FeedHarness) -> Path:
    """Make a project of one pipeline that works in the sandbox of the tests."""
    (root / "pipelines").mkdir(parents=True)
    (root / ".sandbox").symlink_to(sandbox.folder)
    spec = f"pipeline: {feed.name}\n" + feed.spec_body.replace("{name}", feed.name)
    (root / "pipelines" / f"{feed.name}.yml").write_text(spec, encoding="utf-8")
    environment = (ROOT / "environments.yml").read_text(encoding="utf-8")
    control = feed.environment.warehouse.control_schema
    environment = environment.replace("copy_role: default}", f"copy_role: default, control_schema: {control}}}", 1)
    (root / "environments.yml").write_text(environment, encoding="utf-8")
    return root


def _run_and_kill(project: Path, feed: FeedHarness, step: str) -> None:
    """Run the pipeline as a process of its own, and kill it as it enters a step."""
    command = [sys.executable, str(ROOT / "run.py"), "--project", str(project), "run", feed.name, "--output", "json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("{") and json.loads(line).get("step") == step:
                process.send_signal(signal.SIGKILL)
                break
        assert process.wait(timeout=60) == -signal.SIGKILL


def test_a_merge_that_still_runs_when_its_client_dies_leads_to_no_second_load(
    make_feed: MakeFeed, sandbox: SandboxAddress
) -> None:
    """The merge waits for a lock that another connection holds; the client dies; the next run awaits the merge."""
    feed = make_feed(APPEND)
    feed.load(f"{feed.name}_0.csv", csv_text("id,a", "1,1"))
    feed.land(f"{feed.name}_1.csv", csv_text("id,a", "2,2"))
    gate = ledger_table("feedway", TableName("public", feed.name))
    recovering_run = recovering(feed)
    with ThreadPoolExecutor(1) as pool, psycopg.connect(sandbox.database_url) as holder:
        holder.execute(f"lock table {gate.sql}".encode())
        _die_while_the_merge_waits(feed)
        has_listed = threading.Event()
        recovering_run.redshift_data.meta.events.register(
            "after-call.redshift-data.ListStatements", lambda **context: has_listed.set()
        )
        waiting = pool.submit(recovering_run.run)
        while not has_listed.wait(0.05):
            assert not waiting.done(), waiting.result()
        holder.rollback()
        (result,) = waiting.result(timeout=60)

    assert (result.status, str(result.reason)[:17]) == ("SKIPPED", "already loaded on")
    assert feed.rows("id, a", "id") == [(1, 1), (2, 2)]
    assert feed.sql(f"select count(*) from {gate.sql}") == [(2,)]
    assert len(feed.keys("data/archive/")) == 2
    assert feed.keys("staging/") == []
    awaited = [entry["statements_awaited"] for entry in recovering_run.entries() if "expired_run_ids" in entry]
    assert awaited == [1]


def test_a_run_that_comes_too_soon_to_await_the_crashed_ones_merge_loads_nothing_twice(
    make_feed: MakeFeed, sandbox: SandboxAddress
) -> None:
    """The heartbeat of the crashed run has not expired: the ledger alone decides."""
    feed = make_feed(APPEND)
    feed.load(f"{feed.name}_0.csv", csv_text("id,a", "1,1"))
    feed.land(f"{feed.name}_1.csv", csv_text("id,a", "2,2"))
    gate = ledger_table("feedway", TableName("public", feed.name))
    recovering_run = replace(feed, log=io.StringIO(), run_number_base=0x800)
    with ThreadPoolExecutor(1) as pool, psycopg.connect(sandbox.database_url) as holder:
        holder.execute(f"lock table {gate.sql}".encode())
        _die_while_the_merge_waits(feed)
        waiting = pool.submit(recovering_run.run)
        while _waiting_for(sandbox, gate) < 2:
            assert not waiting.done(), waiting.result()
        holder.rollback()
        (result,) = waiting.result(timeout=60)

    assert (result.status, str(result.reason)[:17]) == ("SKIPPED", "already loaded on")
    assert feed.rows("id, a", "id") == [(1, 1), (2, 2)]


def _die_while_the_merge_waits(feed: FeedHarness) -> None:
    process = CrashingProcess()
    with process.frames() as frames, suppress(Crash):
        run = another_run(feed, process.s3, process.redshift_data, frames, base=0x400)

        def die_in_the_merge(request: Any, **_: Any) -> None:
            if b"guard_ledger" in request.body:
                process.crash_after_this_call()

        process.redshift_data.meta.events.register("before-send.*.BatchExecuteStatement", die_in_the_merge)
        run.run()
        raise AssertionError("the run did not die")


def _waiting_for(sandbox: SandboxAddress, table: TableName) -> int:
    query = "select count(*) from pg_locks where not granted and relation = %s::regclass"
    with psycopg.connect(sandbox.database_url) as connection:
        row = connection.execute(query, (table.sql,)).fetchone()
    return int(row[0]) if row is not None else 0
