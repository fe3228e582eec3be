"""Skipping a file: it is recorded as SKIPPED and archived, and never loaded."""

from __future__ import annotations

from framework.errors import SourceFileError, SpecError
from framework.lake.heartbeat import active_runs
from framework.load.audit_trail import export_log, write_rows
from framework.load.request import Pending
from framework.load.result import LoadResult
from framework.load.run import Run, begin_run
from framework.load.services import Services
from framework.load.settle import move, result_of
from framework.model.files import SourceFile
from framework.plan.audit import LoadFile
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.catalog import observe
from framework.warehouse.control_tables import ensure_control_tables


def skip_file(spec: PipelineSpec, services: Services, file: SourceFile, reason: str) -> LoadResult:
    """Write the SKIPPED row of a pending or unprocessed file, then move the file to the archive.

    In this order, so that no file leaves without a word; repeating it after a failure is safe.

    Raises:
        SpecError: the file is loaded, or a load of the pipeline is under way that may be loading it.
        SourceFileError: the file was replaced meanwhile; what has replaced it stays.
        WarehouseError: the row cannot be written or the file not be moved.
    """
    run = begin_run(spec, services, Pending())
    try:
        _skip(run, file, reason)
    finally:
        export_log(run)
    return result_of(run, LoadFile(file), "SKIPPED", reason=reason)


def _skip(run: Run, file: SourceFile, reason: str) -> None:
    spec = run.spec
    living = active_runs(run.lake, spec.pipeline, run.dead_after_seconds)
    if living:
        raise SpecError(
            f"a load of {spec.pipeline} is under way ({', '.join(sorted(living))}), and may be loading {file.url}. "
            f"Wait until it has ended: history {spec.pipeline} --status RUNNING"
        )
    observed = observe(run.warehouse, spec, [file.identity.etag])
    if observed.history_of(file.identity).generation:
        raise SpecError(
            f"{file.url} is loaded into {spec.target.table} already, so there is nothing to skip. "
            f"The next run of {spec.pipeline} archives it: history {spec.pipeline} --file {file.key}"
        )
    ensure_control_tables(run.warehouse, spec.target.table, observed)
    write_rows(run, "SKIPPED", [LoadFile(file)], reason)
    if move(run, file, "archive") is None:
        raise SourceFileError(f"{file.url} has gone or was replaced meanwhile; what lies there now was not skipped")
    run.log.warning("file skipped", file=file.url, reason=reason)
