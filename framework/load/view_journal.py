"""Views that are dropped for native growth: those of this run, and those that an expired run did not restore."""

from __future__ import annotations

from collections.abc import Sequence

from framework.errors import PipelineError, TransientWarehouseError, WarehouseError
from framework.lake.heartbeat import active_runs
from framework.lake.lake import Lake
from framework.load.run import Run
from framework.model.names import TableName, ledger_table
from framework.model.observation import JournalEntry
from framework.plan.steps import JournalStep, Transaction
from framework.warehouse.view_journal import JournalKey, read_journal, restore_views

LONGEST_WAIT_SECONDS = 60.0
"""Maximum wait for another run to restore its dropped views: a growth takes longer only if readers block it."""
_PAUSE_SECONDS = 2.0


def left_by_expired_runs(
    lake: Lake, entries: Sequence[JournalEntry], own_run_id: str, dead_after_seconds: int
) -> list[JournalEntry]:
    """Return the entries that were not made by another active run."""
    pipelines = {entry.pipeline for entry in entries}
    active = {run for name in pipelines for run in active_runs(lake, name, dead_after_seconds)} - {own_run_id}
    return [entry for entry in entries if entry.run_id not in active]


def markers_prefix(lake: Lake, target: TableName, control_schema: str) -> str:
    """Return the prefix of the markers that runs leave while they have dropped views on `target`.

    The markers are `{pipeline}/{run_id}` below it. A run with nothing to load lists them, which costs no call to
    the warehouse.
    """
    return lake.key(f"staging/.views-down/{ledger_table(control_schema, target).name}/")


class ViewJournal:
    """The views of a load's target in the view journal. `not_restored` are those that failed, with the reason."""

    def __init__(self, run: Run) -> None:
        self.not_restored: dict[JournalKey, str] = {}
        self._run = run
        self._warehouse = run.warehouse
        self._dropped_views = False

    def problems(self) -> list[str]:
        """Return a message on views that could not be restored: they fail the run, but no load."""
        if not self.not_restored:
            return []
        reasons = "; ".join(f"{view}: {reason}" for (_, view), reason in self.not_restored.items())
        message = (
            f"Views on {self._target} were dropped and cannot be restored: {reasons}. The view journal keeps their "
            "definitions, owners, privileges and comments. Correct what they depend on and run restore-views, which "
            "also prints the statements."
        )
        return [message]

    def restore_by_markers(self) -> None:
        """Restore the views that expired runs have dropped, where there is nothing to load."""
        if not self.restore_expired(self._read()):
            self._delete_markers()

    def restore_expired(self, journal: Sequence[JournalEntry]) -> bool:
        """Restore the views that expired runs have dropped, and wait for other runs; return whether any changed.

        A view that cannot be restored is attempted once, and stays in the journal.
        """
        journal = [entry for entry in journal if entry.key not in self.not_restored]
        if not journal:
            return False
        run = self._run
        waited = 0.0
        while True:
            left = left_by_expired_runs(run.lake, journal, run.run_id, run.dead_after_seconds)
            if len(left) == len(journal) or waited >= LONGEST_WAIT_SECONDS:
                break
            run.log.warning("another run has dropped views; waiting for it", views=_names(journal))
            self._warehouse.pause(_PAUSE_SECONDS)
            waited += _PAUSE_SECONDS
            journal = self._read()
        for pipeline, run_id in sorted({(entry.pipeline, entry.run_id) for entry in left}):
            self._warehouse.await_run(pipeline, run_id)
        if left:
            run.log.warning("restoring views that an expired run dropped", views=_names(left))
            self._restore(left)
        self._delete_markers()
        return True

    def _delete_markers(self) -> None:
        """Delete the markers of runs that have ended and have no view in the journal any more."""
        lake, dead_after = self._run.lake, self._run.dead_after_seconds
        in_journal = {entry.run_id for entry in self._read()}
        prefix = markers_prefix(lake, self._target, self._warehouse.control_schema)
        for key in [found.key for found in lake.list_objects(prefix)]:
            pipeline, _, run_id = key.removeprefix(prefix).partition("/")
            if run_id not in in_journal and run_id not in active_runs(lake, pipeline, dead_after):
                lake.delete([key])

    def run(self, transaction: Transaction) -> WarehouseError | None:
        """Run a transaction that drops or restores views.

        Returns the error if views could not be dropped, or if the warehouse did not answer. A view that cannot be
        restored does not stop the load: `restore_own` retries.
        """
        if transaction.journal is JournalStep.DROPS_VIEWS and not self._dropped_views:
            self._dropped_views = True
            self._run.lake.put(self._own_marker, self._run.run_id)
        try:
            self._warehouse.run(transaction)
        except WarehouseError as error:
            is_transient = isinstance(error, TransientWarehouseError)
            if is_transient or transaction.journal is not JournalStep.RESTORES_VIEWS:
                return error
            self._run.log.warning("could not restore a view yet", error=str(error))
        return None

    def restore_own(self) -> None:
        """Recreate every view this run dropped that does not exist."""
        if self._dropped_views:
            own = [entry for entry in self._read() if entry.run_id == self._run.run_id]
            self._restore(own)
            self._dropped_views = False
            if not any(entry.key in self.not_restored for entry in own):
                self._run.lake.delete([self._own_marker])

    def restore_own_after_failure(self) -> None:
        """Best effort after a failure; never masks it. The next run restores the rest."""
        try:
            self.restore_own()
        except PipelineError as error:
            self._run.log.error("could not restore dropped views; the next run restores them", error=str(error))

    @property
    def _target(self) -> TableName:
        return self._run.target

    @property
    def _own_marker(self) -> str:
        lake, control_schema = self._run.lake, self._warehouse.control_schema
        return f"{markers_prefix(lake, self._target, control_schema)}{self._run.spec.pipeline}/{self._run.run_id}"

    def _read(self) -> list[JournalEntry]:
        return list(read_journal(self._warehouse, self._target))

    def _restore(self, entries: Sequence[JournalEntry]) -> None:
        self.not_restored |= restore_views(self._warehouse, entries)


def _names(entries: Sequence[JournalEntry]) -> list[str]:
    return [str(entry.view.view) for entry in entries]
