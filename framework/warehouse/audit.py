"""The audit: rows outside a merge, and what is read from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from framework.dataclass import dataclass
from framework.errors import Cause, WarehouseError
from framework.model.files import CORRECTION_MARK, SourceFile
from framework.model.names import TableName
from framework.model.observation import AuditRow
from framework.plan.merge import ROWS_PER_STATEMENT
from framework.plan.precedence import SeenFile
from framework.plan.spelling_rows import SPELLINGS
from framework.plan.steps import MAX_BATCH_STATEMENTS, Statement, Transaction, select
from framework.warehouse.client import Row
from framework.warehouse.control_tables import ADDED_COLUMNS
from framework.warehouse.session import WarehouseSession

_ROWS_WITH_MESSAGE = 12
"""JOB_STS rows of one INSERT: a row takes up to 1,500 bytes, its key 1,024 and its message 4,096."""
CHANGE_COLUMNS = (
    "changed_ts",
    "run_id",
    "pipeline",
    "target_table_name",
    "change",
    "column_name",
    "type_before",
    "type_after",
    "reason",
    "source_filename",
)
COLUMN_CHANGE_COLUMNS = (
    "changed_ts",
    "run_id",
    "pipeline",
    "change",
    "type_before",
    "type_after",
    "decided_by",
    "reason",
    "evidence",
    "source_filename",
    "shows_values",
)
HISTORY_COLUMNS = (
    "run_id",
    "job_id",
    "invocation_id",
    "pipeline",
    "run_start_ts",
    "run_end_ts",
    "source_bucket",
    "source_filename",
    "source_etag",
    "source_size",
    "source_modified_ts",
    "source_generation",
    "target_table_name",
    "records_read",
    "records_inserted",
    "records_updated",
    "records_deleted",
    "records_deduplicated",
    "records_rejected",
    "status",
    "error_message",
    "warnings",
    "spec_sha256",
    "failure",
)


def write_audit(warehouse: WarehouseSession, rows: Sequence[AuditRow], attempts: int | None = None) -> None:
    """Append audit rows outside a merge: STARTED, FAILED, SKIPPED; all of one status.

    Rows that do not fit one transaction are written in several; after a failure, all are written again.
    """
    table = warehouse.control_table("job_sts")
    size = _ROWS_WITH_MESSAGE if any(row.error_message for row in rows) else ROWS_PER_STATEMENT
    inserts = [
        Statement("insert_job_sts", {"table": table, "rows": rows[start : start + size]})
        for start in range(0, len(rows), size)
    ]
    for start in range(0, len(inserts), MAX_BATCH_STATEMENTS):
        part = Transaction(rows[0].status.lower(), tuple(inserts[start : start + MAX_BATCH_STATEMENTS]))
        warehouse.run(part, attempts)


def read_run_counts(
    warehouse: WarehouseSession, run_id: str, attempts: int | None = None
) -> dict[str, tuple[int, ...]]:
    """Return the counts of a run's committed merge, by object key; empty where none was committed.

    The counts are read, inserted, updated, deleted, deduplicated and rejected rows.
    """
    values = {"table": warehouse.control_table("job_sts"), "run_id": run_id}
    statement = select("select_run_counts", values)
    (rows,) = warehouse.run(Transaction("run_counts", (statement,)), attempts)
    return {str(row[0]): tuple(int(value or 0) for value in row[1:]) for row in rows}


@dataclass(frozen=True)
class HistoryQuery:
    """The loads to read: at most `rows`, begun since a time; no pipeline, status, key, name, id or ETag means all.

    `file_name` is the last part of a key, `run_id` a load's id or its first characters. `with_bad_rows` leaves out
    files without bad rows.
    """

    pipelines: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    since: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    source_filename: str | None = None
    file_name: str | None = None
    run_id: str | None = None
    rows: int = 200
    etags: tuple[str, ...] = ()
    with_bad_rows: bool = False


def read_history(warehouse: WarehouseSession, query: HistoryQuery) -> list[Row]:
    """Return the latest loads, newest first, as HISTORY_COLUMNS; none where JOB_STS does not exist.

    One row per run and file: its final status, or STARTED where it has none.
    """
    statement = select("select_history", {"table": job_sts(warehouse), **asdict(query)})
    return read_audit(warehouse, Transaction("history", (statement,)))


def read_schema_changes(warehouse: WarehouseSession, query: HistoryQuery) -> list[Row]:
    """Return the latest schema changes, newest first, as CHANGE_COLUMNS; none where none is logged.

    Behind these columns stands the checksum of the spec that made the change, None where the audit has lost it.
    Only the query's pipelines, time and number of rows apply.
    """
    table = warehouse.control_table("schema_changes")
    values = {
        "table": table,
        "job_sts": job_sts(warehouse),
        "pipelines": query.pipelines,
        "since": query.since,
        "rows": query.rows,
    }
    return read_audit(warehouse, Transaction("changes", (select("select_schema_changes", values),)))


def read_column_changes(warehouse: WarehouseSession, target: TableName, column: str) -> list[Row]:
    """Return what loads changed about one column, and when they created the target, as COLUMN_CHANGE_COLUMNS.

    Oldest first. Rows of an earlier release have neither `decided_by` nor evidence.
    """
    values = {"table": warehouse.control_table("schema_changes"), "target": target, "column": column}
    return read_audit(warehouse, Transaction("explain", (select("select_column_changes", values),)))


def read_column_header(warehouse: WarehouseSession, target: TableName, column: str) -> str | None:
    """Return the start of the header for which a column was created; None where it is not known."""
    values = {"table": warehouse.control_table(SPELLINGS), "target": target, "column": column}
    rows = read_audit(warehouse, Transaction("explain", (select("select_column_header", values),)))
    return str(rows[0][0]) if rows else None


def read_last_success(
    warehouse: WarehouseSession, pipelines: Sequence[str], attempts: int | None = None
) -> dict[str, datetime]:
    """Return when each pipeline last loaded a file, in UTC; without pipelines that never did.

    Corrected rows do not count: they are not a delivery of the feed. `attempts` are those of the environment by
    default.
    """
    if not pipelines:
        return {}
    values = {"table": job_sts(warehouse), "pipelines": tuple(pipelines), "correction_mark": CORRECTION_MARK}
    transaction = Transaction("last_success", (select("select_last_success", values),))
    rows = read_audit(warehouse, transaction, attempts)
    return {str(name): utc_time(ended) for name, ended in rows}


@dataclass(frozen=True)
class FeedOrder:
    """A feed whose newest loaded file is asked for: by arrival, or by name with a `folder`, the feed's key prefix."""

    pipeline: str
    target: TableName
    folder: str | None


