"""One load, from the files that are pending to the rows in the target and the files in the archive.

Each stage takes and returns values, and may do one kind of thing:

    discover  describes the files                       reads S3
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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from framework.lake.heartbeat import Heartbeat
from framework.load.begin import (
    LoadFiles,
    describe,
    leave_to_others,
    observe_files,
    observe_target,
    recover_first,
    start,
)
from framework.load.discover import Worklist
from framework.load.execute import Committed, Refusal, execute
from framework.load.late_views import BrokenViews, broken_before, broken_since
from framework.load.planning import from_warehouse, load_input, log_plan, plan_with_lookups
from framework.load.recover import close, recover
from framework.load.refusals import Attempt, LoadedByOthers, Outcome, Refused, Stale, Superseded, meaning_of
from framework.load.result import LoadResult, RecordCounts
from framework.load.run import Run, Step
from framework.load.settle import settle_failed, settle_loaded, with_problems
from framework.load.stage import Staging, stage_again
from framework.load.view_journal import ViewJournal
from framework.log.retries import log_retries_to
from framework.model.observation import Observation, PastLoad
from framework.plan.audit import LoadFile
from framework.plan.load_plan import LoadPlan, PlanHints
from framework.plan.same_content import with_loads
from framework.plan.spellings import with_spellings

MAX_PLANS = 3
"""Maximum plans per load when the target changes concurrently."""


@dataclass(frozen=True)
class LoadEnd:
    """The results of a load. `observed` is the observation for the pipeline's next load; None if it must observe."""

    results: list[LoadResult]
    observed: Observation | None = None


def load_files(run: Run, work: Worklist, keys: Sequence[str], known: Observation | None) -> LoadEnd:
    """Load files together and return their results; `known` is the target as the previous load left it."""
    with log_retries_to(run.log):
        return _load_files(run, work, keys, known)


def _load_files(run: Run, work: Worklist, keys: Sequence[str], known: Observation | None) -> LoadEnd:
    journal, hints = ViewJournal(run), PlanHints()
    observed, following = known, None
    files: LoadFiles = ()
    staging: Staging | None = None
    done: list[LoadResult] = []
    problems: list[str] = []
    stale_plans = 0
    try:
        with Heartbeat(run.lake, run.spec.pipeline, run.log):
            if files := describe(run, keys):
                eligible, observed = observe_files(run, work, files, known)
                files, done = eligible.files, eligible.results
                eligible, observed = recover_first(run, work, eligible, observed, journal)
                files, done = eligible.files, eligible.results
                following = None if files else observed
            if files and observed is not None:
                start(run, files, observed)
            while files and observed is not None:
                staging = stage_again(run, files, observed, staging)
                match _attempt(run, work, Attempt(load_input(run, files, staging.staged), observed, hints), journal):
                    case Loaded(plan, counts, broken):
                        # The rows are in: these files no longer count as failed, whatever follows.
                        files = ()
                        following = None if plan.evolution else _after(run, observed, plan, counts)
                        problems += broken_since(run, plan, broken)
                        run.progress.enter(Step.SETTLE)
                        done += settle_loaded(run, work, plan, counts)
                    case Stale(error, hints, seen):
                        stale_plans += 1
                        if stale_plans == MAX_PLANS:
                            raise error
                        run.log.warning("replanning: the target changed concurrently", error=str(error))
                        observed = seen or observe_target(run, work, files)
                    case LoadedByOthers() | Superseded() as found:
                        eligible, hints = leave_to_others(run, work, files, found, hints)
                        files, done = eligible.files, [*done, *eligible.results]
                        observed = observe_target(run, work, files) if files else None
                    case Refused(error):
                        raise error
    except Exception as error:
        done += settle_failed(run, files, error, observed)
    except BaseException as error:
        settle_failed(run, files, error, observed)
        raise
    finally:
        close(run)
    return LoadEnd(with_problems(run, done, [*problems, *journal.problems()]), following)


@dataclass(frozen=True)
class Loaded:
    """A plan that was executed, with the counts of each file; `broken` is the result of broken_before."""

    plan: LoadPlan
    counts: Mapping[LoadFile, RecordCounts]
    broken: BrokenViews | None


def _attempt(
    run: Run, work: Worklist, attempt: Attempt, journal: ViewJournal
) -> Loaded | Stale | LoadedByOthers | Superseded | Refused:
    """Plan a load whose rows are staged, and run the plan."""
    plan = plan_with_lookups(attempt.load, attempt.observed, attempt.hints, from_warehouse(run))
    log_plan(run, attempt.load.staged, plan)
    run.progress.plans(plan)
    run.progress.enter(Step.EVOLVE)
    broken = broken_before(run, plan)
    ended: Outcome | Refusal = execute(run, attempt.load, plan, journal)
    if isinstance(ended, Refusal):
        ended = meaning_of(run, ended, attempt, partial(observe_target, run, work, attempt.load.files))
    return Loaded(plan, ended.counts, broken) if isinstance(ended, Committed) else ended


def recover_only(run: Run) -> list[LoadResult]:
    """Clean up after expired runs where no pending file would do it; return a result only where that fails."""
    journal = ViewJournal(run)
    try:
        with log_retries_to(run.log), Heartbeat(run.lake, run.spec.pipeline, run.log):
            recover(run)
            journal.restore_by_markers()
    finally:
        close(run)
    return with_problems(run, [], journal.problems())


def _after(run: Run, observed: Observation, plan: LoadPlan, counts: Mapping[LoadFile, RecordCounts]) -> Observation:
    """Return the observation after a load that has changed only the target's rows."""
    now = run.services.now()
    loads = {
        file.source.identity: PastLoad(file.generation, run.run_id, now, counted.read)
        for file, counted in counts.items()
    }
    return with_spellings(with_loads(observed, loads), plan.spellings)
