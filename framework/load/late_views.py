"""Late-binding views, which no change drops or waits for: which of them a change has broken."""

from __future__ import annotations

from framework.errors import PipelineError
from framework.load.run import Run
from framework.model.names import TableName
from framework.plan.load_plan import LoadPlan
from framework.plan.schema_changes import rewritten_columns
from framework.warehouse.late_views import broken_late_views

BrokenViews = dict[TableName, str]


def broken_before(run: Run, plan: LoadPlan) -> BrokenViews | None:
    """Return the late-binding views that cannot be read already, to blame no load for them.

    None where the load changes no type, so that it breaks none.
    """
    return _broken(run, plan) if rewritten_columns(plan.changes) else None


def broken_since(run: Run, plan: LoadPlan, before: BrokenViews | None) -> list[str]:
    """Return what to say of late-binding views that no longer work with the table as it is now; the rows are in."""
    if before is None:
        return []
    broken = {view: words for view, words in _broken(run, plan).items() if view not in before}
    if not broken:
        return []
    told_of = "; ".join(f"{view}: {words}" for view, words in broken.items())
    run.log.error("late-binding views are broken", step="settle", views=[str(view) for view in broken])
    message = (
        "The file is loaded, and late-binding views cannot be read any more, since columns of "
        f"{run.target} have changed their types: {told_of}. Have their owners create them anew."
    )
    return [message]


def _broken(run: Run, plan: LoadPlan) -> BrokenViews:
    try:
        return broken_late_views(run.warehouse, [run.target, *(view.view for view in plan.views.drops)])
    except PipelineError as error:
        run.log.error("could not look at the late-binding views", error=str(error))
        return {}
