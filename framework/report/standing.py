"""The standing of a feed in words: what `status` shows, or what came of its last load."""

from __future__ import annotations

from typing import Literal

from framework.dataclass import dataclass
from framework.load.status.attention import Kind
from framework.report.site import FeedReport

_WORDS: dict[Kind, str] = {
    "spec": "spec has problems",
    "unfinished": "load did not finish",
    "failed": "load failed",
    "set_aside": "files set aside",
    "view": "views dropped",
    "late": "late",
}


@dataclass(frozen=True)
class Standing:
    """A feed's standing in words. `tone` chooses a color beside them: feeds that need attention come first."""

    words: str
    tone: Literal["bad", "warn", "good", "plain"]


def standing_of(feed: FeedReport) -> Standing:
    """Return the standing of a feed: all that needs attention; else a load that is running, or the last one."""
    if feed.described is None:
        return Standing(_WORDS["spec"], "bad") if feed.problem else Standing("no spec any more", "plain")
    if feed.now.attention:
        return Standing(", ".join(dict.fromkeys(_WORDS[each.kind] for each in feed.now.attention)), "bad")
    if feed.now.is_running:
        return Standing("loading", "plain")
    if feed.now.bad_rows:
        return Standing("bad rows in quarantine", "warn")
    if feed.last_load is None:
        return Standing("no load", "plain")
    return Standing("on time" if feed.described.every else "loaded", "good")
