"""The standing of a feed: by its latest load that was not skipped, and by the time since its last success."""

from __future__ import annotations

from dataclasses import replace

import pytest

from framework.report.site import FeedReport, Lateness, Load
from framework.report.standing import standing_of
from tests.report_site import MADE, orders

LATEST = orders().past.loads[0]


def feed(*loads: Load, **changes: object) -> FeedReport:
    base = orders()
    rejects = tuple(load for load in loads if load.rows_rejected)
    return replace(base, past=replace(base.past, loads=loads, rejects=rejects), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        (["RUNNING", "FAILED"], "loading"),
        (["UNFINISHED", "SUCCESS"], "last load did not finish"),
        (["SKIPPED", "FAILED", "SUCCESS"], "last load failed"),
        (["SKIPPED", "SUCCESS", "FAILED"], "on time"),
        (["SKIPPED"], "no load"),
        ([], "no load"),
    ],
)
def test_the_latest_load_that_was_not_skipped_decides(statuses: list[str], words: str) -> None:
    loads = [replace(LATEST, run_id=str(number), status=status) for number, status in enumerate(statuses)]

    assert standing_of(feed(*loads)).words == words


def test_bad_rows_of_any_file_of_the_latest_load_count() -> None:
    other = replace(LATEST, file="other.csv", rows_rejected=2)

    assert standing_of(feed(LATEST, other)).words == "loaded, with bad rows"
    assert standing_of(feed(LATEST, replace(other, run_id="earlier"))).words == "on time"


def test_a_late_feed_is_late_whatever_else_it_is() -> None:
    late = Lateness(MADE)

    assert standing_of(feed(LATEST, lateness=late)).words == "late"
    assert standing_of(feed(replace(LATEST, status="FAILED"), lateness=late)).words == "late, last load failed"
    assert standing_of(feed(LATEST, lateness=late, set_aside="3 files")).words == "late"
    assert standing_of(feed(replace(LATEST, status="RUNNING"), lateness=late)).words == "late"
