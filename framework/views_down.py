"""Views that are down because native growth needs it: those of this run, and those that a dead run has left."""

from __future__ import annotations

from collections.abc import Sequence

from framework.bookkeeping import Books
from framework.errors import PipelineError, TransientWarehouseError, WarehouseError
from framework.lake.alive import living_runs
from framework.lake.s3 import Lake
from framework.names import TableName, ledger_table
from framework.plan.steps import JournalStep, Transaction
from framework.schema.table import JournalEntry
from framework.warehouse.view_journal import JournalKey, put_back_views, read_journal

LONGEST_WAIT_SECONDS = 60.0
"""For another run to put back what it has taken down: a growth takes no longer, unless readers hold it up."""
_PAUSE_SECONDS = 2.0


def left_by_dead_runs(
    lake: Lake, entries: Sequence[JournalEntry], own_run_id: str, dead_after_seconds: int
) -> list[JournalEntry]:
    """Return the entries that no other run which is still at work has made."""
    pipelines = {entry.pipeline for entry in entries}
    living = {run for name in pipelines for run in living_runs(lake, name, dead_after_seconds)} - {own_run_id}
    return [entry for entry in entries if entry.run_id not in living]


def signs_of(lake: Lake, target: TableName, control_schema: str) -> str:
    """Return the key prefix of the signs that views on a target may be down: `{pipeline}/{run_id}` of who took them.

    A run of any feed that has nothing to load looks there, which costs no call to the warehouse.
    """
    return lake.key(f"staging/.views-down/{ledger_table(control_schema, target).name}/")


class ViewsDown:
    """The views on a load's target that are down. `not_back` are those that could not be put back, and why."""

    def __init__(self, books: Books) -> None:
        self.not_back: dict[JournalKey, str] = {}
        self._books = books
        self._warehouse = books.warehouse
        self._took_down = False

    def put_back_by_signs(self) -> None:
        """Put back what dead runs have left down where nothing is to be loaded."""
        if not self.put_back_left(self._read()):
            self._take_signs_away()

    def put_back_left(self, journal: Sequence[JournalEntry]) -> bool:
        """Put back what dead runs have left down, and wait for what other runs have; say whether anything changed.

        What cannot be put back is tried once, and stays in the journal.
        """
        journal = [entry for entry in journal if entry.key not in self.not_back]
        if not journal:
            return False
        books = self._books
        dead_after = books.services.environment.dead_after_seconds
        waited = 0.0
        while True:
            left = left_by_dead_runs(books.services.lake, journal, books.run_id, dead_after)
            if len(left) == len(journal) or waited >= LONGEST_WAIT_SECONDS:
                break
            books.log.warning("another run has taken views down; waiting for it", views=_names(journal))
            self._warehouse.pause(_PAUSE_SECONDS)
            waited += _PAUSE_SECONDS
            journal = self._read()
        for pipeline, run_id in sorted({(entry.pipeline, entry.run_id) for entry in left}):
            self._warehouse.await_run(pipeline, run_id)
        if left:
            books.log.warning("a run that has ended left views down", views=_names(left))
            self._put_back(left)
        self._take_signs_away()
        return True

    def _take_signs_away(self) -> None:
        """Delete the signs of runs that have ended and have nothing down any more."""
        lake, dead_after = self._books.services.lake, self._books.services.environment.dead_after_seconds
        down = {entry.run_id for entry in self._read()}
        prefix = signs_of(lake, self._target, self._warehouse.control_schema)
        for key in [found.key for found in lake.list_objects(prefix)]:
            pipeline, _, run_id = key.removeprefix(prefix).partition("/")
            if run_id not in down and run_id not in living_runs(lake, pipeline, dead_after):
                lake.delete([key])

    def run(self, transaction: Transaction) -> None:
        """Run one of the transactions that take views down or put them back.

        A view that cannot be put back keeps nothing else from being: `see_them_back` tries once more.

        Raises:
            WarehouseError: views could not be taken down, or the warehouse does not answer.
        """
        if transaction.journal is JournalStep.DROPS_VIEWS and not self._took_down:
            self._took_down = True
            self._books.services.lake.put(self._own_sign, self._books.run_id)
        try:
            self._warehouse.run(transaction)
        except TransientWarehouseError:
            raise
        except WarehouseError as error:
            if transaction.journal is not JournalStep.RESTORES_VIEWS:
                raise
            self._books.log.warning("a view could not be put back at once", error=str(error))

    def see_them_back(self) -> None:
        """Look that all that this run took down is back, and put back what is not."""
        if self._took_down:
            own = [entry for entry in self._read() if entry.run_id == self._books.run_id]
            self._put_back(own)
            self._took_down = False
            if not any(entry.key in self.not_back for entry in own):
                self._books.services.lake.delete([self._own_sign])

    def see_them_back_on_the_way_out(self) -> None:
        """Do so after a failure, which it must not hide; what cannot be done now, the next run does."""
        try:
            self.see_them_back()
        except PipelineError as error:
            self._books.log.error("views are down; the next run puts them back", error=str(error))

    @property
    def _target(self) -> TableName:
        return self._books.spec.target.table

    @property
    def _own_sign(self) -> str:
        lake, control_schema = self._books.services.lake, self._warehouse.control_schema
        return f"{signs_of(lake, self._target, control_schema)}{self._books.spec.pipeline}/{self._books.run_id}"

    def _read(self) -> list[JournalEntry]:
        return list(read_journal(self._warehouse, self._target))

    def _put_back(self, entries: Sequence[JournalEntry]) -> None:
        self.not_back |= put_back_views(self._warehouse, entries)


def _names(entries: Sequence[JournalEntry]) -> list[str]:
    return [str(entry.view.view) for entry in entries]
