"""Late-binding views that a change has broken; no change drops or waits for them."""

from __future__ import annotations

from framework.errors import PipelineError
from framework.load.run import Run
from framework.model.names import TableName
from framework.plan.load_plan import LoadPlan
from framework.plan.schema_changes import rewritten_columns
from framework.warehouse.late_views import broken_late_views

BrokenViews = dict[TableName, str]


def broken_before(run: Run, plan: LoadPlan) -> BrokenViews | None:
    """Return the late-binding views that are already broken, so that this load is not blamed.

    None where the load changes no type, so that it breaks none.
    """
    return _broken(run, plan) if rewritten_columns(plan.changes) else None


def broken_since(run: Run, plan: LoadPlan, before: BrokenViews | None) -> list[str]:
    """Return a message on late-binding views that the load has broken, although its rows are in; else none."""
    if before is None:
        return []
    broken = {view: words for view, words in _broken(run, plan).items() if view not in before}
    if not broken:
        return []
    reasons = "; ".join(f"{view}: {words}" for view, words in broken.items())
    run.log.error("late-binding views are broken", step="settle", views=[str(view) for view in broken])
    message = (
        "The file is loaded, and late-binding views cannot be read any more, since columns of "
        f"{run.target} have changed their types: {reasons}. Have their owners recreate them."
    )
    return [message]


def _broken(run: Run, plan: LoadPlan) -> BrokenViews:
    try:
        return broken_late_views(run.warehouse, [run.target, *(view.view for view in plan.views.drops)])
    except PipelineError as error:
        run.log.error("could not check the late-binding views", error=str(error))
        return {}
