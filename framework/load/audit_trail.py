"""The audit rows that a run writes outside its merge, and the export of its log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from framework.errors import PipelineError
from framework.lake.lake import Lake
from framework.load.run import Run
from framework.model.failure import FailureKind
from framework.plan.audit import LoadFile
from framework.warehouse.audit import write_audit

Unmerged = Literal["STARTED", "FAILED", "SKIPPED"]


def write_rows(run: Run, status: Unmerged, files: Sequence[LoadFile], message: str | None = None) -> None:
    """Append one audit row per file, all with the same message: see `write_each`."""
    write_each(run, status, dict.fromkeys(files, message))


def write_failed(run: Run, failures: Mapping[LoadFile, FailureKind], message: str) -> None:
    """Append one FAILED row per file, with the kind of its failure and the message of the load. It is attempted once.

    While the warehouse is out of reach, retries would only delay the error message.
    """
    now = run.services.now()
    rows = [replace(run.names.audit_row(file, "FAILED", now, message), failure=kind) for file, kind in failures.items()]
    write_audit(run.warehouse, rows, attempts=1)


def write_each(run: Run, status: Unmerged, messages: Mapping[LoadFile, str | None]) -> None:
    """Append one audit row per file, with its message."""
    ended_at = None if status == "STARTED" else run.services.now()
    rows = [run.names.audit_row(file, status, ended_at, message) for file, message in messages.items()]
    write_audit(run.warehouse, rows)


def confirm_start(run: Run, files: Sequence[LoadFile]) -> None:
    """Return once the load is recorded as STARTED; where the invocation failed to, the load does it."""
    recording = run.invocation.first_loads.start_of(run.run_id)
    if recording is None:
        return
    try:
        recording.result()
    except PipelineError as error:
        run.log.warning("the shared record of the start failed", error=str(error))
        write_rows(run, "STARTED", files)
    except KeyboardInterrupt:
        # Heard in this thread too, so that recording the failure is not interrupted.
        run.services.check_interrupted()
        raise


def export_log(run: Run) -> None:
    """Export the log to the lake. A failure to do so is logged, and never masks an error."""
    key = log_key(run.lake, run.spec.pipeline, run.run_id, run.names.started_at)
    try:
        run.lake.put(key, run.log.text())
    except PipelineError as error:
        run.log.error("the log could not be exported", key=key, error=str(error))


def log_key(lake: Lake, pipeline: str, run_id: str, began_at: datetime) -> str:
    """Return the key under which the log of a run is exported; the time is UTC."""
    return lake.key(f"logs/{pipeline}/{began_at:%Y/%m}/{run_id}.jsonl")
