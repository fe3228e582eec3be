"""Where a run keeps the rows that it could not load."""

from __future__ import annotations

from framework.errors import PipelineError
from framework.load.run import Run
from framework.warehouse.audit import read_run_counts


def open_quarantine(run: Run) -> None:
    """Make room for the run's bad rows: those of an earlier plan of it go."""
    run.leftovers.wrote_bad_rows()
    run.lake.delete_below(run.quarantine_prefix)


def empty_quarantine(run: Run) -> None:
    """Take out the bad rows of an earlier plan: the load may have fewer files by now."""
    if run.leftovers.has_quarantine:
        run.lake.delete_below(run.quarantine_prefix)
        run.leftovers.removed_bad_rows()


def require_quarantine(run: Run) -> None:
    """See that the run's bad rows, if it has some, are still where it put them.

    Raises:
        PipelineError: another run has taken this one for dead, and cleared them away.
    """
    if run.leftovers.has_quarantine and not any(run.lake.list_objects(run.quarantine_prefix)):
        raise PipelineError(
            f"{run.quarantine_url}: the bad rows have gone. This run gave no sign of life for so long that "
            f"another took it for dead and cleared them away. Nothing was loaded."
        )


def discard_bad_rows(run: Run, run_id: str, below: str, attempts: int | None = None) -> None:
    """Delete the bad rows of a run that has loaded nothing: the file still is where it was, with all its rows."""
    kept = [found.key for found in run.lake.list_objects(below) if f"/{run_id}/" in found.key]
    if kept and not read_run_counts(run.warehouse, run_id, attempts):
        run.lake.delete(kept)
