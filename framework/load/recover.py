"""What runs leave behind: clearing away what expired ones left, and what this one need not keep."""

from __future__ import annotations

from framework.errors import PipelineError
from framework.lake.heartbeat import expired_runs, staging_prefix
from framework.load.quarantine import discard_bad_rows
from framework.load.run import Run
from framework.model.names import staging_table
from framework.plan.table_copy import copy_table
from framework.warehouse.staging_tables import drop_staging


def recover(run: Run) -> int:
    """Clear away what dead runs of the pipeline left, once none of their statements runs any more.

    Returns how many statements had to be waited for.
    """
    lake, warehouse, pipeline = run.lake, run.warehouse, run.spec.pipeline
    awaited = 0
    for dead in expired_runs(lake, pipeline, run.run_id, run.dead_after_seconds):
        waited = warehouse.await_run(pipeline, dead)
        awaited += waited
        drop_staging(warehouse, [staging_table(warehouse.control_schema, dead), copy_table(run.target, dead)])
        discard_bad_rows(run, dead, lake.key(f"data/quarantine/{pipeline}/"))
        lake.delete_below(staging_prefix(lake, pipeline, dead))
        run.log.warning("cleared away what a dead run left", dead_run_id=dead, statements_awaited=waited)
    return awaited


def clean_up(run: Run) -> None:
    """Delete the run's staging files and table, and where nothing was loaded its bad rows.

    What cannot be deleted now, a later run clears away.
    """
    leftovers = run.leftovers
    try:
        if leftovers.tables:
            drop_staging(run.warehouse, leftovers.tables, attempts=1)
        if leftovers.has_quarantine:
            discard_bad_rows(run, run.run_id, run.quarantine_prefix, attempts=1)
        run.lake.delete_below(run.prefix)
    except PipelineError as error:
        run.log.warning("staging could not be deleted; a later run does it", error=str(error))
