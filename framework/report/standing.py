"""The standing of a feed: what its owner should know first, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from framework.report.site import FAILED, RUNNING, UNFINISHED, FeedReport


@dataclass(frozen=True)
class Standing:
    """A feed's standing in words. `tone` chooses a color beside them: feeds that need attention come first."""

    words: str
    tone: Literal["bad", "warn", "good", "plain"]


def standing_of(feed: FeedReport) -> Standing:
    """Return the standing of a feed by its spec, its last load and the time since then."""
    if feed.described is None:
        return Standing("spec has problems", "bad") if feed.problem else Standing("no spec any more", "plain")
    last = feed.last_load
    status = None if last is None else last.status
    if status in (FAILED, UNFINISHED):
        words = "last load failed" if status == FAILED else "last load did not finish"
        return Standing(f"late, {words}" if feed.lateness else words, "bad")
    if feed.lateness is not None:
        return Standing("late" if feed.lateness.since else "late, never loaded", "bad")
    if status == RUNNING:
        return Standing("loading", "plain")
    if feed.set_aside:
        return Standing("files set aside", "warn")
    if last is None:
        return Standing("no load", "plain")
    if any(load.run_id == last.run_id for load in feed.past.rejects):
        return Standing("loaded, with bad rows", "warn")
    return Standing("on time" if feed.described.every else "loaded", "good")
