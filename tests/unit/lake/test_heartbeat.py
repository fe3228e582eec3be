"""What the staging folder says of other invocations and their runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from framework.lake.heartbeat import Heartbeat, pipelines_at_work, read_activity
from framework.log.run_log import RunLog
from tests.unit.load.calls import Call, Calls
from tests.unit.load.fake_lake import FakeLake

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DEAD_AFTER = 300
FRESH, STALE = timedelta(seconds=300), timedelta(seconds=301)
INVOCATION, RUN = "1" * 32, "2" * 32


def lake_with(objects: dict[str, timedelta]) -> tuple[FakeLake, Calls]:
    calls = Calls()
    lake = FakeLake(calls, lambda: NOON)
    for key, age in objects.items():
        lake.arrive(f"staging/{key}", "orders\ncustomers", NOON - age)
    return lake, calls


@pytest.mark.parametrize(
    ("heartbeat", "own", "is_active"),
    [
        (FRESH, STALE, True),
        (STALE, FRESH, True),
        (STALE, STALE, False),
        (None, FRESH, True),
        (None, STALE, False),
        (FRESH, None, True),
        (STALE, None, False),
        (None, None, False),
    ],
)
def test_a_run_has_expired_when_its_invocation_and_its_own_latest_object_have(
    heartbeat: timedelta | None, own: timedelta | None, is_active: bool
) -> None:
    objects = {
        f"_alive/{INVOCATION}": heartbeat,
        f"orders/{INVOCATION}/{RUN}/plan-1/0.parquet": own,
        f"orders/{INVOCATION}/{RUN}/manifest.json": own and STALE * 2,
    }
    lake, _ = lake_with({key: age for key, age in objects.items() if age is not None})
    activity = read_activity(lake, DEAD_AFTER)

    assert activity.is_active(RUN, INVOCATION) is is_active
    left = [(run.pipeline, run.invocation_id, run.run_id, len(run.keys)) for run in activity.expired_runs]
    assert left == ([("orders", INVOCATION, RUN, 2)] if own and not is_active else [])


def test_a_run_of_an_unknown_invocation_is_judged_by_its_own_objects() -> None:
    lake, _ = lake_with({f"orders/{INVOCATION}/{RUN}/0.parquet": FRESH, "_alive/": FRESH})

    assert read_activity(lake, DEAD_AFTER).is_active(RUN, None)
    assert not read_activity(lake, DEAD_AFTER).is_active("other", None)


def test_a_heartbeat_goes_once_it_has_expired_and_none_of_its_runs_has_left_anything() -> None:
    heartbeats = {"_alive/a": STALE, f"_alive/{INVOCATION}": STALE, "_alive/c": FRESH}
    lake, _ = lake_with(heartbeats | {f"orders/{INVOCATION}/{RUN}/0.parquet": STALE})

    assert read_activity(lake, DEAD_AFTER).expired_invocations() == ["a"]


def test_the_own_heartbeat_is_the_present_and_costs_no_call() -> None:
    lake, calls = lake_with({"_alive/own": STALE, f"orders/{INVOCATION}/{RUN}/0.parquet": STALE + FRESH})
    activity = read_activity(lake, DEAD_AFTER, "own")

    assert activity.is_active(RUN, INVOCATION)
    assert [made.call for made in calls.made] == [Call("list_objects", "staging/")]


def test_what_lies_in_the_folder_and_is_no_runs_is_left_alone() -> None:
    of_an_earlier_release = f"orders/{RUN}/plan-1/rows-0/1.parquet"
    keys = ["notes.txt", "orders/notes.txt", f"orders/{INVOCATION}/notes.txt", of_an_earlier_release]
    keys.append(".views-down/l/orders/i/r")
    keys = [
        "notes.txt",
        "orders/notes.txt",
        f"orders/{INVOCATION}/notes.txt",
        of_an_earlier_release,
        ".views-down/l/orders/i/r",
    ]
    activity = read_activity(lake_with(dict.fromkeys(keys, STALE))[0], DEAD_AFTER)

    assert (activity.runs, activity.markers) == ((), ("staging/.views-down/l/orders/i/r",))


def test_the_pipelines_at_work_are_those_of_fresh_heartbeats() -> None:
    lake, _ = lake_with({"_alive/a": FRESH, "_alive/b": STALE})
    lake.arrive("staging/_alive/b", "invoices", NOON - STALE)

    assert pipelines_at_work(lake, read_activity(lake, DEAD_AFTER)).keys() == {"orders", "customers"}


def test_a_heartbeat_holds_what_is_at_work_when_it_is_refreshed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework.lake.heartbeat.RENEW_SECONDS", 0.01)
    lake, calls = lake_with({})
    contents = ["orders\ncustomers", "customers"]
    heartbeat = Heartbeat(lake, RunLog("own", "run", None), lambda: contents[min(len(calls.made), 1)])
    heartbeat.start()
    first = lake.get("staging/_alive/own")
    while len([made for made in calls.made if made.call.name == "put"]) < 2:
        pass
    heartbeat.stop()

    assert (first, lake.get("staging/_alive/own")) == (b"orders\ncustomers", b"customers")
