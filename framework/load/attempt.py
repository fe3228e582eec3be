"""One attempt to load files that are staged: plan it, run the plan, and say what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from framework.dataclass import dataclass
from framework.errors import Cause, WarehouseError
from framework.load.begin import observe_target
from framework.load.discover import Worklist
from framework.load.execute import Committed, Refusal, execute
from framework.load.failures.refusals import Attempt, LoadedByOthers, Outcome, Refused, Stale, Superseded, meaning_of
from framework.load.planning import from_warehouse, log_plan, plan_with_lookups
from framework.load.result import RecordCounts
from framework.load.run import Run, Step
from framework.load.views.journal import ViewJournal
from framework.load.views.late import BrokenViews, broken_before
from framework.model.observation import Observation, PastLoad
from framework.plan.audit import LoadFile
from framework.plan.load_plan import LoadPlan, plan_load
from framework.plan.same_content import with_loads
from framework.plan.spellings import with_spellings


@dataclass(frozen=True)
class Unconfirmed:
    """The plan changes the target or views by an observation that the load has not made itself: it must observe."""


@dataclass(frozen=True)
class Loaded:
    """A plan that was executed, with the counts of each file; `broken` is the result of broken_before."""

    run_id: str
    at: datetime
    plan: LoadPlan
    counts: Mapping[LoadFile, RecordCounts]
    broken: BrokenViews | None

    def observation_after(self, observed: Observation) -> Observation | None:
        """Return the observation for the next load; None where the target has changed, so that it must observe."""
        if self.plan.evolution:
            return None
        loads = {
            file.source.identity: PastLoad(file.generation, self.run_id, self.at, counted.read)
            for file, counted in self.counts.items()
        }
        return with_spellings(with_loads(observed, loads), self.plan.spellings)


def attempt_load(
    run: Run, work: Worklist, attempt: Attempt, journal: ViewJournal
) -> Loaded | Unconfirmed | Stale | LoadedByOthers | Superseded:
    """Plan a load whose rows are staged, and run the plan.

    Raises:
        PipelineError: the plan is refused for good, or nothing can be planned; the warehouse's error is its cause.
    """
    try:
        plan = _plan(run, attempt)
    except WarehouseError as missing:
        if missing.cause is not Cause.MISSING_VIEW:
            raise
        # Another run has dropped it since the observation, and will restore it.
        return Stale(missing, attempt.hints)
    if plan is None:
        return Unconfirmed()
    log_plan(run, attempt.load.staged, plan)
    run.progress.plans(plan)
    run.progress.enter(Step.EVOLVE)
    broken = broken_before(run, plan)
    look = partial(observe_target, run, work, attempt.load.files)
    ended = execute(run, attempt.load, plan, journal)
    outcome: Outcome = ended if isinstance(ended, Committed) else meaning_of(run, ended, attempt, look)
    match outcome:
        case Committed(counts):
            return Loaded(run.run_id, run.services.now(), plan, counts, broken)
        case Refused(error) if isinstance(ended, Refusal) and error is not ended.error:
            raise error from ended.error
        case Refused(error):
            raise error
        case _:
            return outcome


def _plan(run: Run, attempt: Attempt) -> LoadPlan | None:
    """Return the plan; None where it changes the target or views by an observation that the load has not made."""
    if attempt.is_own:
        return plan_with_lookups(attempt.load, attempt.observed, attempt.hints, from_warehouse(run))
    found = plan_load(attempt.load, attempt.observed, attempt.hints)
    # Only changes need lookups.
    return found if isinstance(found, LoadPlan) and not found.evolution else None
