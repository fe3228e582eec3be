"""The standing of a feed: what needs attention, a load that is running, bad rows, or the last load."""

from __future__ import annotations

from dataclasses import replace

import pytest

from framework.load.status.attention import Attention, Kind
from framework.report.site import FeedReport, Now
from framework.report.standing import standing_of
from tests.report_site import orders


def feed(now: Now, *statuses: str) -> FeedReport:
    base = orders()
    loads = tuple(replace(base.past.loads[0], run_id=str(number), status=each) for number, each in enumerate(statuses))
    return replace(base, past=replace(base.past, loads=loads), now=now)


def attention(*kinds: Kind) -> tuple[Attention, ...]:
    return tuple(Attention(kind, "it happened", "Correct it.", "feedway run orders") for kind in kinds)


@pytest.mark.parametrize(
    ("now", "words", "tone"),
    [
        (Now(attention("set_aside", "set_aside", "late"), bad_rows="2"), "files set aside, late", "bad"),
        (Now(attention("unfinished")), "load did not finish", "bad"),
        (Now(attention("view"), is_running=True), "views dropped", "bad"),
        (Now(is_running=True, bad_rows="2"), "loading", "plain"),
        (Now(pending="3", bad_rows="2"), "bad rows in quarantine", "warn"),
        (Now(pending="3"), "on time", "good"),
    ],
)
def test_what_needs_attention_comes_first(now: Now, words: str, tone: str) -> None:
    standing = standing_of(feed(now, "SKIPPED", "SUCCESS"))

    assert (standing.words, standing.tone) == (words, tone)


def test_a_skipped_file_is_no_load() -> None:
    assert standing_of(feed(Now(), "SKIPPED")).words == "no load"
