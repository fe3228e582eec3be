"""A load, from the files that are pending to the rows in the target and the file in the archive.

observe   spec, pending files, target, audit      as they are
plan      prepare.py and plan/                    what to do
execute   the plan's transactions, then files and logs
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from framework.bookkeeping import Books
from framework.discover import Work, discover
from framework.errors import (
    Cause,
    OnRefusal,
    SchemaChangeError,
    SourceFileError,
    SpecError,
    TransientWarehouseError,
    WarehouseError,
)
from framework.frames.protocol import FrameEngine
from framework.lake.alive import SignOfLife, staging_prefix
from framework.lake.at_once import at_once
from framework.limits import check_limits
from framework.names import TableName, ledger_table
from framework.outcome import Outcome, is_outage
from framework.plan.steps import Statement, Transaction
from framework.precedence import (
    count_again,
    is_picked,
    loaded_already,
    overtaken_meanwhile,
    precedence_of,
    why_overtaken,
)
from framework.prepare import Preparation, PrepareContext, prepare
from framework.results import LoadRequest, LoadResult, RecordCounts, Services
from framework.retries import telling
from framework.schema.changes import rewritten_columns
from framework.schema.same_content import with_loads
from framework.schema.spellings import with_spellings
from framework.schema.table import Observation, PastLoad
from framework.schema.values import FileIdentity, SourceBatch, SourceFile
from framework.spec.pipeline import PipelineSpec
from framework.transfer import copy, merge, write_manifest
from framework.unmatched import new_unmatched, remember_unmatched, unmatched_warning
from framework.views_down import ViewsDown, signs_of
from framework.warehouse.control import ensure_control_tables
from framework.warehouse.observe import observe

MAX_PLANS = 3
"""So often is a load planned when somebody else changes the target meanwhile."""


def run_pipeline(spec: PipelineSpec, services: Services, request: LoadRequest) -> Iterator[list[LoadResult]]:
    """Load a pipeline's pending files, or the one that is asked for; yield each load's results, one per source file.

    Nothing pending gives no result. A failure is a result too, and ends the pipeline's run where
    the spec says `on_failure: stop`, or where the warehouse is out of reach for every file.

    Raises:
        SpecError: the file that is asked for is not in the lake, or not surely the pipeline's.
        WarehouseError: the lake cannot be listed.
    """
    observed: Observation | None = None
    # Before the first load there is no run; what has to be told of that has a log of its own, in the stream only.
    with telling(services.open_log(services.new_run_id(), spec.pipeline)):
        work = discover(spec, services, request)
        unmatched = new_unmatched(spec, services, work.unmatched)
    if work.unsure:
        yield _Load(spec, services, request, work).outcome.unsure(work.unsure)
    for keys in work.loads:
        load = _Load(spec, services, request, work)
        if unmatched:
            load.outcome.warn(unmatched_warning(spec, unmatched))
        loaded = load.run(keys, observed)
        yield loaded
        if unmatched:
            remember_unmatched(spec, services, work.unmatched)
            unmatched = []
        observed = load.observed_for_next
        failures = [result.failure.error for result in loaded if result.failure and result.status == "FAILED"]
        if any(map(is_outage, failures)) or (failures and spec.source.on_failure == "stop"):
            return
    if not work.loads and _is_something_left(spec, services):
        yield _Load(spec, services, request, work).recover()


def _is_something_left(spec: PipelineSpec, services: Services) -> bool:
    """Say whether a run of the pipeline has left something, or one of any feed views on the target that are down."""
    lake = services.lake
    signs = signs_of(lake, spec.target.table, services.environment.warehouse.control_schema)
    return any(lake.list_objects(staging_prefix(lake, spec.pipeline))) or any(lake.list_objects(signs))


def _is_stale(error: WarehouseError) -> bool:
    """Return whether the merge was refused because the target is not what it was planned for."""
    # The plan has seen to it that the values fit: somebody has made a column narrower since.
    is_narrower = error.refused is OnRefusal.ROWS_DO_NOT_FIT and error.cause is Cause.VALUE_TOO_LONG
    return error.refused is OnRefusal.REPLAN or is_narrower


class _Load:
    """One load under way: what it holds, and at which step it is."""

    def __init__(self, spec: PipelineSpec, services: Services, request: LoadRequest, work: Work) -> None:
        self.spec = spec
        self.work = work
        self.services = services
        self.request = request
        self.books = Books(spec, services, services.new_run_id())
        self.log = self.books.log
        self.outcome = Outcome(self.books, request, work)
        self.precedence = precedence_of(spec, services.lake, request)
        self.step = "discover"
        self.files: list[SourceFile] = []
        self.frames: FrameEngine | None = None
        self.plans = 0
        self.has_staging_table = False
        self.views_down = ViewsDown(self.books)
        self.evolving: Transaction | None = None
        self.observed_for_next: Observation | None = None
        self.counts: dict[str, RecordCounts] = {}

    def run(self, keys: Sequence[str], observed: Observation | None) -> list[LoadResult]:
        """Load the files together and say what came of each. However it ends, the log is exported."""
        with telling(self.log):
            return self._run_to_the_end(keys, observed)

    def _run_to_the_end(self, keys: Sequence[str], observed: Observation | None) -> list[LoadResult]:
        try:
            with SignOfLife(self.services.lake, self.spec.pipeline, self.log):
                results = self._load_and_settle(keys, observed)
        except Exception as error:
            lost = self.outcome.lost_to_another(self.step, self.files)
            results = lost or self.outcome.failed(self.step, self.files, error)
        except BaseException as error:
            self.outcome.failed(self.step, self.files, error)
            raise
        finally:
            self.books.clean_up(self.has_staging_table, bool(self.counts))
            self.books.export_log()
        self.outcome.tell_views_not_back(self.views_down.not_back)
        return self.outcome.all_results(results)

    def _load_and_settle(self, keys: Sequence[str], observed: Observation | None) -> list[LoadResult]:
        self._load(keys, observed)
        self._enter("settle")
        return self.outcome.loaded(self.files, self.counts)

    def _load(self, keys: Sequence[str], observed: Observation | None) -> None:
        self._enter("discover")
        self.files = [file for file in at_once(self.services.lake.describe, keys) if file is not None]
        if not self.files:
            self.log.info("the files have gone; another run has taken them", keys=list(keys))
            return
        self._enter("observe")
        observed = observed or self._observe()
        self._leave_out_loaded(observed)
        if self.precedence is not None and is_picked(self.request):
            self._refuse(why_overtaken(self.books, self.files))
        self._enter("recover")
        if self.books.recover(self.services.environment.dead_after_seconds):
            # What a dead run had still running may have changed what was observed, and loaded the files.
            observed = self._observe()
            self._leave_out_loaded(observed)
        if self.views_down.put_back_left(observed.journal):
            observed = self._observe()
        if not self.files:
            self.observed_for_next = observed
            return
        self._enter("start")
        self.log.info("load started", files=[file.url for file in self.files])
        ensure_control_tables(self.books.warehouse, self.spec.target.table, observed)
        self.books.write("STARTED", self.files)
        plans = 0
        while self.files:
            try:
                self._bring_in(observed)
                return
            except WarehouseError as error:
                if error.refused in (OnRefusal.ALREADY_LOADED, OnRefusal.SUPERSEDED):
                    self._leave_to_others(error)
                    self.observed_for_next = None
                    observed = self._observe()
                    continue
                plans += 1
                if not _is_stale(error) or plans == MAX_PLANS:
                    raise
                self.log.warning("the target changed meanwhile; the load is planned again", error=str(error))
            self.observed_for_next = None
            observed = self._observe()

    def _leave_to_others(self, error: WarehouseError) -> None:
        """Leave out the files that another run has loaded meanwhile, or has loaded a later one than.

        Raises:
            WarehouseError: the merge was stopped by what the ledger does not show: it was tampered with.
        """
        before = (list(self.files), dict(self.books.generations), set(self.books.harmless))
        if error.refused is OnRefusal.ALREADY_LOADED:
            meanwhile = dict.fromkeys(self.files, "another run has loaded it meanwhile")
            self._skip(meanwhile if self.request.again else loaded_already(self.books, self.files))
        elif self.precedence is not None:
            self._skip(dict.fromkeys(self.outcome.gone(self.files), "another run has taken the file"))
            reasons = overtaken_meanwhile(self.books, self.files, self.precedence) if self.files else {}
            if self.spec.load.mode == "replace" and not is_picked(self.request):
                overtaken = [file for file in self.files if file.key in reasons]
                self._skip(dict.fromkeys(overtaken, "a newer file, which another run has loaded, replaces the table"))
            else:
                refused = [file for file in self.files if file.key in reasons]
                self.books.write(
                    "SKIPPED", refused, "refused: a later file, which another run has loaded, comes after it"
                )
                self._refuse(reasons)
        if before == (self.files, self.books.generations, self.books.harmless):
            raise error
        self.log.warning("another run was faster", error=str(error), files_left=len(self.files))

    def _bring_in(self, observed: Observation) -> None:
        """Stage the rows, bring the table to them, and merge them."""
        observed, prepared = self._prepare_and_evolve(observed)
        self._enter("copy")
        manifest_url = write_manifest(self.books, prepared)
        self.has_staging_table = True
        copy(self.books, prepared, manifest_url)
        self._enter("merge")
        self.counts = merge(self.books, self.files, observed, prepared, self.request)
        self.has_staging_table = False
        if self.observed_for_next is not None:
            seen = with_loads(self.observed_for_next, self._own_loads())
            self.observed_for_next = with_spellings(seen, prepared.spellings)
        self.outcome.tell_broken_late_views()

    def _own_loads(self) -> dict[FileIdentity, PastLoad]:
        generations, run_id, now = self.books.generations, self.books.run_id, self.services.now()
        return {
            file.identity: PastLoad(generations.get(file.key, 1), run_id, now, self.counts[file.key].read)
            for file in self.files
        }

    def _observe(self) -> Observation:
        # Of all that is pending, because one look serves every load of the run.
        etags = [*(file.identity.etag for file in self.files), *self.work.etags]
        return observe(self.books.warehouse, self.spec, etags)

    def _leave_out_loaded(self, observed: Observation) -> None:
        """Skip the files that the audit knows as loaded, unless they are to be loaded again."""
        for file in self.files:
            self.outcome.failed_before[file.key] = observed.history_of(file.identity).failures
        if self.request.again:
            ledger = ledger_table(self.services.warehouse.settings.control_schema, self.spec.target.table)
            # Counted once: what a dead run's merge enters meanwhile is what is asked for here.
            if ledger.name in observed.control_tables and not self.books.generations:
                count_again(self.books, self.files)
            return
        known = [file for file in self.files if observed.history_of(file.identity).generation]
        if known:
            self._skip(loaded_already(self.books, known))

    def _skip(self, reasons: Mapping[SourceFile, str]) -> None:
        """Leave out files that need not be loaded any more; they are recorded with the reason, and archived."""
        self.files = [file for file in self.files if file not in reasons]
        self.outcome.leave_out(reasons)

    def _refuse(self, reasons: Mapping[str, str]) -> None:
        """Leave out files that come too late, and say so."""
        refused = [file for file in self.files if file.key in reasons]
        self.files = [file for file in self.files if file.key not in reasons]
        for file in refused:
            self.outcome.refuse(self.step, file, reasons[file.key])

    def _prepare_and_evolve(self, observed: Observation) -> tuple[Observation, Preparation]:
        """Prepare the rows and bring the table to them; again when it is not as it was observed.

        Returns the plan, and the observation that it rests on.
        """
        for plan_number in range(1, MAX_PLANS + 1):
            self._enter("prepare")
            prepared = self._prepare(observed)
            check_limits(self.books, self.files, observed, prepared, self.request)
            self._enter("evolve")
            if rewritten_columns(prepared.changes):
                rebuilt = [view.view for view in prepared.views.drops]
                self.outcome.look_at_late_views([self.spec.target.table, *rebuilt])
            try:
                self._evolve(prepared)
            except WarehouseError as error:
                assert self.evolving is not None
                refused = self.evolving.refused_by(error)
                # Of what was not even begun, or may pass, the target is not to blame.
                if refused is None or isinstance(error, TransientWarehouseError):
                    raise
                seen_again = self._observe()
                is_overtaken = error.refused is OnRefusal.REPLAN or self._is_to_be_dropped(error, refused)
                unchanged = replace(seen_again, history=observed.history) == observed and not is_overtaken
                if unchanged or plan_number == MAX_PLANS:
                    self._blame_spec(error, refused)
                    raise
                self.log.warning("the target changed meanwhile; the load is planned again", error=str(error))
                observed = seen_again
            else:
                break
        if not prepared.evolution:
            self.observed_for_next = observed
        return observed, prepared

    def _is_to_be_dropped(self, error: WarehouseError, refused: Statement) -> bool:
        """Say whether a view that could not be replaced is dropped and created by the next plan."""
        view = refused.values.get("view")
        if error.refused is not OnRefusal.VIEW_NOT_REPLACED or not isinstance(view, TableName):
            return False
        is_new = view not in self.books.views_to_drop
        self.books.views_to_drop.add(view)
        return is_new

    def _evolve(self, prepared: Preparation) -> None:
        """Run the transactions that bring the table to the rows; `evolving` is the one under way.

        However it ends, what was taken down for it is put back.
        """
        try:
            for self.evolving in prepared.evolution:
                if self.evolving.journal is not None:
                    self.views_down.run(self.evolving)
                    continue
                self.books.has_copy = self.books.has_copy or self.evolving.leaves is not None
                self.books.warehouse.run(self.evolving)
        except BaseException:
            self.views_down.see_them_back_on_the_way_out()
            raise
        self.books.has_copy = False
        self.views_down.see_them_back()

    def _blame_spec(self, error: WarehouseError, refused: Statement) -> None:
        """Raise a SpecError where what was refused is the definition of a view, or a privilege of the spec."""
        if error.refused is OnRefusal.BAD_GRANT:
            raise SpecError(
                f"{self.spec.path}: a privilege that grants names cannot be granted or revoked: "
                f"{error.reason}. Create who is missing, or correct grants."
            ) from error
        if error.refused is OnRefusal.TABLE_IN_USE:
            raise SchemaChangeError(
                f"{self.spec.target.table} must be copied into a table with wider columns, and something stands on it "
                f"that cannot be taken down, such as another table's foreign key: {error.first_line}. Nothing was "
                "changed. Have an administrator drop that foreign key (alter table … drop constraint …), and create it "
                "again after the load."
            ) from error
        if error.refused in (OnRefusal.BAD_VIEW, OnRefusal.VIEW_NOT_REPLACED):
            view = refused.values["view"]
            what_to_do = "Correct the view's definition."
            if view not in {named.view for named in self.spec.views}:
                what_to_do = "The spec does not name it: have its owner change or drop it, or correct what is below it."
            raise SpecError(
                f"{self.spec.path}: the view {view} cannot be created: {error.reason}. "
                f"The change was rolled back. {what_to_do}"
            ) from error

    def _prepare(self, observed: Observation) -> Preparation:
        self.plans += 1
        self.books.empty_own_quarantine()
        destination = self.services.lake.url(f"{self.books.prefix}plan-{self.plans}/")
        context = PrepareContext(self.books, self._choose_frames, destination, self.request)
        prepared = prepare(context, self.files, observed)
        if self.frames is not None and not self.frames.notices_replacement and self.outcome.gone(self.files):
            raise SourceFileError("a file was replaced while it was read; the next run loads it")
        self.outcome.changes = prepared.changes
        self.outcome.planned_warnings = prepared.warnings
        return prepared

    def _choose_frames(self, batch: SourceBatch) -> FrameEngine:
        self.frames = self.services.frames(batch)
        self.outcome.engine_name = self.frames.name
        return self.frames

    def recover(self) -> list[LoadResult]:
        """Clear away what dead runs left, where nothing is pending that would do it; a result only where that fails."""
        try:
            with telling(self.log), SignOfLife(self.services.lake, self.spec.pipeline, self.log):
                self.books.recover(self.services.environment.dead_after_seconds)
                self.views_down.put_back_by_signs()
        finally:
            self.books.clean_up(self.has_staging_table, bool(self.counts))
            self.books.export_log()
        self.outcome.tell_views_not_back(self.views_down.not_back)
        return self.outcome.all_results([])

    def _enter(self, step: str) -> None:
        self.step = step
        self.log.info("step", step=step)
