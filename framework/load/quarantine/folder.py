"""The quarantine: where a run keeps its bad rows."""

from __future__ import annotations

from collections.abc import Collection

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


def discard_bad_rows(run: Run, run_ids: Collection[str], below: str, attempts: int | None = None) -> None:
    """Delete the bad rows of runs that have loaded nothing: their files are still in place, with all their rows."""
    kept: dict[str, list[str]] = {}
    for found in run.lake.list_objects(below):
        for run_id in set(run_ids).intersection(found.key.split("/")):
            kept.setdefault(run_id, []).append(found.key)
    for run_id, keys in kept.items():
        if not read_run_counts(run.warehouse, run_id, attempts):
            run.lake.delete(keys)
