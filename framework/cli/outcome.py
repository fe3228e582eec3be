"""The outcome of a command that loads: what became of each feed, in numbers and as a JSON document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import field
from enum import StrEnum

from framework.cli.set_aside import SetAside
from framework.dataclass import dataclass
from framework.load.result import LoadResult
from framework.model.program import PLAIN, Program


class State(StrEnum):
    """What became of a feed, in the order in which summaries list it."""

    LOADED = "loaded"
    FAILED = "failed"
    SKIPPED = "skipped"
    IDLE = "idle"
    STOPPED = "stopped"
    NOT_BEGUN = "not_begun"


@dataclass
class FeedOutcome:
    """The results of a feed so far, or the reason why there was nothing to do.

    `has_begun` and `has_ended` are those of the feed's loads: an interruption, or a failure with --fail-fast, comes
    before or between them. `again` are the arguments that ask for the same again, empty where that is no use.
    """

    pipeline: str
    again: tuple[str, ...] = ()
    results: list[LoadResult] = field(default_factory=list)
    idle: str | None = None
    has_begun: bool = False
    has_ended: bool = False

    @property
    def state(self) -> State:
        """The feed's one state; one failure counts more than files that are loaded."""
        if any(result.failure is not None for result in self.results):
            return State.FAILED
        if not self.has_ended:
            return State.STOPPED if self.has_begun else State.NOT_BEGUN
        if any(result.status == "SUCCESS" for result in self.results):
            return State.LOADED
        return State.SKIPPED if self.results else State.IDLE


@dataclass(frozen=True)
class Outcome:
    """The outcome of a command. `waiting` are the files set aside, `retries` the commands that retry what failed.

    `program` spells commands that continue.
    """

    feeds: Sequence[FeedOutcome]
    waiting: Sequence[SetAside] = ()
    retries: Sequence[str] = ()
    program: Program = PLAIN

    @property
    def results(self) -> list[LoadResult]:
        """The results, by feed."""
        return [result for feed in self.feeds for result in feed.results]

    @property
    def states(self) -> Counter[State]:
        """The number of feeds by state; each feed counts once."""
        return Counter(feed.state for feed in self.feeds)

    @property
    def files(self) -> Counter[str]:
        """The number of files by the status of their result."""
        return Counter(result.status for result in self.results if result.source_file is not None)

    @property
    def rows_loaded(self) -> int:
        """The number of rows inserted or updated."""
        loaded = (result.counts for result in self.results if result.status == "SUCCESS")
        return sum(counts.inserted + counts.updated for counts in loaded)

    def named(self, state: State) -> list[str]:
        """Return the names of the feeds in a state."""
        return [feed.pipeline for feed in self.feeds if feed.state is state]

    def as_dict(self) -> dict[str, object]:
        """Return the document that `run --output json` prints (schemas/output/run.schema.json)."""
        states, files = self.states, self.files
        return {
            "loads": [result.as_dict() for result in self.results],
            "set_aside": [set_aside.as_dict() for set_aside in self.waiting],
            "summary": {
                "feeds": {state.value: states[state] for state in State},
                "files": {name: files[status] for status, name in FILE_STATES.items()},
                "rows_loaded": self.rows_loaded,
                "stopped": self.named(State.STOPPED),
                "not_begun": self.named(State.NOT_BEGUN),
                "retry": list(self.retries),
            },
        }


FILE_STATES = {"SUCCESS": "loaded", "FAILED": "failed", "SKIPPED": "skipped", "REFUSED": "refused"}
"""What a summary calls files, by the status of their result."""


def outcome_of(results: Iterable[LoadResult]) -> Outcome:
    """Return the outcome of loads that have ended."""
    feeds: dict[str, FeedOutcome] = {}
    for result in results:
        feed = feeds.setdefault(result.pipeline, FeedOutcome(result.pipeline, has_begun=True, has_ended=True))
        feed.results.append(result)
    return Outcome(list(feeds.values()))
