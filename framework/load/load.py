"""One load, from the files that are pending to the rows in the target and the files in the archive.

Each stage takes and returns values, and may do one kind of thing:

    observe   the target, the audit, other runs' loads  reads the warehouse; skips files that are loaded
    recover   what expired runs have left               cleans up after them, restores their views
    start     control tables, STARTED rows              writes Feedway's own tables
    prepare   stages the rows (stage.py), then plans    writes staging files and quarantine; only reads the target
    evolve    runs the plan's changes of the target     decides nothing (execute.py)
    copy      fills the staging table                   likewise
    merge     one transaction: rows, ledger, audit      likewise
    settle    archives the files, or sets them aside    moves files, writes the audit of those not loaded

A refused statement carries the meaning of its refusal; refusals.py turns it into an outcome. Only a stale plan is
replanned, up to three plans in all. In every case views are restored, staging is deleted and the log is exported;
the next run completes whatever fails.
"""

from __future__ import annotations

from framework.dataclass import dataclass
from framework.load.attempt import Loaded, Unconfirmed, attempt_load
from framework.load.begin import (
    LoadFiles,
    leave_to_others,
    observe_files,
    observe_target,
    recover_first,
    start,
)
from framework.load.discover import Worklist
from framework.load.failures.refusals import Attempt, LoadedByOthers, Stale, Superseded
from framework.load.planning import load_input
from framework.load.recover import close
from framework.load.result import LoadResult
from framework.load.run import Run
from framework.load.settle import archive_loaded, report_loaded, settle_failed, with_problems
from framework.load.stage import Staging, stage_again
from framework.load.views.journal import ViewJournal
from framework.load.views.late import broken_since
from framework.log.retries import log_retries_to
from framework.model.observation import Observation
from framework.plan.load_plan import PlanHints

MAX_PLANS = 3
"""Maximum plans per load when the target changes concurrently."""


@dataclass(frozen=True)
class LoadEnd:
    """The results of a load. `observed` is the observation for the pipeline's next load; None if it must observe."""

    results: list[LoadResult]
    observed: Observation | None


def load_files(run: Run, work: Worklist, pending: LoadFiles, known: Observation | None) -> LoadEnd:
    """Load files together and return their results; `known` is the target as the previous load left it."""
    with log_retries_to(run.log):
        return _Load(run, work, known).run(pending)


class _Load:
    """A load under way: `_files` are those that a failure would fail, `_results` those of all others."""

    def __init__(self, run: Run, work: Worklist, known: Observation | None) -> None:
        self._run, self._work, self._known = run, work, known
        self._journal = ViewJournal(run)
        self._problems: list[str] = []
        self._files: LoadFiles = ()
        self._results: list[LoadResult] = []
        self._observed = known
        self._following: Observation | None = None

    def run(self, pending: LoadFiles) -> LoadEnd:
        """Load the files, and settle those that fail."""
        try:
            self._begin(pending)
            self._complete()
        except Exception as error:
            self._results += settle_failed(self._run, self._files, error, self._observed)
        except BaseException as error:
            settle_failed(self._run, self._files, error, self._observed)
            raise
        finally:
            close(self._run)
        problems = [*self._problems, *self._journal.problems()]
        return LoadEnd(with_problems(self._run, self._results, problems), self._following)

    def _begin(self, pending: LoadFiles) -> None:
        """Observe the target, recover what expired runs have left, and record the start."""
        run = self._run
        run.invocation.begin()
        # Not before: without a heartbeat there is no load, and no file has failed.
        self._files = pending
        eligible, self._observed = observe_files(run, self._work, pending, self._known)
        self._files, self._results = eligible.files, eligible.results
        eligible, self._observed = recover_first(run, self._work, eligible, self._observed, self._journal)
        self._files, self._results = eligible.files, eligible.results
        if self._files:
            start(run, self._files, self._observed)
        else:
            self._following = self._observed

    def _complete(self) -> None:
        """Stage and load the files; plan again where the target has changed."""
        run, work = self._run, self._work
        hints, stale_plans = PlanHints(), 0
        staging: Staging | None = None
        while self._files and self._observed is not None:
            staging = stage_again(run, self._files, self._observed, staging)
            load = load_input(run, self._files, staging.staged)
            attempt = Attempt(load, self._observed, hints, is_own=self._observed is not self._known)
            match attempt_load(run, work, attempt, self._journal):
                case Loaded() as loaded:
                    self._settle(loaded, self._observed)
                case Stale(error, hints, seen):
                    stale_plans += 1
                    if stale_plans == MAX_PLANS:
                        raise error
                    run.log.warning("replanning: the target has changed since it was observed", error=str(error))
                    self._observed = seen or observe_target(run, work, self._files)
                    if self._journal.restore_expired(self._observed.journal):
                        self._observed = observe_target(run, work, self._files)
                case Unconfirmed():
                    self._observed = observe_target(run, work, self._files)
                case LoadedByOthers() | Superseded() as found:
                    eligible, hints = leave_to_others(run, work, self._files, found, hints)
                    self._files, self._results = eligible.files, [*self._results, *eligible.results]
                    self._observed = observe_target(run, work, self._files) if self._files else None

    def _settle(self, loaded: Loaded, observed: Observation) -> None:
        run = self._run
        # The rows are in: these files no longer count as failed, whatever follows.
        self._files = ()
        self._following = loaded.observation_after(observed)
        self._results += report_loaded(run, loaded.plan, loaded.counts)
        if run.slot is not None:
            run.slot.give_back()
        self._problems += broken_since(run, loaded.plan, loaded.broken)
        self._results = archive_loaded(run, self._work, list(loaded.counts), self._results)
