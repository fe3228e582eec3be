"""Cleaning up after runs: after expired ones, and after this one."""

from __future__ import annotations

from functools import partial

from framework.errors import PipelineError
from framework.lake.quarantine import quarantine_prefix
from framework.load.audit_trail import export_log
from framework.load.invocation import SHARED
from framework.load.quarantine.folder import discard_bad_rows
from framework.load.result import LoadResult
from framework.load.run import Run
from framework.load.settle import with_problems
from framework.load.views.journal import ViewJournal
from framework.log.retries import log_retries_to
from framework.model.names import staging_table
from framework.plan.table_copy import copy_table
from framework.warehouse.staging_tables import drop_staging

_RUNS_PER_DROP = 200
"""Each has two tables, whose names are up to 260 bytes."""


def recover(run: Run) -> int:
    """Clean up after expired runs of the pipeline, once none of their statements is running.

    Returns how many running statements were awaited.
    """
    lake, warehouse, pipeline = run.lake, run.warehouse, run.spec.pipeline
    expired = run.invocation.expired_runs(pipeline)
    if not expired:
        return 0
    run_ids = [left.run_id for left in expired]
    shared = {(SHARED, left.invocation_id) for left in expired}
    awaited = warehouse.await_runs({*((pipeline, run_id) for run_id in run_ids), *shared})
    for start in range(0, len(run_ids), _RUNS_PER_DROP):
        some = run_ids[start : start + _RUNS_PER_DROP]
        staging = [staging_table(warehouse.control_schema, run_id) for run_id in some]
        drop_staging(warehouse, [*staging, *(copy_table(run.target, run_id) for run_id in some)])
    discard_bad_rows(run, run_ids, quarantine_prefix(lake, pipeline))
    lake.delete([key for left in expired for key in left.keys])
    run.invocation.recovered(run_ids)
    run.log.warning("cleaned up after expired runs", expired_run_ids=run_ids, statements_awaited=awaited)
    return awaited


def close(run: Run) -> None:
    """Clean up after the run, and export its log even if that is interrupted."""
    try:
        _delete_leftovers(run)
        plan = run.progress.plan
        if plan is None or plan.single is None:
            # They may be large; small ones are deleted together when the invocation ends.
            run.lake.delete_below(run.prefix)
    except PipelineError as error:
        run.log.warning("the run could not be cleaned up after yet", error=str(error))
        run.invocation.leaves(run.run_id, partial(_delete_leftovers, run))
    finally:
        run.invocation.ended(run.run_id)
        export_log(run)


def _delete_leftovers(run: Run) -> None:
    """Drop the run's own tables, and, if nothing was loaded, delete its bad rows."""
    leftovers = run.leftovers
    if leftovers.tables:
        drop_staging(run.warehouse, leftovers.tables, leftovers.attempts)
    if leftovers.has_quarantine:
        discard_bad_rows(run, [run.run_id], run.quarantine_prefix, leftovers.attempts)


def recover_only(run: Run) -> list[LoadResult]:
    """Clean up after expired runs where no pending file would do it; return a result only where that fails."""
    journal = ViewJournal(run)
    try:
        with log_retries_to(run.log):
            run.invocation.begin()
            recover(run)
            journal.restore_by_markers()
    finally:
        close(run)
    return with_problems(run, [], journal.problems())