NewestLoad = tuple[str, datetime]
"""The key and the arrival of a file, in UTC."""


def read_newest_loads(warehouse: WarehouseSession, feeds: Sequence[FeedOrder]) -> dict[str, NewestLoad]:
    """Return the newest file that each pipeline loaded into its target; without those that loaded none.

    Corrected rows do not count.
    """
    found = {}
    for start in range(0, len(feeds), MAX_BATCH_STATEMENTS):
        part = feeds[start : start + MAX_BATCH_STATEMENTS]
        transaction = Transaction("newest_load", tuple(_select_newest(warehouse, feed) for feed in part))
        for feed, rows in zip(part, read_each(warehouse, transaction), strict=True):
            for key, arrived in rows:
                found[feed.pipeline] = (str(key), utc_time(arrived))
    return found


def _select_newest(warehouse: WarehouseSession, feed: FeedOrder) -> Statement:
    by_arrival, by_name = ("source_modified_ts", "source_filename"), ("source_filename",)
    values = {
        "table": job_sts(warehouse),
        "target": feed.target,
        "pipeline": feed.pipeline,
        "folder": feed.folder or "",
        "correction_mark": CORRECTION_MARK,
        "newest_by": by_arrival if feed.folder is None else by_name,
    }
    return select("select_newest_load", values)


def utc_time(value: object) -> datetime:
    """Return a time of a control table."""
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)


def read_seen_files(warehouse: WarehouseSession, target: TableName, files: Sequence[SourceFile]) -> list[SeenFile]:
    """Return the files that arrived for a target under the names of these, whatever their status."""
    found = []
    for start in range(0, len(files), ROWS_PER_STATEMENT):
        keys = [file.identity.key for file in files[start : start + ROWS_PER_STATEMENT]]
        values = {"table": job_sts(warehouse), "target": target, "keys": keys, "correction_mark": CORRECTION_MARK}
        transaction = Transaction("seen_files", (select("select_seen_files", values),))
        for key, etag, size, arrived in read_audit(warehouse, transaction):
            found.append(SeenFile(str(key), str(etag), int(size or 0), utc_time(arrived)))
    return found


def prune_audit(
    warehouse: WarehouseSession,
    pipelines: Sequence[str],
    before: datetime,
    *,
    is_confirmed: bool,
) -> dict[str, int]:
    """Delete audit rows of loads begun before a time, or only count them; return the count by status.

    Rows needed for exactly-once checks and `stale` are kept: of every file the last row and the last SUCCESS.
    """
    prunable = {"table": job_sts(warehouse), "prunable": "prunable"}
    statements = [
        Statement("find_prunable_rows", prunable | {"before": before, "pipelines": tuple(pipelines)}),
        select("select_prunable_count", {"prunable": "prunable"}),
    ]
    if is_confirmed:
        statements.append(Statement("delete_prunable_rows", prunable))
    try:
        _, counts, *_ = warehouse.run(Transaction("prune", tuple(statements)))
    except WarehouseError as error:
        if error.cause is Cause.MISSING_RELATION:
            return {}
        raise
    return {str(status): int(count or 0) for status, count in sorted(counts, key=str)}


def job_sts(warehouse: WarehouseSession) -> TableName:
    """Return the name of the audit table."""
    return warehouse.control_table("job_sts")


def read_audit(warehouse: WarehouseSession, transaction: Transaction, attempts: int | None = None) -> list[Row]:
    """Return the rows of one query of a control table; none where the table does not exist."""
    (found,) = read_each(warehouse, transaction, attempts)
    return found


def read_each(warehouse: WarehouseSession, transaction: Transaction, attempts: int | None = None) -> list[list[Row]]:
    """Return the rows of each query of a control table; none where the table does not exist."""
    try:
        return warehouse.run(transaction, attempts)
    except WarehouseError as error:
        if error.cause is Cause.MISSING_RELATION:
            return [[] for _ in transaction.statements]
        if error.cause is Cause.MISSING_COLUMN:
            added = ", ".join(f"{table}.{column}" for table, column in ADDED_COLUMNS)
            raise WarehouseError(
                f"the control schema {warehouse.control_schema} is from an earlier release and lacks one of {added}. "
                "The next load of any pipeline adds it."
            ) from error
        raise
