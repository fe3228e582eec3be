"""Several feeds in one invocation: what they share, what each does for itself, and what a crash leaves."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from framework.lake.lake import Lake
from framework.load.invocation import Invocation
from framework.load.pipeline import load_pipeline, open_pipeline
from framework.load.result import LoadResult
from tests.faults.crashing_process import Crash, CrashingProcess
from tests.faults.scenarios import after_a_while
from tests.harness import PENDING, FeedHarness, MakeFeed, csv_text, run_together
from tests.sandbox.conftest import MINIMAL

APPEND = MINIMAL.replace("{keys: [id]}", "{mode: append}")
VIEW = 'views: [{schema: reporting, name: "v_{name}", definition: "select * from {{ target }}"}]\n'


@contextmanager
def another_process(feeds: Sequence[FeedHarness], base: int) -> Iterator[tuple[CrashingProcess, list[FeedHarness]]]:
    """Yield clients of their own, and the feeds as their process sees them."""
    process = CrashingProcess()
    with process.frames() as frames:
        changes: dict[str, Any] = {"s3": process.s3, "redshift_data": process.redshift_data, "frames": frames}
        yield process, [replace(feed, **changes, log=io.StringIO(), run_number_base=base) for feed in feeds]


def loaded_feeds(make_feed: MakeFeed, number: int, spec: str = APPEND) -> list[FeedHarness]:
    """Return feeds that have loaded a file, each with another one pending."""
    feeds = [make_feed(spec) for _ in range(number)]
    for feed in feeds:
        feed.load(f"{feed.name}_0.csv", csv_text("id,a", "1,x"))
        feed.land(f"{feed.name}_1.csv", csv_text("id,a", "2,y"))
    return feeds


def require_loaded_once(feeds: Sequence[FeedHarness]) -> None:
    for feed in feeds:
        assert feed.rows("id, a", "id") == [(1, "x"), (2, "y")]
        assert feed.keys("data/in/") == []
        assert len(feed.keys("data/archive/")) == 2
        assert feed.keys("staging/") == []


def statuses(results: Sequence[LoadResult]) -> list[str]:
    return [result.status for result in results]


def test_the_loads_of_an_invocation_are_recorded_as_one_each(make_feed: MakeFeed) -> None:
    feeds = loaded_feeds(make_feed, 3)

    assert statuses(run_together(feeds)) == ["SUCCESS"] * 3
    require_loaded_once(feeds)
    recorded = [feed.audit("run_id, status, invocation_id") for feed in feeds]
    assert [[status for _, status, _ in rows] for rows in recorded] == [["STARTED", "SUCCESS"] * 2] * 3
    last = [(run_id, invocation_id) for rows in recorded for run_id, _, invocation_id in rows[2:]]
    assert len({run_id for run_id, _ in last}) == 3
    assert len({invocation_id for _, invocation_id in last}) == 1


def test_feeds_of_one_target_and_a_view_of_one_on_the_other_are_changed_by_what_they_are_then(
    make_feed: MakeFeed,
) -> None:
    first = make_feed(MINIMAL + VIEW)
    second = make_feed(MINIMAL.replace('"{name}"', first.name))
    first.load(f"{first.name}.csv", csv_text("id,a", "1,x"))
    first.land(f"{first.name}_1.csv", csv_text("id,a,b", "2,y,5"))
    second.land(f"{second.name}_1.csv", csv_text("id,a,b,c", "3,z,6," + "c" * 300))

    results = run_together([first, second])

    assert [(result.status, len(result.schema_changes)) for result in results] == [("SUCCESS", 1), ("SUCCESS", 1)]
    assert first.rows("id, a, b, length(c)", "id") == [(1, "x", None, None), (2, "y", 5, None), (3, "z", 6, 300)]
    assert first.sql(f"select count(*) from reporting.v_{first.name}") == [(3,)]


@pytest.mark.exhaustive(every=2)
@pytest.mark.parametrize("part", ["select_view_dependencies", "insert_job_sts"])
def test_what_the_feeds_cannot_do_together_each_does_for_itself(make_feed: MakeFeed, part: str) -> None:
    feeds = loaded_feeds(make_feed, 3)
    with another_process(feeds, 0x400) as (process, own):
        refused: list[str] = []

        def refuse_shared(request: Any, **_: Any) -> None:
            if b"feedway/_/" in request.body and part.encode() in request.body:
                refused.append(part)
                request.body = request.body.replace(b"-- feedway _", b"no SQL -- feedway _")
                request.headers["Content-Length"] = str(len(request.body))

        process.redshift_data.meta.events.register("before-send", refuse_shared)
        results = run_together(own)

    assert refused
    assert statuses(results) == ["SUCCESS"] * 3
    require_loaded_once(feeds)
    assert [feed.audit("status")[2:] for feed in feeds] == [[("STARTED",), ("SUCCESS",)]] * 3


def test_a_feed_that_dies_in_an_invocation_that_lives_is_left_alone_and_then_cleaned_up_after(
    make_feed: MakeFeed,
) -> None:
    feeds = loaded_feeds(make_feed, 2)
    with another_process(feeds, 0x400) as (process, own):
        die_in_a_merge_of(process, feeds[0])
        with Invocation(own[0].services()) as invocation:
            openings = [open_pipeline(feed.spec(), invocation, PENDING) for feed in own]
            invocation.prepare(openings)
            with ThreadPoolExecutor(1) as pool:
                died = pool.submit(lambda: list(load_pipeline(openings[0], invocation)))
                assert isinstance(died.exception(), Crash)
            left = feeds[0].keys("staging/")
            # Another process loads its file meanwhile.
            (result,) = feeds[0].run()
            assert result.status == "SUCCESS"
            assert [entry for entry in feeds[0].entries() if "expired_run_ids" in entry] == []
            assert feeds[0].keys("staging/") == left != []
            assert statuses([each for load in load_pipeline(openings[1], invocation) for each in load]) == ["SUCCESS"]
    require_loaded_once(feeds)


def test_a_killed_invocation_leaves_feeds_that_ended_that_were_loading_and_that_had_not_begun(
    make_feed: MakeFeed,
) -> None:
    feeds = loaded_feeds(make_feed, 3)
    heartbeats = Lake(feeds[0].s3, feeds[0].environment.lake).list_objects("staging/_alive/")
    before = {found.key for found in heartbeats}
    with another_process(feeds, 0x400) as (process, own):

        def crash(request: Any, **_: Any) -> None:
            if b"guard_ledger" in request.body and f"feedway/{feeds[1].name}/".encode() in request.body:
                process.crash_now()
                raise Crash

        process.redshift_data.meta.events.register_first("before-send", crash)
        with suppress(Crash):
            run_together(own)
            raise AssertionError("the invocation did not die")
    assert [len(feed.keys("data/in/")) for feed in feeds] == [0, 1, 1]
    assert all(feed.keys("staging/") for feed in feeds[:2])

    for feed in feeds:
        after_a_while(feed)
    results = run_together(feeds)

    assert [(result.status, result.reason) for result in results] == [("SUCCESS", None)] * 2
    require_loaded_once(feeds)
    left = Lake(feeds[0].s3, feeds[0].environment.lake).list_objects("staging/_alive/")
    assert {found.key for found in left} <= before
    # The rows of the loads that had been announced stay without an end.
    recorded = [[status for (status,) in feed.audit("status")[2:]] for feed in feeds]
    assert recorded == [["STARTED", "SUCCESS"], *[["STARTED", "STARTED", "SUCCESS"]] * 2]


def test_two_invocations_over_the_same_feeds_load_every_file_once(make_feed: MakeFeed) -> None:
    feeds = loaded_feeds(make_feed, 4)
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        crews = [stack.enter_context(another_process(feeds, base))[1] for base in (0x400, 0x800)]
        found = [result for results in pool.map(run_together, crews) for result in results]

    assert [result.failure for result in found if result.failure] == []
    assert statuses(found).count("SUCCESS") == 4
    require_loaded_once(feeds)


def die_in_a_merge_of(process: CrashingProcess, feed: FeedHarness) -> None:
    """Let the thread that merges a feed's rows die: from then on none of its calls is sent."""
    dead: set[int] = set()

    def die(request: Any, **_: Any) -> None:
        body = request.body if isinstance(request.body, bytes) else b""
        if b"guard_ledger" in body and f"feedway/{feed.name}/".encode() in body:
            dead.add(threading.get_ident())
        if threading.get_ident() in dead:
            raise Crash

    for client in (process.s3, process.redshift_data):
        client.meta.events.register_first("before-send", die)
