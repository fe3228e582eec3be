"""The beginning of a load: the observation of the warehouse, and the work of other runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from framework.dataclass import dataclass
from framework.load.audit_trail import write_rows
from framework.load.discover import Worklist
from framework.load.eligibility import (
    as_next_generation,
    known_as_loaded,
    loaded_already,
    superseded_before,
    superseded_meanwhile,
)
from framework.load.failures.refusals import LoadedByOthers, Superseded
from framework.load.first_loads import FRESH_SECONDS
from framework.load.order import precedence_of
from framework.load.recover import recover
from framework.load.request import is_again, names_files
from framework.load.result import LoadResult
from framework.load.run import Run, Step
from framework.load.settle import gone, refuse_files, skip_files
from framework.load.views.journal import ViewJournal
from framework.log.run_log import Event
from framework.model.names import ledger_table
from framework.model.observation import Observation
from framework.plan.audit import LoadFile
from framework.plan.load_plan import PlanHints
from framework.warehouse.catalog import observe
from framework.warehouse.control_tables import add_control_columns, ensure_control_tables

LoadFiles = tuple[LoadFile, ...]


@dataclass(frozen=True)
class Eligible:
    """The files still to load, and the results of those left out."""

    files: LoadFiles
    results: list[LoadResult]

    def without(self, left_out: Sequence[LoadFile], results: Sequence[LoadResult]) -> Eligible:
        """Return the value with more files left out."""
        return Eligible(tuple(file for file in self.files if file not in left_out), [*self.results, *results])


def observe_target(run: Run, work: Worklist, files: Sequence[LoadFile]) -> Observation:
    """Return the observation of the warehouse, with the history of all pending files, so that it serves every load."""
    etags = [*(file.source.identity.etag for file in files), *work.etags]
    return observe(run.warehouse, run.spec, etags)


def observe_files(
    run: Run, work: Worklist, files: LoadFiles, known: Observation | None
) -> tuple[Eligible, Observation]:
    """Observe the target, and leave out files that need not or must not be loaded."""
    run.progress.enter(Step.OBSERVE)
    files = _still_there(run, work, files)
    observed = known or observe_target(run, work, files)
    # Before the first audit row: of an earlier release's control schema it may have none.
    add_control_columns(run.warehouse, observed, run.invocation.creation)
    eligible = _leave_out_loaded(run, work, Eligible(_numbered(run, files, observed), []), observed)
    has_order = precedence_of(run.spec, run.lake, run.request) is not None
    if eligible.files and names_files(run.request) and has_order:
        late = superseded_before(run, eligible.files)
        eligible = eligible.without(list(late), refuse_files(run, late))
    return eligible, observed


def recover_first(
    run: Run, work: Worklist, eligible: Eligible, observed: Observation, journal: ViewJournal
) -> tuple[Eligible, Observation]:
    """Clean up after expired runs, and leave out files that they have loaded after all.

    Returns the files to load, and the observation to plan on.
    """
    run.progress.enter(Step.RECOVER)
    awaited = recover(run)
    if awaited:
        # A statement that an expired run had still running may have changed the target, or loaded the files.
        observed = observe_target(run, work, eligible.files)
    if journal.restore_expired(observed.journal):
        observed = observe_target(run, work, eligible.files)
    return (_leave_out_loaded(run, work, eligible, observed) if awaited else eligible), observed


def start(run: Run, files: LoadFiles, observed: Observation) -> None:
    """Create missing control tables, and record that the load has begun, unless the invocation does it."""
    run.progress.enter(Step.START)
    run.log.info(Event.LOAD_STARTED, files=[file.source.url for file in files])
    if run.invocation.first_loads.start_of(run.run_id) is None:
        ensure_control_tables(run.warehouse, run.target, observed, run.invocation.creation)
        write_rows(run, "STARTED", files)


def leave_to_others(
    run: Run, work: Worklist, files: LoadFiles, found: LoadedByOthers | Superseded, hints: PlanHints
) -> tuple[Eligible, PlanHints]:
    """Leave out the files that another run has loaded meanwhile, or that it has superseded by loading a later one.

    Raises:
        WarehouseError: the ledger does not show why the merge was stopped: it was tampered with.
    """
    eligible, before = Eligible(files, []), (files, hints)
    match found:
        case LoadedByOthers():
            eligible = _loaded_meanwhile(run, work, eligible)
        case Superseded():
            eligible, hints = _superseded_meanwhile(run, work, eligible, hints)
    if (eligible.files, hints) == before:
        raise found.error
    run.log.warning("files were loaded by a concurrent run", error=str(found.error), files_left=len(eligible.files))
    return eligible, hints


def _loaded_meanwhile(run: Run, work: Worklist, eligible: Eligible) -> Eligible:
    if is_again(run.request):
        reasons = dict.fromkeys(eligible.files, "another run has loaded it meanwhile")
        return eligible.without(eligible.files, skip_files(run, work, reasons))
    loaded, left = loaded_already(run, eligible.files)
    return Eligible(left, [*eligible.results, *skip_files(run, work, loaded)])


def _superseded_meanwhile(run: Run, work: Worklist, eligible: Eligible, hints: PlanHints) -> tuple[Eligible, PlanHints]:
    taken = dict.fromkeys(gone(run, eligible.files), "another run has taken the file")
    left = [file for file in eligible.files if file not in taken]
    precedence = precedence_of(run.spec, run.lake, run.request)
    late: dict[LoadFile, str] = {}
    if left and precedence is not None:
        late, earlier = superseded_meanwhile(run, left, precedence)
        hints = replace(hints, earlier_files=hints.earlier_files | earlier)
    # Everything is read before the first file is left out: what fails from then on would fail files that are settled.
    eligible = eligible.without(list(taken), skip_files(run, work, taken))
    if run.spec.load.mode.replaces_table and not names_files(run.request):
        why = "a newer file, which another run has loaded, replaces the table"
        return eligible.without(list(late), skip_files(run, work, dict.fromkeys(late, why))), hints
    write_rows(run, "SKIPPED", list(late), "refused: a later file, which another run has loaded, comes after it")
    return eligible.without(list(late), refuse_files(run, late)), hints


def _still_there(run: Run, work: Worklist, files: LoadFiles) -> LoadFiles:
    """Return files without those that are gone or were replaced since they were listed, of which one would fail all.

    Files that were listed a moment ago are there.
    """
    is_first = files == work.loads[0]
    if len(files) == 1 or (is_first and time.monotonic() - work.listed_at < FRESH_SECONDS):
        return files
    lost = gone(run, files)
    if lost:
        run.log.info("files are gone or were replaced since they were listed", files=[file.source.url for file in lost])
    return tuple(file for file in files if file not in lost)


def _numbered(run: Run, files: LoadFiles, observed: Observation) -> LoadFiles:
    """Return the files with their next generation, where they are to be loaded again.

    Computed once: a merge of an expired run that enters the file meanwhile has done what this run was asked for.
    """
    ledger = ledger_table(run.warehouse.control_schema, run.target)
    if not is_again(run.request) or ledger.name not in observed.control_tables:
        return files
    return as_next_generation(run, files)


def _leave_out_loaded(run: Run, work: Worklist, eligible: Eligible, observed: Observation) -> Eligible:
    """Skip the files that the audit knows as loaded, unless they are to be loaded again."""
    loaded, left = known_as_loaded(run, eligible.files, observed)
    return Eligible(left, [*eligible.results, *skip_files(run, work, loaded)])
