"""Skips a file: records it as SKIPPED and archives it without loading."""

from __future__ import annotations

import json
from dataclasses import replace

from framework.errors import SourceFileError, SpecError
from framework.lake.heartbeat import pipelines_at_work
from framework.load.audit_trail import export_log, write_rows
from framework.load.invocation import Invocation
from framework.load.request import Pending
from framework.load.result import LoadResult
from framework.load.run import Run, begin_run
from framework.load.services import Services
from framework.load.settle import move, result_of
from framework.log.run_log import Event
from framework.model.files import SourceFile
from framework.plan.audit import LoadFile
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.audit import HISTORY_COLUMNS, HistoryQuery, read_history
from framework.warehouse.catalog import observe
from framework.warehouse.control_tables import add_control_columns, ensure_control_tables
from framework.warehouse.session import WarehouseSession


def skip_file(spec: PipelineSpec, services: Services, file: SourceFile, reason: str) -> LoadResult:
    """Record a pending or unprocessed file as SKIPPED, and archive it.

    In this order, so that no file is moved without an audit row. Idempotent after a failure.

    Raises:
        SpecError: the file is loaded, or an active run of the pipeline may be loading it.
        SourceFileError: the file was replaced meanwhile; its replacement stays.
        WarehouseError: the row cannot be written, or the file cannot be moved.
    """
    invocation = Invocation(services)
    run = begin_run(invocation, invocation.new_names(spec), Pending())
    try:
        _skip(run, file, reason)
    finally:
        export_log(run)
    return result_of(run, LoadFile(file), "SKIPPED", reason=reason)


def spec_of_gone(pipeline: str, file: SourceFile, services: Services) -> PipelineSpec:
    """Return what it takes of the spec of a pipeline that has none any more to skip a file that it set aside.

    The target and the sha256 are those of its last load.

    Raises:
        SpecError: JOB_STS does not know the file.
    """
    warehouse = WarehouseSession(services.warehouse, pipeline, services.open_log(services.new_run_id(), pipeline))
    query = HistoryQuery((pipeline,), source_filename=file.identity.key, etags=(file.identity.etag,), rows=1)
    loads = [dict(zip(HISTORY_COLUMNS, row, strict=True)) for row in read_history(warehouse, query)]
    if not loads:
        raise SpecError(
            f"{pipeline} has no spec any more, and JOB_STS does not know {file.url}, so it cannot be recorded. Write a "
            f"spec with this name again, or move the file away"
        )
    schema, _, table = str(loads[0]["target_table_name"]).partition(".")
    text = (
        f"pipeline: {json.dumps(pipeline)}\nsource: {{prefix: data/in/gone/}}\nload: {{mode: append}}\n"
        f"target: {{schema: {json.dumps(schema)}, table: {json.dumps(table)}}}\n"
    )
    spec = load_pipeline_text(text, f"pipelines/{pipeline}.yml", pipeline)
    return replace(spec, sha256=str(loads[0]["spec_sha256"]))


def _skip(run: Run, file: SourceFile, reason: str) -> None:
    spec, command = run.spec, run.services.program.command
    if spec.pipeline in pipelines_at_work(run.lake, run.invocation.read_activity()):
        raise SpecError(
            f"a load of {spec.pipeline} is under way, and may be loading {file.url}. "
            f"Wait until it has ended: {command('history', spec.pipeline, '--status', 'RUNNING')}"
        )
    observed = observe(run.warehouse, spec, [file.identity.etag])
    add_control_columns(run.warehouse, observed, run.invocation.creation)
    if observed.history_of(file.identity).generation:
        raise SpecError(
            f"{file.url} is loaded into {spec.target.table} already, so there is nothing to skip. "
            f"The next run of {spec.pipeline} archives it: {command('history', spec.pipeline, '--file', file.key)}"
        )
    ensure_control_tables(run.warehouse, spec.target.table, observed, run.invocation.creation)
    write_rows(run, "SKIPPED", [LoadFile(file)], reason)
    if move(run, file, "archive") is None:
        raise SourceFileError(f"{file.url} is gone or was replaced; its replacement was not skipped")
    run.log.warning(Event.FILE_SKIPPED, file=file.url, reason=reason)
