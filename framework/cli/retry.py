"""The commands that retry what a command has not loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from framework.cli.outcome import FeedOutcome, State
from framework.cli.set_aside import SetAside
from framework.errors import SpecError


def retries(feeds: Iterable[FeedOutcome], waiting: Iterable[SetAside] = ()) -> list[tuple[str, ...]]:
    """Return the arguments of the fewest commands that load what failed, stopped or did not begin.

    Files that only a new file can replace are in none. `waiting` are the files set aside, where they are known.
    """
    only_ones = {each.pipeline for each in waiting if each.files == 1 and not each.is_minimum}
    of_feeds: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for feed in feeds:
        for verb, pipeline, *options_after in _retries(feed):
            of_feeds.setdefault((verb, pipeline), set()).add(tuple(options_after))
    together: dict[tuple[str, tuple[str, ...], str | None], list[str]] = {}
    for (verb, pipeline), rests in of_feeds.items():
        # Several files of a feed are loaded by the command that names none of them.
        (rest,) = rests if len(rests) == 1 else {()}
        if verb == "replay" and rest[:1] == ("--file",) and len(rest) == 2 and pipeline in only_ones:
            rest = ()
        alone = pipeline if "--file" in rest else None
        together.setdefault((verb, rest, alone), []).append(pipeline)
    return [(verb, *names, *rest) for (verb, rest, _), names in together.items()]


def _retries(feed: FeedOutcome) -> Iterator[tuple[str, ...]]:
    if feed.state in (State.STOPPED, State.NOT_BEGUN) and feed.again:
        yield feed.again
    for failure in (result.failure for result in feed.results if result.failure is not None):
        if failure.next_step is not None:
            yield from failure.next_step.retries
        elif isinstance(failure.error, SpecError) and feed.again and "--file" not in feed.again:
            yield feed.again
