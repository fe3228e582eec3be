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

from dataclasses import dataclass

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
    observed: Observation | None = None


def load_files(run: Run, work: Worklist, pending: LoadFiles, known: Observation | None) -> LoadEnd:
    """Load files together and return their results; `known` is the target as the previous load left it."""
    with log_retries_to(run.log):
        return _load_files(run, work, pending, known)


def _load_files(run: Run, work: Worklist, pending: LoadFiles, known: Observation | None) -> LoadEnd:
    journal, hints = ViewJournal(run), PlanHints()
    observed, following = known, None
    files: LoadFiles = ()
    staging: Staging | None = None
    done: list[LoadResult] = []
    problems: list[str] = []
    stale_plans = 0
    try:
        run.invocation.begin()
        # Not before: without a heartbeat there is no load, and no file has failed.
        files = pending
        eligible, observed = observe_files(run, work, files, known)
        files, done = eligible.files, eligible.results
        eligible, observed = recover_first(run, work, eligible, observed, journal)
        files, done = eligible.files, eligible.results
        following = None if files else observed
        if files and observed is not None:
            start(run, files, observed)
        while files and observed is not None:
            staging = stage_again(run, files, observed, staging)
            attempt = Attempt(load_input(run, files, staging.staged), observed, hints, is_own=observed is not known)
            match attempt_load(run, work, attempt, journal):
                case Loaded() as loaded:
                    # The rows are in: these files no longer count as failed, whatever follows.
                    files = ()
                    following = loaded.observation_after(observed)
                    done += report_loaded(run, loaded.plan, loaded.counts)
                    if run.slot is not None:
                        run.slot.give_back()
                    problems += broken_since(run, loaded.plan, loaded.broken)
                    done = archive_loaded(run, work, list(loaded.counts), done)
                case Stale(error, hints, seen):
                    stale_plans += 1
                    if stale_plans == MAX_PLANS:
                        raise error
                    run.log.warning("replanning: the target has changed since it was observed", error=str(error))
                    observed = seen or observe_target(run, work, files)
                    if journal.restore_expired(observed.journal):
                        observed = observe_target(run, work, files)
                case Unconfirmed():
                    observed = observe_target(run, work, files)
                case LoadedByOthers() | Superseded() as found:
                    eligible, hints = leave_to_others(run, work, files, found, hints)
                    files, done = eligible.files, [*done, *eligible.results]
                    observed = observe_target(run, work, files) if files else None
    except Exception as error:
        done += settle_failed(run, files, error, observed)
    except BaseException as error:
        settle_failed(run, files, error, observed)
        raise
    finally:
        close(run)
    return LoadEnd(with_problems(run, done, [*problems, *journal.problems()]), following)
