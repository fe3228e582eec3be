"""A warehouse bound to one run."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from framework.dataclass import dataclass
from framework.model.names import TableName, statement_name
from framework.plan.steps import Transaction
from framework.warehouse.client import Caller, ResultColumn, Row, Warehouse

if TYPE_CHECKING:
    from framework.log.run_log import RunLog


@dataclass(frozen=True)
class WarehouseSession:
    """A warehouse bound to a run: statements carry the run's name, and the run's log has the retries."""

    client: Warehouse
    pipeline: str
    log: RunLog

    def run(self, transaction: Transaction, attempts: int | None = None) -> list[list[Row]]:
        """Run the statements as one transaction and return each one's rows: see `Warehouse.run`."""
        return self.client.run(transaction, self._caller, self.log, attempts)

    def columns_of(self, transaction: Transaction) -> list[list[ResultColumn]]:
        """Run queries as one transaction and return the columns of each result."""
        return self.client.columns_of(transaction, self._caller, self.log)

    def await_runs(self, runs: Collection[tuple[str, str]]) -> int:
        """Wait until no statement of some runs, by pipeline and run_id, is running; return how many there were."""
        return self.client.await_statements([statement_name(*run, "") for run in runs]) if runs else 0

    def pause(self, seconds: float) -> None:
        """Sleep; an interruption of the command ends the sleep."""
        self.client.pause(seconds)

    def control_table(self, name: str) -> TableName:
        """Return the name of a control table."""
        return TableName(self.control_schema, name)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.log.run_id

    @property
    def control_schema(self) -> str:
        """The control schema."""
        return self.client.settings.control_schema

    @property
    def _caller(self) -> Caller:
        return Caller(self.pipeline, self.run_id)
