"""Feedway's own tables: creating them, and adding what an earlier release lacks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from framework.dataclass import dataclass
from framework.errors import Cause, WarehouseError
from framework.log.run_log import Event
from framework.model.column_type import parse_type, varchar
from framework.model.names import TableName, ledger_table
from framework.model.observation import Observation
from framework.plan.spelling_rows import SPELLINGS
from framework.plan.steps import Statement, Transaction, select
from framework.warehouse.session import WarehouseSession

SHARED_TABLES = ("job_sts", "view_builds", "schema_changes", "view_journal", SPELLINGS)
"""The control tables that all pipelines share."""
ADDED_COLUMNS = {
    ("job_sts", "warnings"): varchar(4096),
    ("job_sts", "invocation_id"): parse_type("char(32)"),
    ("schema_changes", "decided_by"): varchar(16),
    ("schema_changes", "evidence"): varchar(16384),
    ("schema_changes", "shows_values"): parse_type("boolean"),
    ("job_sts", "failure"): varchar(256),
}
"""Columns added after the first release, by table and name; older control tables get them by ADD COLUMN."""


@dataclass(frozen=True)
class ControlSchema:
    """The control tables that exist, and the columns, by table and name, of those that all pipelines share."""

    tables: frozenset[str]
    columns: frozenset[tuple[str, str]]

    @property
    def missing_tables(self) -> list[str]:
        """The shared tables that do not exist."""
        return [table for table in SHARED_TABLES if table not in self.tables]

    @property
    def missing_columns(self) -> list[tuple[str, str]]:
        """The columns that control tables of an earlier release lack."""
        return [place for place in ADDED_COLUMNS if place[0] in self.tables and place not in self.columns]


def read_control_schema(warehouse: WarehouseSession) -> ControlSchema:
    """Return what the catalog shows of the control schema, by one attempt."""
    values = {"control_schema": warehouse.control_schema, "shared": SHARED_TABLES}
    statement = select("select_control_tables", values)
    (rows,) = warehouse.run(Transaction("control_schema", (statement,)), attempts=1)
    return ControlSchema(
        frozenset(str(table) for table, _ in rows),
        frozenset((str(table), str(column)) for table, column in rows if column is not None),
    )


def complete_control_schema(warehouse: WarehouseSession, there: ControlSchema) -> None:
    """Create the shared control tables, and the columns of them, that do not exist."""
    if there.missing_tables:
        _create_shared_tables(warehouse)
    for table, column in there.missing_columns:
        _add_column(warehouse, table, column)


class Creation:
    """The creation of what pipelines share, for the threads of a command: each table and column once, one at a time.

    The database refuses to create one twice at a time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._created: set[str] = set()

    def once(self, name: str, create: Callable[[], None]) -> None:
        """Create something unless that was done."""
        with self._lock:
            if name not in self._created:
                create()
                self._created.add(name)


def ensure_control_tables(
    warehouse: WarehouseSession, target: TableName, observed: Observation, creation: Creation
) -> None:
    """Create the missing control tables and the target's ledger; usually nothing is missing.

    The ledger is created in a submission of its own, before any merge locks it.
    """
    schema = warehouse.control_schema
    if not observed.control_tables.issuperset(SHARED_TABLES):
        creation.once(schema, partial(_create_shared_tables, warehouse))
    ledger = ledger_table(schema, target)
    if ledger.name not in observed.control_tables:
        warehouse.run(Transaction("create_ledger", (Statement("create_ledger", {"table": ledger}),)))
        warehouse.log.info(Event.LEDGER_CREATED, table=str(ledger), target=str(target))


def _create_shared_tables(warehouse: WarehouseSession) -> None:
    schema = warehouse.control_schema
    statements = (
        Statement("create_schema", {"schema": schema}),
        Statement("create_job_sts", {"table": TableName(schema, "job_sts")}),
        Statement("create_view_builds", {"table": TableName(schema, "view_builds")}),
        Statement("create_schema_changes", {"table": TableName(schema, "schema_changes")}),
        Statement("create_view_journal", {"table": TableName(schema, "view_journal")}),
        Statement("create_column_spellings", {"table": TableName(schema, SPELLINGS)}),
    )
    warehouse.run(Transaction("create_control_schema", statements))
    warehouse.log.info("created the control schema", schema=schema)


def lacks_nothing(control_schema: str, target: TableName, observed: Observation) -> bool:
    """Return whether all control tables with their columns, and the target's ledger, exist."""
    needed = {*SHARED_TABLES, ledger_table(control_schema, target).name}
    return observed.control_tables >= needed and not _missing_columns(observed)


def _missing_columns(observed: Observation) -> list[tuple[str, str]]:
    return ControlSchema(observed.control_tables, observed.control_columns).missing_columns


def add_control_columns(warehouse: WarehouseSession, observed: Observation, creation: Creation) -> None:
    """Add the columns that control tables of an earlier release lack, each in an idempotent submission."""
    for table, column in _missing_columns(observed):
        creation.once(f"{table}.{column}", partial(_add_column, warehouse, table, column))


def _add_column(warehouse: WarehouseSession, table: str, column: str) -> None:
    values = {"table": warehouse.control_table(table), "name": column, "type": ADDED_COLUMNS[table, column]}
    values |= {"default_sql": None, "encoding": None}
    try:
        warehouse.run(Transaction("add_control_column", (Statement("add_column", values),)))
        warehouse.log.info("added a column to a control table", table=table, column=column)
    except WarehouseError as error:
        # Another command has added it since the observation.
        if error.cause is not Cause.COLUMN_EXISTS:
            raise
