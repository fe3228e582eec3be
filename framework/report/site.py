"""What a report shows, as values. Times are UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from framework.dataclass import dataclass
from framework.load.status.attention import Attention

Unit = Literal["hour", "day", "week", "month", "year"]
MOST_NOTED = 20
"""Of each feed: the latest loads with bad rows that are shown, and the latest with warnings."""


@dataclass(frozen=True)
class Load:
    """One file of one load. `rows_of_run` is what the load inserted and updated from all its files.

    `message` is why it failed or was skipped, without values where none may be shown.
    """

    run_id: str
    began: datetime
    ended: datetime | None
    file: str
    size_bytes: int
    rows_read: int | None
    rows_of_run: int
    rows_loaded: int | None
    rows_rejected: int
    status: str
    message: str

    @property
    def seconds(self) -> float | None:
        """How long it took; None where it has no end."""
        return None if self.ended is None else max((self.ended - self.began).total_seconds(), 0)


@dataclass(frozen=True)
class Warned:
    """A warning of a load."""

    began: datetime
    file: str
    rule: str
    column: str | None
    message: str


@dataclass(frozen=True)
class Change:
    """A change of the table by a load."""

    changed: datetime
    kind: str
    column: str | None
    type_before: str | None
    type_after: str
    reason: str
    file: str


@dataclass(frozen=True)
class Period:
    """What successful loads of a feed brought in an hour, a day, a week, a month or a year.

    Seconds are those of the loads together, each without its fraction.
    """

    unit: Unit
    began: datetime
    loads: int
    rows: int
    seconds: float
    size_bytes: int


@dataclass(frozen=True)
class View:
    """A view of the spec; `built` is None where no load has built it yet."""

    name: str
    is_late_binding: bool
    built: datetime | None


@dataclass(frozen=True)
class Described:
    """What the spec of a feed says about it. `every` is empty where no load is expected."""

    description: str
    owner: str
    tags: tuple[str, ...]
    every: str
    table: str
    views: tuple[View, ...]
    log_samples: bool


@dataclass(frozen=True)
class Now:
    """What `status` shows of a feed. Numbers and the time are texts as in its table, empty where there is none."""

    attention: tuple[Attention, ...] = ()
    is_running: bool = False
    pending: str = ""
    set_aside: str = ""
    bad_rows: str = ""
    late_since: str = ""


@dataclass(frozen=True)
class Past:
    """What the audit has about a feed: the latest of each, and of how many.

    `rejects` are loads with bad rows, which may be older than `loads`. Of a load that was refused because of bad rows
    no number is known. `number_of_warned` counts loads, which have one warning or more.
    """

    loads: tuple[Load, ...] = ()
    number_of_loads: int = 0
    periods: tuple[Period, ...] = ()
    rejects: tuple[Load, ...] = ()
    number_of_rejects: int = 0
    warnings: tuple[Warned, ...] = ()
    number_of_warned: int = 0
    changes: tuple[Change, ...] = ()
    number_of_changes: int = 0


@dataclass(frozen=True)
class FeedReport:
    """One feed. `described` is None where its spec is gone; or where it has problems, which `problem` lists.

    `spec_text` is empty then. `columns` are name and type, as the table has them now.
    """

    name: str
    described: Described | None
    problem: str
    spec_text: str
    columns: tuple[tuple[str, str], ...]
    past: Past
    now: Now = Now()
    quarantine: str = ""

    @property
    def last_load(self) -> Load | None:
        """The latest load that was not skipped."""
        return next((load for load in self.past.loads if load.status != "SKIPPED"), None)


@dataclass(frozen=True)
class Site:
    """A report: its feeds, in the order of names. `since` is None where loads of all times count."""

    environment: str
    made: datetime
    version: str
    since: datetime | None
    feeds: tuple[FeedReport, ...]
