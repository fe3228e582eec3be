"""What the audit has of many feeds, each in part."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from framework.dataclass import dataclass
from framework.model.names import TableName
from framework.plan.steps import Transaction, select
from framework.warehouse.audit import read_audit
from framework.warehouse.client import Row
from framework.warehouse.session import WarehouseSession

FEED_LOAD_COLUMNS = (
    "pipeline",
    "place",
    "number_of_loads",
    "rejected_place",
    "number_of_rejects",
    "number_of_warned",
    "run_id",
    "invocation_id",
    "run_start_ts",
    "run_end_ts",
    "source_filename",
    "source_size",
    "target_table_name",
    "records_read",
    "records_inserted",
    "records_updated",
    "records_rejected",
    "status",
    "run_loaded",
    "error_message",
    "warnings",
    "spec_sha256",
)
FEED_CHANGE_COLUMNS = (
    "pipeline",
    "number_of_changes",
    "changed_ts",
    "change",
    "column_name",
    "type_before",
    "type_after",
    "reason",
    "source_filename",
    "shows_values",
)


@dataclass(frozen=True)
class FeedsQuery:
    """The feeds whose past is read, each in part: at most `rows` of each pipeline, begun since a time.

    No pipeline means all. Periods are as long as it takes for a chart to end at `until`. `noted` is of how many loads
    with bad rows, and of how many with warnings, these are read, however old. `characters` is the length to which
    messages and reasons are cut.
    """

    pipelines: tuple[str, ...]
    since: datetime
    until: datetime
    rows: int
    noted: int
    characters: int


def read_feed_loads(warehouse: WarehouseSession, query: FeedsQuery) -> list[Row]:
    """Return the latest loads of each pipeline, newest first, as FEED_LOAD_COLUMNS; one row per run and file.

    `place` counts the pipeline's loads, `rejected_place` those with bad rows. Warnings of loads older than the latest
    with warnings are NULL.
    """
    statement = select("select_feed_loads", {"table": warehouse.control_table("job_sts"), **asdict(query)})
    return read_audit(warehouse, Transaction("feed_loads", (statement,)))


def read_load_periods(warehouse: WarehouseSession, query: FeedsQuery) -> list[Row]:
    """Return what each pipeline loaded by period, in order: pipeline, unit, period, loads, rows, seconds and bytes."""
    statement = select("select_load_periods", {"table": warehouse.control_table("job_sts"), **asdict(query)})
    return read_audit(warehouse, Transaction("load_periods", (statement,)))


def read_feed_changes(warehouse: WarehouseSession, query: FeedsQuery) -> list[Row]:
    """Return the latest schema changes of each pipeline, newest first, as FEED_CHANGE_COLUMNS."""
    statement = select("select_feed_changes", {"table": warehouse.control_table("schema_changes"), **asdict(query)})
    return read_audit(warehouse, Transaction("feed_changes", (statement,)))


def read_view_times(warehouse: WarehouseSession) -> dict[TableName, datetime]:
    """Return when each view of a spec was built, in UTC."""
    statement = select("select_view_builds", {"table": warehouse.control_table("view_builds")})
    rows = read_audit(warehouse, Transaction("view_builds", (statement,)))
    return {
        TableName(str(schema), str(name)): datetime.fromisoformat(str(built)).replace(tzinfo=UTC)
        for schema, name, _, _, built in rows
    }
