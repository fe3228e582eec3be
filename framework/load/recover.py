"""Cleaning up after runs: after expired ones, and after this one."""

from __future__ import annotations

from framework.errors import PipelineError
from framework.lake.heartbeat import Heartbeat, expired_runs, staging_prefix
from framework.load.audit_trail import export_log
from framework.load.quarantine import discard_bad_rows
from framework.load.result import LoadResult
from framework.load.run import Run
from framework.load.settle import with_problems
from framework.load.view_journal import ViewJournal
from framework.log.retries import log_retries_to
from framework.model.names import staging_table
from framework.plan.table_copy import copy_table
from framework.warehouse.staging_tables import drop_staging


def recover(run: Run) -> int:
    """Clean up after expired runs of the pipeline, once none of their statements is running.

    Returns how many running statements were awaited.
    """
    lake, warehouse, pipeline = run.lake, run.warehouse, run.spec.pipeline
    awaited = 0
    for expired in expired_runs(lake, pipeline, run.run_id, run.dead_after_seconds):
        waited = warehouse.await_run(pipeline, expired)
        awaited += waited
        drop_staging(warehouse, [staging_table(warehouse.control_schema, expired), copy_table(run.target, expired)])
        discard_bad_rows(run, expired, lake.key(f"data/quarantine/{pipeline}/"))
        lake.delete_below(staging_prefix(lake, pipeline, expired))
        run.log.warning("cleaned up after an expired run", expired_run_id=expired, statements_awaited=waited)
    return awaited


def close(run: Run) -> None:
    """Clean up after the run, and export its log even if that is interrupted."""
    try:
        _clean_up(run)
    finally:
        export_log(run)


def _clean_up(run: Run) -> None:
    """Delete the run's staging files and table, and, if nothing was loaded, its bad rows.

    A later run deletes whatever cannot be deleted now.
    """
    leftovers = run.leftovers
    try:
        if leftovers.tables:
            drop_staging(run.warehouse, leftovers.tables, leftovers.attempts)
        if leftovers.has_quarantine:
            discard_bad_rows(run, run.run_id, run.quarantine_prefix, leftovers.attempts)
        run.lake.delete_below(run.prefix)
    except PipelineError as error:
        run.log.warning("staging could not be deleted; a later run does it", error=str(error))


def recover_only(run: Run) -> list[LoadResult]:
    """Clean up after expired runs where no pending file would do it; return a result only where that fails."""
    journal = ViewJournal(run)
    try:
        with log_retries_to(run.log), Heartbeat(run.lake, run.spec.pipeline, run.log):
            recover(run)
            journal.restore_by_markers()
    finally:
        close(run)
    return with_problems(run, [], journal.problems())
