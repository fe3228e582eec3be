"""A statement of the Data API as a value, and the changes its status goes through.

A submission has parts: one for ExecuteStatement, one per SQL text for BatchExecuteStatement. Times are
epoch seconds, durations nanoseconds.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from framework.sandbox.data_api.results import ResultSet

PRIOR_FAILED = "Connection or an prior query failed."
"""What parts say that never ran. The wording is the service's."""


class Status(enum.Enum):
    """Where a statement stands; the value is the word on the wire."""

    SUBMITTED = "SUBMITTED"
    PICKED = "PICKED"
    STARTED = "STARTED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"

    @property
    def is_terminal(self) -> bool:
        """Whether the statement will not change any more."""
        return self in (Status.FINISHED, Status.FAILED, Status.ABORTED)


@dataclass(frozen=True)
class Warehouse:
    """Whom the caller addressed: `member` is WorkgroupName or ClusterIdentifier, `name` its value."""

    member: str
    name: str


@dataclass(frozen=True)
class Submission:
    """What a caller handed in. `parameters` are (name, value) pairs, in the caller's order."""

    id: str
    sqls: tuple[str, ...]
    is_batch: bool
    warehouse: Warehouse
    database: str
    created_at: float
    db_user: str | None = None
    name: str | None = None
    client_token: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a part that ran gave. `rows`: returned or affected, -1 where the command counts none."""

    rows: int = -1
    result: ResultSet | None = None


@dataclass(frozen=True)
class Ending:
    """How something ended that did not finish: FAILED or ABORTED, and why."""

    status: Status
    error: str


@dataclass(frozen=True)
class Part:
    """One SQL text of a submission and how far it got. `query_id` is -1 until it runs."""

    sql: str
    status: Status
    updated_at: float
    error: str | None = None
    outcome: Outcome = Outcome()
    duration_ns: int = -1
    query_id: int = -1

    @property
    def size_bytes(self) -> int:
        """The size of the result; 0 for a part that finished without one, -1 before."""
        if self.outcome.result is not None:
            return self.outcome.result.size_bytes
        return 0 if self.status is Status.FINISHED else -1


@dataclass(frozen=True)
class Statement:
    """A submission and how far it got. `pid` is the process that serves it in PostgreSQL."""

    submission: Submission
    status: Status
    parts: tuple[Part, ...]
    updated_at: float
    error: str | None = None
    pid: int | None = None

    @property
    def id(self) -> str:
        """The statement's id."""
        return self.submission.id


def submitted(submission: Submission) -> Statement:
    """Return the statement of a submission that waits for its turn."""
    now = submission.created_at
    parts = tuple(Part(sql, Status.SUBMITTED, now) for sql in submission.sqls)
    return Statement(submission, Status.SUBMITTED, parts, now)


def picked(statement: Statement, now: float) -> Statement:
    """Return the statement as one whose turn has come."""
    return replace(statement, status=Status.PICKED, updated_at=now)


def started(statement: Statement, pid: int, now: float) -> Statement:
    """Return the statement as one that has a connection."""
    return replace(statement, status=Status.STARTED, pid=pid, updated_at=now)


def part_started(statement: Statement, index: int, query_id: int, now: float) -> Statement:
    """Return the statement with the part under way."""
    part = replace(statement.parts[index], status=Status.STARTED, query_id=query_id, updated_at=now)
    return _with_part(statement, index, part)


def part_finished(statement: Statement, index: int, outcome: Outcome, duration_ns: int, now: float) -> Statement:
    """Return the statement with the part done; the statement itself goes on."""
    part = statement.parts[index]
    part = replace(part, status=Status.FINISHED, outcome=outcome, duration_ns=duration_ns, updated_at=now)
    return _with_part(statement, index, part)


def finished(statement: Statement, now: float) -> Statement:
    """Return the statement as done."""
    return replace(statement, status=Status.FINISHED, updated_at=now)


def part_ended(statement: Statement, index: int, ending: Ending, duration_ns: int, now: float) -> Statement:
    """Return the statement ended by one of its parts; parts after it are ABORTED.

    Parts before it stay FINISHED, although what they did is rolled back.
    """
    part = replace(
        statement.parts[index], status=ending.status, error=ending.error, duration_ns=duration_ns, updated_at=now
    )
    if statement.submission.is_batch and ending.status is Status.FAILED:
        ending = replace(ending, error=f"Query #{index + 1} failed with {ending.error}")
    return ended(_with_part(statement, index, part), ending, now)


def ended(statement: Statement, ending: Ending, now: float) -> Statement:
    """Return the statement ended; parts that have not are ABORTED."""
    parts = tuple(
        part if part.status.is_terminal else replace(part, status=Status.ABORTED, error=PRIOR_FAILED, updated_at=now)
        for part in statement.parts
    )
    return replace(statement, status=ending.status, error=ending.error, parts=parts, updated_at=now)


def _with_part(statement: Statement, index: int, part: Part) -> Statement:
    parts = (*statement.parts[:index], part, *statement.parts[index + 1 :])
    return replace(statement, parts=parts, updated_at=part.updated_at)
