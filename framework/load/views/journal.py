"""Views that are dropped for native growth: those of this run, and those that an expired run did not restore."""

from __future__ import annotations

from collections.abc import Sequence

from framework.errors import PipelineError, TransientWarehouseError, WarehouseError
from framework.lake.heartbeat import markers_prefix
from framework.load.invocation import Invocation
from framework.load.run import Run
from framework.model.names import TableName, ledger_table
from framework.model.observation import JournalEntry
from framework.plan.steps import JournalStep, Transaction
from framework.warehouse.view_journal import JournalKey, read_journal, restore_views

LONGEST_WAIT_SECONDS = 60.0
"""Maximum wait for another run to restore its dropped views: a growth takes longer only if readers block it."""
_PAUSE_SECONDS = 2.0


def left_by_expired_runs(
    invocation: Invocation, entries: Sequence[JournalEntry], own_run_id: str | None = None
) -> list[JournalEntry]:
    """Return the entries that were not made by another active run."""
    activity = invocation.read_activity()
    return [
        entry
        for entry in entries
        if entry.run_id == own_run_id or not invocation.is_active(entry.run_id, entry.invocation_id, activity)
    ]


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
            "definitions, owners, privileges and comments. Correct what they depend on and restore them, which also "
            f"prints the statements: {self._run.services.program.command('restore-views')}"
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
            left = left_by_expired_runs(run.invocation, journal, run.run_id)
            if len(left) == len(journal) or waited >= LONGEST_WAIT_SECONDS:
                break
            run.log.warning("another run has dropped views; waiting for it", views=_names(journal))
            self._warehouse.pause(_PAUSE_SECONDS)
            waited += _PAUSE_SECONDS
            journal = self._read()
        self._warehouse.await_runs({(entry.pipeline, entry.run_id) for entry in left})
        if left:
            run.invocation.first_loads.changes(entry.view.view for entry in left)
            run.log.warning("restoring views that an expired run dropped", views=_names(left))
            self._restore(left)
        self._delete_markers()
        return True

    def _delete_markers(self) -> None:
        """Delete the markers of runs that have ended and have no view in the journal any more."""
        invocation, lake = self._run.invocation, self._run.lake
        in_journal = {entry.run_id for entry in self._read()}
        activity = invocation.read_activity()
        for key in activity.markers:
            if not key.startswith(self._markers):
                continue
            path, _, run_id = key.rpartition("/")
            invocation_id = path.rpartition("/")[2]
            if run_id not in in_journal and not invocation.is_active(run_id, invocation_id, activity):
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
    def _markers(self) -> str:
        ledger = ledger_table(self._warehouse.control_schema, self._target)
        return markers_prefix(self._run.lake, ledger.name)

    @property
    def _own_marker(self) -> str:
        run = self._run
        return f"{self._markers}{run.spec.pipeline}/{run.invocation.id}/{run.run_id}"

    def _read(self) -> list[JournalEntry]:
        return list(read_journal(self._warehouse, self._target))

    def _restore(self, entries: Sequence[JournalEntry]) -> None:
        self.not_restored |= restore_views(self._warehouse, entries)


def _names(entries: Sequence[JournalEntry]) -> list[str]:
    return [str(entry.view.view) for entry in entries]
