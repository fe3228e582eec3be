"""The audit of feeds: when each was loaded last, and which of its files and rows are not loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from framework.model.failure import FailureKind, kind_of_text
from framework.model.files import CORRECTION_MARK, FileIdentity
from framework.plan.steps import Transaction, select
from framework.warehouse.audit import HISTORY_COLUMNS, HistoryQuery, job_sts, read_each, read_history, utc_time
from framework.warehouse.client import Row
from framework.warehouse.session import WarehouseSession

_QUARANTINED_COLUMNS = (
    "pipeline",
    "run_id",
    "run_start_ts",
    "run_end_ts",
    "source_filename",
    "source_etag",
    "records_rejected",
)


@dataclass(frozen=True)
class UnsettledFile:
    """A file whose last load has FAILED, or was STARTED and has no end. Times are UTC.

    `message` and `failure` are None where there is no end, or where they are not known. `is_sent_again` says that a
    file of its name was loaded since.
    """

    pipeline: str
    run_id: str
    invocation_id: str | None
    began_at: datetime
    identity: FileIdentity
    message: str | None
    failure: FailureKind | None
    has_ended: bool
    is_sent_again: bool
    spec_sha256: str


@dataclass(frozen=True)
class QuarantinedFile:
    """A source file that a load has loaded without its bad rows. `key` is that of its arrival. Times are UTC."""

    pipeline: str
    run_id: str
    began_at: datetime
    ended_at: datetime
    key: str
    etag: str
    rows: int

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rpartition("/")[2]

    @property
    def loaded_at(self) -> str:
        """When its load began, as JSON has it."""
        return str(self.began_at.replace(tzinfo=None))


@dataclass(frozen=True)
class FeedsAudit:
    """What the audit shows of feeds; each file and time is of a pipeline."""

    last_success: Mapping[str, datetime]
    unsettled: tuple[UnsettledFile, ...]
    quarantined: tuple[QuarantinedFile, ...]


def read_feeds_audit(warehouse: WarehouseSession, pipelines: Sequence[str]) -> FeedsAudit:
    """Return what the audit shows of pipelines, by one submission; nothing where JOB_STS does not exist."""
    if not pipelines:
        return FeedsAudit({}, (), ())
    values = {"table": job_sts(warehouse), "pipelines": tuple(pipelines), "correction_mark": CORRECTION_MARK}
    statements = (
        select("select_last_success", values),
        select("select_unsettled_files", values),
        select("select_quarantined_rows", values),
    )
    success, unsettled, quarantined = read_each(warehouse, Transaction("feeds", statements))
    return FeedsAudit(
        {str(name): utc_time(ended) for name, ended in success},
        tuple(map(_unsettled_file, unsettled)),
        tuple(map(_quarantined_file, quarantined)),
    )


def read_quarantined_files(warehouse: WarehouseSession, query: HistoryQuery) -> list[QuarantinedFile]:
    """Return the files of loads with bad rows, newest first. The query leaves out all others."""
    loads = (dict(zip(HISTORY_COLUMNS, row, strict=True)) for row in read_history(warehouse, query))
    return [_quarantined_file(tuple(load[name] for name in _QUARANTINED_COLUMNS)) for load in loads]


def _quarantined_file(row: Row) -> QuarantinedFile:
    pipeline, run_id, began, ended, key, etag, rows = row
    return QuarantinedFile(
        str(pipeline), str(run_id), utc_time(began), utc_time(ended), str(key), str(etag), int(rows or 0)
    )


def _unsettled_file(row: Row) -> UnsettledFile:
    pipeline, run_id, invocation_id, began, bucket, key, etag, size, status, message, failure, loaded, spec_sha256 = row
    return UnsettledFile(
        str(pipeline),
        str(run_id),
        None if invocation_id is None else str(invocation_id),
        utc_time(began),
        FileIdentity(str(bucket), str(key), str(etag), int(size or 0)),
        None if message is None else str(message),
        None if failure is None else kind_of_text(str(failure)),
        has_ended=status == "FAILED",
        is_sent_again=loaded is not None and utc_time(loaded) >= utc_time(began),
        spec_sha256=str(spec_sha256),
    )
