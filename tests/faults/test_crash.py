"""A run that dies at any call leaves nothing that the next run does not put right."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from tests.faults.crashing_process import Crash, CrashingProcess
from tests.faults.scenarios import SCENARIOS, Scenario, World, after_a_while, another_run, look, open_feed
from tests.harness import FeedHarness

CHANGES = ("Execute", "BatchExecute", "Put", "Copy", "Delete")
"""Calls that may change something. A run that dies at any other call leaves what the last change before it left."""

SAMPLE = {"first": (0.6, True), "plain": (0.75, True), "evolve": (0.5, False), "quarantine": (0.7, True)}
"""Without --exhaustive: of some scenarios, where in the load the run dies, and whether the call arrives."""

POLLS = 3
"""By so many calls do two runs of one load differ: a statement is asked after until it has ended."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let runs die at every call that changes something, or at a few calls."""
    if metafunc.config.getoption("--exhaustive"):
        cases: list[tuple[Scenario, float | None, bool]] = [
            (scenario, None, reply_lost) for scenario in SCENARIOS for reply_lost in (False, True)
        ]
    else:
        cases = [(scenario, *SAMPLE[scenario.name]) for scenario in SCENARIOS if scenario.name in SAMPLE]
    ids = [f"{scenario.name}-{'reply-lost' if reply_lost else 'not-sent'}" for scenario, _, reply_lost in cases]
    metafunc.parametrize(("scenario", "place", "reply_lost"), cases, ids=ids)


def test_a_run_that_dies_at_any_call_is_recovered_by_the_next(
    scenario: Scenario, place: float | None, reply_lost: bool, s3: Any, redshift_data: Any, embedded_engine: Any
) -> None:
    feed = open_feed(scenario, s3, redshift_data, embedded_engine)
    calls = _run_until(feed, None, reply_lost)
    undisturbed = look(feed)
    differences = {}
    changes = [number for number, call in enumerate(calls, 1) if call.startswith(CHANGES)]
    for number in changes if place is None else [round(place * len(calls))]:
        feed = open_feed(scenario, s3, redshift_data, embedded_engine)
        died_after = _run_until(feed, number, reply_lost)
        recovering_run = another_run(feed, s3, redshift_data, embedded_engine, base=0x800)
        after_a_while(recovering_run)
        recovering_run.run()
        if (found := look(recovering_run)) != undisturbed:
            differences[number, tuple(died_after[-3:])] = _difference(found, undisturbed)

    assert differences == {}


def _run_until(feed: FeedHarness, call: int | None, reply_lost: bool) -> list[str]:
    """Run until a call, or to the end; return the calls made."""
    process = CrashingProcess(call, reply_lost)
    with process.frames() as frames, suppress(Crash):
        another_run(feed, process.s3, process.redshift_data, frames, base=0x400).run()
        # How often a statement is asked after differs by a few: the last calls may not come.
        is_near_end = call is None or call - len(process.calls) <= POLLS
        assert is_near_end, f"the run ended before its call {call}: {process.calls}"
    return process.calls


def _difference(found: World, expected: World) -> dict[str, tuple[Any, Any]]:
    pairs = {name: (value, getattr(expected, name)) for name, value in vars(found).items()}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
