"""The audit of feeds: their last loads and warnings, and which of their files and rows are not loaded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from framework.dataclass import dataclass
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
    "target_table_name",
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
    """A source file that a load has loaded into `target` without its bad rows. `key` is that of its arrival. UTC."""

    pipeline: str
    run_id: str
    began_at: datetime
    ended_at: datetime
    key: str
    etag: str
    target: str
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
class LastWarning:
    """A warning by the last command that has loaded files of a pipeline. `column` is None where none is meant.

    `key` is that of the arrival of the latest of `files` files that have it, and `run_id` its load.
    """

    pipeline: str
    rule: str
    column: str | None
    message: str
    key: str
    files: int
    run_id: str
    spec_sha256: str


@dataclass(frozen=True)
class FeedsAudit:
    """What the audit shows of feeds; each file, time and warning is of a pipeline."""

    last_success: Mapping[str, datetime]
    unsettled: tuple[UnsettledFile, ...]
    quarantined: tuple[QuarantinedFile, ...]
    warnings: tuple[LastWarning, ...]


def read_feeds_audit(warehouse: WarehouseSession, pipelines: Sequence[str]) -> FeedsAudit:
    """Return what the audit shows of pipelines, by one submission; nothing where JOB_STS does not exist."""
    if not pipelines:
        return FeedsAudit({}, (), (), ())
    values = {"table": job_sts(warehouse), "pipelines": tuple(pipelines), "correction_mark": CORRECTION_MARK}
    statements = (
        select("select_last_success", values),
        select("select_unsettled_files", values),
        select("select_quarantined_rows", values),
        select("select_last_warnings", values),
    )
    success, unsettled, quarantined, warned = read_each(warehouse, Transaction("feeds", statements))
    return FeedsAudit(
        {str(name): utc_time(ended) for name, ended in success},
        tuple(map(_unsettled_file, unsettled)),
        tuple(map(_quarantined_file, quarantined)),
        tuple(_last_warnings(warned)),
    )


def read_quarantined_files(warehouse: WarehouseSession, query: HistoryQuery) -> list[QuarantinedFile]:
    """Return the files of loads with bad rows, newest first. The query leaves out all others."""
    loads = (dict(zip(HISTORY_COLUMNS, row, strict=True)) for row in read_history(warehouse, query))
    return [_quarantined_file(tuple(load[name] for name in _QUARANTINED_COLUMNS)) for load in loads]


def _quarantined_file(row: Row) -> QuarantinedFile:
    pipeline, run_id, began, ended, *texts, rows = row
    key, etag, target = map(str, texts)
    return QuarantinedFile(
        str(pipeline), str(run_id), utc_time(began), utc_time(ended), key, etag, target, int(rows or 0)
    )


def _last_warnings(rows: Iterable[Row]) -> Iterable[LastWarning]:
    """Return warnings, each once for all files of a pipeline that have it, in the order of the first."""
    found: dict[tuple[str, ...], LastWarning] = {}
    for pipeline, run_id, key, warnings, spec_sha256 in rows:
        for each in json.loads(str(warnings)):
            warning = LastWarning(
                str(pipeline), each["rule"], each["column"], each["message"], str(key), 1, str(run_id), str(spec_sha256)
            )
            same = (warning.pipeline, warning.rule, warning.message, warning.spec_sha256)
            earlier = found.get(same)
            found[same] = warning if earlier is None else replace(earlier, files=earlier.files + 1)
    return found.values()


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
