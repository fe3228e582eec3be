"""Planning a load against the warehouse: the planner's lookups are answered until it returns a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from framework.load.order import precedence_of
from framework.load.request import Corrections, accepted_by
from framework.load.run import Run, log_warning
from framework.model.observation import Observation
from framework.plan.audit import LoadFile
from framework.plan.load_input import LoadInput, LoadTerms, Staged
from framework.plan.load_plan import LoadPlan, PlanHints, plan_load
from framework.plan.lookups import Lookup, ReadViews
from framework.plan.schema_changes import describe_change
from framework.warehouse.lookups import answer

Answer = Callable[[Observation, Lookup], Observation]
"""Answers a lookup: from the warehouse, or from the state that an earlier plan would leave."""


def load_input(run: Run, files: tuple[LoadFile, ...], staged: Staged) -> LoadInput:
    """Return a load to plan."""
    accepted = accepted_by(run.request)
    return LoadInput(
        run.names,
        files,
        staged,
        LoadTerms(
            keeps_stored=isinstance(run.request, Corrections),
            allow_shrink=accepted.shrink,
            precedence=precedence_of(run.spec, run.lake, run.request),
        ),
        run.services.warehouse.settings.copy_role,
        run.lake.url(run.manifest_key),
        run.services.environment.single_submission,
        run.warnings,
    )


def plan_with_lookups(load: LoadInput, observed: Observation, hints: PlanHints, ask: Answer) -> LoadPlan:
    """Return the plan of a load.

    Raises:
        SchemaChangeError, SpecError: as in `plan_load`.
        WarehouseError: a lookup cannot be answered.
    """
    asked: set[Lookup] = set()
    while not isinstance(found := plan_load(load, observed, hints), LoadPlan):
        if repeated := asked.intersection(found):
            raise RuntimeError(f"the planner repeats lookups that were answered: {repeated}")
        asked.update(found)
        for lookup in found:
            observed = ask(observed, lookup)
    return found


def from_warehouse(run: Run) -> Answer:
    """Return a function that answers a planner's lookups from the warehouse."""
    return partial(_ask, run)


def _ask(run: Run, observed: Observation, lookup: Lookup) -> Observation:
    if isinstance(lookup, ReadViews):
        run.log.info("restoring views as they are", step="plan", views=[str(name) for name in lookup.views])
    return answer(run.warehouse, observed, lookup)


def log_plan(run: Run, staged: Staged, plan: LoadPlan) -> None:
    """Log the load's schema changes and warnings."""
    for warning in plan.warnings:
        log_warning(run.log, warning)
    for name in staged.columns.ignored:
        run.log.info("new column is ignored", step="plan", column=name)
    for change in plan.changes:
        run.log.info("schema change", step="plan", **_log_fields(describe_change(change)))


def _log_fields(described: Mapping[str, str | None]) -> dict[str, object]:
    return {("change" if name == "kind" else name): value for name, value in described.items()}
