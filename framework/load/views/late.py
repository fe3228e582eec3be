"""Late-binding views that a load leaves broken: no change drops or waits for them, and creating one checks nothing."""

from __future__ import annotations

from collections.abc import Iterable

from framework.errors import Cause, PipelineError
from framework.load.run import Run
from framework.model.names import TableName
from framework.plan.load_plan import LoadPlan
from framework.plan.schema_changes import rewritten_columns
from framework.warehouse.late_views import broken_late_views, unreadable_views
from framework.warehouse.session import WarehouseSession

BrokenViews = dict[TableName, str]
TOLERATED = frozenset({Cause.NOT_PERMITTED, Cause.MISSING_RELATION, Cause.MISSING_DATABASE})
"""Why a late-binding view may not be readable although its definition is right."""


def broken_before(run: Run, plan: LoadPlan) -> BrokenViews | None:
    """Return the late-binding views that are already broken, so that this load is not blamed.

    None where the load changes no type, so that it breaks none.
    """
    return _broken(run, plan) if rewritten_columns(plan.changes) else None


def broken_since(run: Run, plan: LoadPlan, before: BrokenViews | None) -> list[str]:
    """Return messages on late-binding views that cannot be read after a load, although its rows are in.

    They are those that it built, and those that it has broken.
    """
    built = _unreadable_builds(run, plan)
    broken = {} if before is None else _broken(run, plan)
    broken = {view: words for view, words in broken.items() if view not in (before or {}) and view not in built}
    if built or broken:
        run.log.error("late-binding views are broken", step="settle", views=[str(view) for view in (*built, *broken)])
    messages = []
    if built:
        messages.append(
            "The file is loaded, and late-binding views of the spec cannot be read: "
            f"{_reasons(built)}. Correct their definitions."
        )
    if broken:
        messages.append(
            "The file is loaded, and late-binding views cannot be read any more, since columns of "
            f"{run.target} have changed their types: {_reasons(broken)}. Have their owners recreate them."
        )
    return messages


def _reasons(broken: BrokenViews) -> str:
    return "; ".join(f"{view}: {words}" for view, words in broken.items())


def unreadable_of_specs(warehouse: WarehouseSession, views: Iterable[TableName]) -> BrokenViews:
    """Return the late-binding views of specs, out of some, that cannot be read, and by their own fault.

    One may name relations that do not exist yet, or that the reader may not read.

    Raises:
        WarehouseError: the warehouse did not answer, or refuses.
    """
    broken = unreadable_views(warehouse, views)
    return {view: error.first_line for view, error in broken.items() if error.cause not in TOLERATED}


def _unreadable_builds(run: Run, plan: LoadPlan) -> BrokenViews:
    """Return the late-binding views of the spec that the load built and that cannot be read."""
    built = [view.view for view in plan.views.creates if view.late_binding and view.build is not None]
    try:
        return unreadable_of_specs(run.warehouse, built)
    except PipelineError as error:
        run.log.error("could not check the late-binding views", error=str(error))
        return {}


def _broken(run: Run, plan: LoadPlan) -> BrokenViews:
    try:
        return broken_late_views(run.warehouse, [run.target, *(view.view for view in plan.views.drops)])
    except PipelineError as error:
        run.log.error("could not check the late-binding views", error=str(error))
        return {}
