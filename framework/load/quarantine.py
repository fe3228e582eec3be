"""The quarantine: where a run keeps its bad rows."""

from __future__ import annotations

from framework.errors import PipelineError
from framework.load.run import Run
from framework.warehouse.audit import read_run_counts


def empty_quarantine(run: Run) -> None:
    """Delete the bad rows of an earlier plan: the load may have fewer files now."""
    if run.leftovers.has_quarantine:
        run.lake.delete_below(run.quarantine_prefix)
        run.leftovers.deleted_bad_rows()


def require_quarantine(run: Run) -> None:
    """Check that the run's bad rows, if it has some, are still in quarantine.

    Raises:
        PipelineError: this run's heartbeat expired, and another run has deleted them.
    """
    if run.leftovers.has_quarantine and not any(run.lake.list_objects(run.quarantine_prefix)):
        raise PipelineError(
            f"{run.quarantine_url}: the quarantined rows were deleted: this run's heartbeat expired and another run "
            "cleaned up after it. Nothing was loaded."
        )


def discard_bad_rows(run: Run, run_id: str, below: str, attempts: int | None = None) -> None:
    """Delete the bad rows of a run that has loaded nothing: its file is still in place, with all its rows."""
    kept = [found.key for found in run.lake.list_objects(below) if f"/{run_id}/" in found.key]
    if kept and not read_run_counts(run.warehouse, run_id, attempts):
        run.lake.delete(kept)
