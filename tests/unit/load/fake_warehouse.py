"""A warehouse that answers a statement by its template, remembers what was committed, and refuses what a test asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from framework.errors import Cause, RefusedStatement, TransientWarehouseError, WarehouseError
from framework.load.invocation import SHARED
from framework.log.run_log import RunLog
from framework.model.observation import AuditRow
from framework.plan.journal_rows import JournalRow
from framework.plan.steps import Statement, Transaction
from framework.spec.environment import WarehouseSettings
from framework.warehouse.client import Caller, ResultColumn, Row
from tests.unit.load.calls import Calls, Made

Rows = Sequence[Row]
Answer = Rows | Callable[[Statement], Rows]


@dataclass(frozen=True)
class Refusal:
    """Which statement is refused, `times` at the most: that of a template, in any transaction where none is named."""

    transaction: str
    template: str
    cause: Cause = Cause.OTHER
    times: int | None = None
    query_id: int | None = None

    def error(self, transaction: Transaction, index: int) -> WarehouseError:
        """Return the error as `Warehouse.run` raises it."""
        words = f"{self.template} is refused"
        refused = RefusedStatement(index, transaction.refusal_of(index), self.query_id)
        return WarehouseError(words, refused=refused, cause=self.cause, warehouse_message=words)


@dataclass(frozen=True)
class Submission:
    """A transaction that was submitted, as which call, the error that it met, and `attempts` where it limits them."""

    transaction: Transaction
    made: Made
    error: BaseException | None
    attempts: int | None
    is_shared: bool = False
    """Whether an invocation makes it for its loads."""

    @property
    def templates(self) -> list[str]:
        return [statement.template for statement in self.transaction.statements]


class FakeWarehouse:
    """Stands for `Warehouse`. Keeps audit rows, ledger rows, own tables, views and the view journal as committed."""

    def __init__(self, settings: WarehouseSettings, calls: Calls, answers: Mapping[str, Answer]) -> None:
        self.settings = settings
        self.answers: dict[str, Answer] = {
            "select_view_journal": lambda _: [_journal_row(row) for row in self.journal],
            "select_views": self._views_there,
            "select_load_history": lambda _: [_history_row(row) for row in self.audit if row.status == "SUCCESS"],
            "select_entered": lambda _: [_entered_row(row) for row in self.audit if row.status == "SUCCESS"],
            **answers,
        }
        self.refusals: list[Refusal] = []
        self.is_down = False
        """Whether it has become an outage for everybody."""
        self.submitted: list[Submission] = []
        self.audit: list[AuditRow] = []
        self.tables: set[str] = set()
        self.journal: list[JournalRow] = []
        self.dropped_views: set[str] = set()
        self.awaited: list[list[str]] = []
        self._calls = calls
        self._met: Counter[Refusal] = Counter()
        self._effects: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "insert_job_sts": lambda values: self.audit.extend(values["rows"]),
            "insert_loaded_job_sts": lambda values: self.audit.extend(file.audit for file in values["rows"]),
            "create_staging_table": lambda values: self.tables.add(values["table"].sql),
            "create_wider_copy": lambda values: self.tables.add(values["table"].sql),
            "rename_table": lambda values: self.tables.discard(values["table"].sql),
            "drop_tables": lambda values: self.tables.difference_update(values["tables"]),
            "insert_view_journal": lambda values: self.journal.append(values["row"]),
            "delete_view_journal": self._take_out,
            "drop_view": lambda values: self.dropped_views.add(str(values["view"])),
            "create_view": lambda values: self.dropped_views.discard(str(values["view"])),
        }

    @property
    def templates(self) -> set[str]:
        """The templates that this warehouse knows by name."""
        return {*self.answers, *self._effects}

    def run(
        self, transaction: Transaction, caller: Caller, log: RunLog, attempts: int | None = None
    ) -> list[list[Row]]:
        error = self._begin(transaction)
        self.submitted.append(Submission(transaction, self._calls.made[-1], error, attempts, caller.pipeline == SHARED))
        if error is not None:
            raise error
        found = [self._rows(each) if each.fetches else [] for each in transaction.statements]
        for statement in transaction.statements:
            if effect := self._effects.get(statement.template):
                effect(statement.values)
        return found

    def columns_of(self, transaction: Transaction, caller: Caller, log: RunLog) -> list[list[ResultColumn]]:
        """Return as the columns what the answers hold: their first values."""
        rows = self.run(transaction, caller, log)
        return [[ResultColumn(str(row[0]), "text", 0, 0) for row in found] for found in rows]

    def await_statements(self, name_prefixes: Sequence[str]) -> int:
        self._calls.make("await", ", ".join(sorted(name_prefixes)))
        self.awaited.append(sorted(name_prefixes))
        return 0

    def pause(self, seconds: float) -> None:
        raise AssertionError("nothing is waited for")

    def of(self, name: str) -> list[Submission]:
        """Return the submissions of transactions of a name."""
        return [each for each in self.submitted if each.transaction.name == name]

    def _begin(self, transaction: Transaction) -> BaseException | None:
        try:
            self._calls.make("run", transaction.name)
        except BaseException as error:
            return error
        if self.is_down:
            return TransientWarehouseError("the warehouse is down", is_outage=True)
        for refusal in self.refusals:
            for index, statement in enumerate(transaction.statements):
                is_it = refusal.transaction in ("", transaction.name) and refusal.template == statement.template
                if is_it and self._met[refusal] != refusal.times:
                    self._met[refusal] += 1
                    return refusal.error(transaction, index)
        return None

    def _rows(self, statement: Statement) -> list[Row]:
        answer = self.answers.get(statement.template, ())
        rows = answer(statement) if callable(answer) else answer
        # Rows about a relation begin with its schema and name; a view that was dropped is in no catalog.
        return [row for row in rows if ".".join(map(str, row[:2])) not in self.dropped_views]

    def _views_there(self, statement: Statement) -> Rows:
        asked: Any = statement.values["views"]
        there = (view for view in asked if str(view) not in self.dropped_views)
        return [(view.schema, view.name, "etl", "etl", "select") for view in there]

    def _take_out(self, values: Mapping[str, Any]) -> None:
        self.journal = [row for row in self.journal if (row.run_id, row.view) != (values["run_id"], values["view"])]


def _journal_row(row: JournalRow) -> Row:
    target, view = row.target, row.view
    return (
        row.run_id,
        row.pipeline,
        target.schema,
        target.name,
        view.schema,
        view.name,
        row.place,
        row.part,
        row.content,
    )


def _history_row(row: AuditRow) -> Row:
    source = row.source
    at = _text(row.started_at)
    identity = (source.bucket, source.key, source.etag, source.size_bytes)
    return (str(row.target), *identity, row.status, row.generation, row.run_id, at, 0)


def _entered_row(row: AuditRow) -> Row:
    return entered(row.source.sha256, row.source.key, row.source_modified_at, row.run_id)


def _text(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ")


def entered(identity_sha256: str, key: str, arrived_at: datetime, run_id: str = "other") -> Row:
    """Return a row of the ledger, as it is read."""
    arrived = _text(arrived_at)
    return (identity_sha256, 1, key, arrived, run_id, arrived)
