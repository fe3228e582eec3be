"""The commands that retry what a command has not loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from framework.cli.outcome import FeedOutcome, State
from framework.errors import SpecError


def retries(feeds: Iterable[FeedOutcome]) -> list[tuple[str, ...]]:
    """Return the arguments of the fewest commands that load what failed, stopped or did not begin.

    Files that only a new file can replace are in none.
    """
    of_feeds: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for feed in feeds:
        for verb, pipeline, *options_after in _retries(feed):
            of_feeds.setdefault((verb, pipeline), set()).add(tuple(options_after))
    together: dict[tuple[str, tuple[str, ...], str | None], list[str]] = {}
    for (verb, pipeline), rests in of_feeds.items():
        # Several files of a feed are loaded by the command that names none of them.
        (rest,) = rests if len(rests) == 1 else {()}
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
