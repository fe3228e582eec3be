"""A load's statements and transactions, as values.

A statement carries what it locks, whether it fetches rows and what its refusal means, so that no caller needs to
know templates by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from enum import Enum, auto
from typing import TypeVar

from framework.dataclass import dataclass
from framework.errors import OnRefusal, WarehouseError
from framework.model.names import TableName

T = TypeVar("T")

MAX_STATEMENT_BYTES = 100_000
"""Source: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html (100 KB a statement)"""
MAX_BATCH_STATEMENTS = 40
"""Source: the Data API's service model, BatchExecuteStatement"""


@dataclass(frozen=True)
class Lock:
    """A lock that a statement holds until its transaction ends, and its effect on other sessions."""

    relation: TableName
    effect: str

    def __str__(self) -> str:
        return f"{self.relation}: {self.effect}"


def locks_ledger(ledger: TableName, target: TableName) -> Lock:
    """Return the lock of a target's ledger, which all merges into the target take first."""
    return Lock(ledger, f"other merges into {target} wait")


def locks_readers(relation: TableName) -> Lock:
    """Return the lock of a table that is altered or dropped.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
    """
    return Lock(relation, "readers and writers wait")


def locks_writers(table: TableName) -> Lock:
    """Return the lock of a table whose rows are written."""
    return Lock(table, "other writers wait, readers see the rows as they were")


def locks_view(view: TableName) -> Lock:
    """Return the lock of a view that is dropped or replaced."""
    return Lock(view, "readers wait")


@dataclass(frozen=True)
class Statement:
    """One statement: the template `templates/sql/<template>.sql.j2` and its values.

    `if_refused` is the meaning of its refusal for the load; None takes the transaction's. Rows are fetched only if
    it `fetches`. A transaction is cancelled where the statement has run for more than `max_seconds`.
    """

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    if_refused: OnRefusal | None = None
    locks: Lock | None = None
    fetches: bool = False
    max_seconds: int | None = None


def select(template: str, values: Mapping[str, object] | None = None) -> Statement:
    """Return a statement whose rows are fetched."""
    return Statement(template, values or {}, fetches=True)


class JournalStep(Enum):
    """The effect of a transaction on views and the view journal."""

    DROPS_VIEWS = auto()
    RESTORES_VIEWS = auto()


@dataclass(frozen=True)
class Transaction:
    """Statements that are committed together; a single one runs outside any transaction block.

    `leaves` is a table of the run's own that exists once this is committed, until a later transaction of the plan
    drops or renames it. One that only reads may have `max_seconds`: if it has not ended so long after it was submitted,
    it is cancelled, and its end is not awaited.
    """

    name: str
    statements: tuple[Statement, ...]
    if_refused: OnRefusal = OnRefusal.FAIL
    journal: JournalStep | None = None
    leaves: TableName | None = None
    max_seconds: int | None = None

    def refused_by(self, error: WarehouseError) -> Statement | None:
        """Return the statement that the warehouse refused; None where it refused the whole submission."""
        return None if error.refused.index is None else self.statements[error.refused.index]

    def refusal_of(self, index: int) -> OnRefusal:
        """Return the meaning of a refusal of the statement at a position."""
        return self.statements[index].if_refused or self.if_refused

    @property
    def locks(self) -> tuple[str, ...]:
        """The locks' effects on other sessions, in the order of the statements."""
        return tuple(dict.fromkeys(str(each.locks) for each in self.statements if each.locks is not None))


def in_parts(
    name: str, statements: Sequence[Statement], if_refused: OnRefusal = OnRefusal.FAIL
) -> Iterator[Transaction]:
    """Yield statements in as many transactions as they need."""
    for start in range(0, len(statements), MAX_BATCH_STATEMENTS):
        yield Transaction(name, tuple(statements[start : start + MAX_BATCH_STATEMENTS]), if_refused)


def in_portions(items: Iterable[T], size_of: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """Yield items in portions whose total size is at most `most`, or of a single item."""
    portion: list[T] = []
    size = 0
    for item in items:
        own = size_of(item)
        if portion and size + own > most:
            yield portion
            portion, size = [], 0
        portion.append(item)
        size += own
    if portion:
        yield portion
