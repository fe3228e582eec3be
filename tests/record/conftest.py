"""Fixtures of the record: every load of a scenario is recorded, and compared with the file of the scenario."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from framework.sandbox import SandboxAddress
from framework.warehouse import client
from tests import harness
from tests.faults.scenarios import SCENARIOS, open_feed
from tests.harness import FeedHarness
from tests.record.calls import Calls
from tests.record.text import write_record
from tests.sandbox.conftest import ENVIRONMENT, make_feed, other_s3
from tests.sandbox.under_views import WITH_VIEW

__all__ = ["make_feed", "other_s3"]

EXPECTED = Path(__file__).parent / "expected"
Recording = Callable[[str], AbstractContextManager[Calls]]


@pytest.fixture(scope="session")
def shared_schemas(s3: Any, redshift_data: Any, embedded_engine: Any) -> None:
    """The schemas that scenarios share exist, and views are known in them: the order of the scenarios is all one."""
    (plain,) = (scenario for scenario in SCENARIOS if scenario.name == "plain")
    feed = open_feed(plain, s3, redshift_data, embedded_engine)
    feed.sql("create schema if not exists finance")
    other = FeedHarness(s3, redshift_data, embedded_engine, ENVIRONMENT, harness.new_name("shared"), WITH_VIEW)
    assert other.load("1.csv", "id,a\n1,x\n").status == "SUCCESS"
    other.sql(f"create view reporting.late_{other.name} as select id from {other.table} with no schema binding")


@pytest.fixture
def recording(
    sandbox: SandboxAddress,
    s3: Any,
    shared_schemas: None,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Recording:
    """Return what records the loads in its block, and compares them with the scenario's file."""

    @contextmanager
    def record(scenario: str) -> Iterator[Calls]:
        # Names, and the digests made of them, are the same in every session, whatever else runs.
        monkeypatch.setattr(harness, "_NUMBERS", itertools.count(zlib.crc32(scenario.encode()) % 1_000_000))
        # A record shows no polls but the first, so they may come fast.
        monkeypatch.setattr(client, "FIRST_POLL_SECONDS", 0.01)
        _empty_lake(s3)
        calls = Calls()
        calls.listen(monkeypatch)
        yield calls
        actual = write_record(calls, s3, sandbox.database_url)
        expected = EXPECTED / f"{scenario}.txt"
        if request.config.getoption("--update-golden"):
            expected.parent.mkdir(exist_ok=True)
            expected.write_text(actual, encoding="utf-8")
        assert actual == expected.read_text(encoding="utf-8")

    return record


def _empty_lake(s3: Any) -> None:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="lake"):
        keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
        if keys:
            s3.delete_objects(Bucket="lake", Delete={"Objects": keys})
